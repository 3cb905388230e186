"""Ways to bend what C-3 does: discounts, what is let go, returns and their fees, refunds, decisions of people, exchange."""

from typing import Final

from torture.check.books import ExchangeDelta, Item, ReportedReceipt, ReturnFee
from torture.check.evidence import Evidence
from torture.check.ledger_rows import Allowance, Exchanged, LedgerItem, Receipt, Refund
from torture.check.log import Record
from torture.check.selftest.bending import (
    INVOICE,
    PAYMENT,
    Corruption,
    change_fact,
    changed,
    doubled,
    drop,
    expecting,
    find,
    of_log,
    row_of,
    told_twice,
    without,
)

_INV_4, _INV_7 = 6, 9
"""The places of items behind those of the story."""
_B_4, _B_6, _B_7 = 3, 5, 6


def _earned_too_late(records: list[Record]) -> None:
    """Let a discount stand that money of the day after its last one has earned."""
    del records[find(records, PAYMENT, "DiscountRevoked")]
    at = next(at for at, one in enumerate(records) if b'"US01|B-4"' in (one.value or b"") and b'"value_on"' in (one.value or b""))
    records[at] = changed(records[at], None, {"value_on": "2025-01-12"})


def _used_by_a_rule(records: list[Record]) -> None:
    """Let a rule put money on an item again, two days after a person took it off."""
    applied = next(one for one in records if b'"cash|6"' in (one.value or b""))
    again = changed(applied, ("ce_bookedon", "2025-01-05"), {"application": "cash|9", "rule": "oldest_first"})
    records.append(changed(changed(again, ("ce_sequence", "98"), {}), ("ce_id", "payment/US01|C-3/98"), {}))


def _released(evidence: Evidence) -> Evidence:
    """Let a rule use what is said to be released, though the oracle knows of no release."""
    return of_log(_used_by_a_rule)(expecting(released=frozenset({"US01|B-4"}))(evidence))


CASH: Final[tuple[Corruption, ...]] = (
    Corruption("one cent more of discount", ("M1", "M6"), row_of("payment", LedgerItem, _INV_4, discounted_minor=(1,))),
    Corruption("one cent more let go", ("M1", "M6", "M8"), row_of("payment", LedgerItem, _INV_7, allowed_minor=(1,))),
    Corruption("a discount below zero", ("M1", "M2", "M6"), row_of("payment", LedgerItem, _INV_4, discounted_minor=-1)),
    Corruption("an allowance is one cent off", ("M1", "E5"), row_of("payment", Allowance, amount_minor=(1,))),
    Corruption("an allowance is there twice", ("E5", "M1"), doubled("payment", Allowance, 1)),
    Corruption("an allowance is lost", ("E5", "M1"), without("payment", Allowance, 1)),
    Corruption("an allowance of another entity's item", ("S1", "E5"), row_of("payment", Allowance, item="KW01|INV-K|1")),
    Corruption("a discount is told one cent off", ("E5", "M6"), change_fact(PAYMENT, "DiscountGranted", amount="2.01")),
    Corruption("a discount beyond its terms", ("M2", "E5"), change_fact(PAYMENT, "DiscountRevoked", amount="-0.01")),
    Corruption("a discount earned too late", ("M2", "E1"), of_log(_earned_too_late)),
    Corruption("a discount is not revoked", ("M3", "E5"), change_fact(PAYMENT, "DiscountRevoked", amount="0.00")),
    Corruption("what is let go is money in invoice", ("M6",), row_of("invoice", Item, _INV_7, settled_minor=4_000, adjusted_minor=0)),
    Corruption("a stale discount in invoice", ("M6",), row_of("invoice", Item, _INV_4, discounted_minor=200)),
    Corruption("a return leaves its application", ("M3", "E1", "E5"), drop(PAYMENT, "ApplicationReversed", 1)),
    Corruption("a return leaves its discount", ("M3", "E1", "E5"), drop(PAYMENT, "DiscountRevoked")),
    Corruption("a return is lost", ("M3", "E1", "E5", "W1"), drop(PAYMENT, "PaymentReversed")),
    Corruption("a return is told twice", ("E1", "E5"), told_twice(PAYMENT, "PaymentReversed")),
    Corruption("a return nobody told of", ("D1",), row_of("payment", Receipt, _B_4, returned_minor=0, unapplied_minor=9_800)),
    Corruption("a part of a return", ("M3", "D1", "M8"), row_of("payment", Receipt, _B_4, returned_minor=9_799, unapplied_minor=1)),
    Corruption("a fee is one cent off in invoice", ("M6",), row_of("invoice", ReturnFee, fee_minor=(1,))),
    Corruption("a fee is forgotten", ("M6",), without("invoice", ReturnFee)),
    Corruption("a fee is not billed", ("W1", "E1", "M6"), drop(INVOICE, "DebitMemoIssued", 1)),
    Corruption("a fee is billed a cent too high", ("W1",), change_fact(INVOICE, "DebitMemoIssued", 1, total="35.01")),
    Corruption("a fee is billed a day late", ("W1",), change_fact(INVOICE, "DebitMemoIssued", 1, header=("ce_bookedon", "2025-01-06"))),
    Corruption("a fee for nothing", ("W1",), change_fact(INVOICE, "DebitMemoIssued", 1, origin_id="US01|B-6")),
    Corruption("a refund is told twice", ("A2", "E1", "E5"), told_twice(PAYMENT, "RefundIssued")),
    Corruption("a refund by who asked for it", ("A2",), change_fact(PAYMENT, "RefundIssued", approved_by="clerk-1")),
    Corruption("more is paid back than asked for", ("A2", "E5"), change_fact(PAYMENT, "RefundIssued", amount="20.01")),
    Corruption("a refund is not told", ("E1", "E5", "M6"), drop(PAYMENT, "RefundIssued")),
    Corruption("a refund is forgotten", ("M6", "D1"), without("payment", Refund)),
    Corruption("a refund nobody asked for", ("D1",), expecting(refunds={})),
    Corruption("one cent more is paid back", ("M3", "M8", "D1", "E5"), row_of("payment", Receipt, _B_7, refunded_minor=(1,))),
    Corruption("more is pinned than there is", ("M3",), row_of("payment", Receipt, _B_6, pinned_minor=(1,))),
    Corruption("a rule uses what a person took off", ("M3", "E1"), of_log(_used_by_a_rule)),
    Corruption("a rule uses what was not released", ("M3",), _released),
    Corruption("one cent more gained in the ledger", ("E5",), row_of("payment", Exchanged, gain_minor=(1,))),
    Corruption("a gain does not add up", ("M7", "E5", "R2"), change_fact(PAYMENT, "FxRealised", gain="1.01")),
    Corruption("a gain is lost in reporting", ("R2",), without("reporting", ExchangeDelta)),
    Corruption("a gain is one cent off in reporting", ("R2",), row_of("reporting", ExchangeDelta, delta_minor=(1,))),
    Corruption("a receipt is freer in reporting than it is", ("R2",), row_of("reporting", ReportedReceipt, 3, free_minor=(1,))),
    Corruption("an item is overdue twice", ("W1",), told_twice(PAYMENT, "InstalmentOverdue")),
    Corruption("an item is not overdue", ("W1", "E1"), drop(PAYMENT, "InstalmentOverdue")),
    Corruption("an item is overdue with a cent too much", ("W1",), change_fact(PAYMENT, "InstalmentOverdue", open="100.01")),
    Corruption("an item is overdue a day late", ("W1",), change_fact(PAYMENT, "InstalmentOverdue", header=("ce_bookedon", "2025-01-03"))),
)
"""Each gives the alarm that is meant."""
