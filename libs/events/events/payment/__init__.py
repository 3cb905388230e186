"""Facts of the payment service (topic `receivables.payment`): receipts and the settlement ledger. All of them add up in any order."""

from events.payment.allowances import AdjustmentPosted, AdjustmentReversed, DiscountGranted, DiscountRevoked
from events.payment.findings import FxRevalued, InstalmentOverdue, OverpaymentDetected, ShortPaymentDetected, UnearnedDiscountTaken
from events.payment.ledger import ApplicationReversed, CreditApplied, FxRealised, OnAccountCredited, PaymentApplied, ReceiptUnapplied
from events.payment.receipts import (
    DepositReleased,
    EntryRejected,
    PayerIdentified,
    PayerUnknown,
    PaymentReceived,
    PaymentReversed,
    PaymentReversedAsDebit,
    Received,
    RefundIssued,
    RefundRejected,
    RefundRequested,
)
from events.payment.suggestions import Candidate, MatchSuggested, PaymentPolicyPublished, SuggestionAccepted, SuggestionRejected
from events.payment.transfers import MoneyTransferredIn, MoneyTransferredOut, Worth

__all__ = [
    "AdjustmentPosted",
    "AdjustmentReversed",
    "ApplicationReversed",
    "Candidate",
    "CreditApplied",
    "DepositReleased",
    "DiscountGranted",
    "DiscountRevoked",
    "EntryRejected",
    "FxRealised",
    "FxRevalued",
    "InstalmentOverdue",
    "MatchSuggested",
    "MoneyTransferredIn",
    "MoneyTransferredOut",
    "OnAccountCredited",
    "OverpaymentDetected",
    "PayerIdentified",
    "PayerUnknown",
    "PaymentApplied",
    "PaymentPolicyPublished",
    "PaymentReceived",
    "PaymentReversed",
    "PaymentReversedAsDebit",
    "ReceiptUnapplied",
    "Received",
    "RefundIssued",
    "RefundRejected",
    "RefundRequested",
    "ShortPaymentDetected",
    "SuggestionAccepted",
    "SuggestionRejected",
    "UnearnedDiscountTaken",
    "Worth",
]
