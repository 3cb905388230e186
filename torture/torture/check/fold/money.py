"""What the payment service tells of money: where it came from, what it pays, and what of it left us again."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from torture.check.amounts import minor_of
from torture.check.fold.posting import Folder, Posting
from torture.check.folded import Debit, Folded, FoldedApplication, FoldedReceipt, Reversal, TransferEnd

PERSON: Final = "person"
"""The rule of what a person applied, and the reason of what a person took off."""


def _receipt(folded: Folded, told: Posting) -> FoldedReceipt:
    return folded.receipts.setdefault(told.fact.data["receipt"], FoldedReceipt(told.entity, told.currency))


def _payment_received(folded: Folded, told: Posting) -> None:
    data = told.fact.data
    name, account = data["receipt"], data.get("account")
    if name in folded.receipts and folded.receipts[name].amount_minor:
        folded.issued_twice.append(name)
    receipt, minor = _receipt(folded, told), told.minor()
    receipt.amount_minor += minor
    receipt.value_on = date.fromisoformat(data["value_on"])
    receipt.deposit_for = data.get("deposit_for")
    if (valued := data.get("valuation")) is not None:
        receipt.base_minor = minor_of(valued["total"], valued["currency"])
    if account is None:
        receipt.unidentified_minor += minor
        told.post(folded, None, "unidentified", minor)
    else:
        receipt.given[account] += 1
        receipt.unapplied_minor += minor
        told.post(folded, account, "unapplied", minor)


def _payer_identified(folded: Folded, told: Posting) -> None:
    _identify(folded, told, told.minor())


def _payer_unknown(folded: Folded, told: Posting) -> None:
    _identify(folded, told, -told.minor())


def _identify(folded: Folded, told: Posting, minor: int) -> None:
    """Move a receipt from nobody to an account, or back where `minor` is negative."""
    receipt, account = _receipt(folded, told), told.fact.data["account"]
    receipt.given[account] += 1 if minor > 0 else -1
    receipt.unidentified_minor -= minor
    receipt.unapplied_minor += minor
    told.post(folded, None, "unidentified", -minor)
    told.post(folded, account, "unapplied", minor)


def _payment_applied(folded: Folded, told: Posting) -> None:
    _apply(folded, told, "receipt", told.minor())


def _credit_applied(folded: Folded, told: Posting) -> None:
    _apply(folded, told, "memo", told.minor())


def _application_reversed(folded: Folded, told: Posting) -> None:
    _apply(folded, told, "memo" if told.fact.data.get("memo") is not None else "receipt", -told.minor())


def _apply(folded: Folded, told: Posting, kind: str, minor: int) -> None:
    """Move money or credit to an item, or back where `minor` is negative."""
    data = told.fact.data
    source, name, account, due_on = data[kind], data["item"], data["account"], date.fromisoformat(data["due_on"])
    item = told.item(folded, name, due_on)
    if kind == "receipt":
        item.settled_minor += minor
        receipt = _receipt(folded, told)
        receipt.applied_minor += minor
        receipt.unapplied_minor -= minor
    else:
        item.credited_minor += minor
        folded.memos[source].applied_minor += minor
    application = folded.applications.setdefault(
        (data["application"], source, name), FoldedApplication(kind, told.currency, told.booked_on, data.get("rule"))
    )
    application.amount_minor += minor
    application.reversed_minor += max(0, -minor)
    application.by_day[told.booked_on] += minor
    application.first_on = min(application.first_on, told.booked_on)
    if data.get("reason") == PERSON:
        taken_off = folded.taken_off
        taken_off[source, name] = max(told.booked_on, taken_off.get((source, name), told.booked_on))
    told.take_off(folded, name, "settled" if kind == "receipt" else "credited", minor, due_on)
    told.post(folded, account, "unapplied" if kind == "receipt" else "memo", -minor)


def _on_account_credited(folded: Folded, told: Posting) -> None:
    _put_on_account(folded, told, told.minor())


def _receipt_unapplied(folded: Folded, told: Posting) -> None:
    _put_on_account(folded, told, -told.minor())


def _put_on_account(folded: Folded, told: Posting, minor: int) -> None:
    receipt, account = _receipt(folded, told), told.fact.data["account"]
    receipt.unapplied_minor -= minor
    receipt.on_account_minor += minor
    told.post(folded, account, "unapplied", -minor)
    told.post(folded, account, "on_account", minor)


def _payment_reversed(folded: Folded, told: Posting) -> None:
    """Money that a bank took back leaves what is unapplied, or what is nobody's."""
    data, minor = told.fact.data, told.minor()
    receipt, account = _receipt(folded, told), data.get("account")
    if receipt.reversals:
        folded.issued_twice.append(f"reversal of {data['receipt']}")
    fee_minor = told.minor("fee") if data.get("fee") is not None else 0
    receipt.reversals.append(Reversal(account, fee_minor, told.booked_on))
    receipt.returned_minor += minor
    if account is None:
        receipt.unidentified_minor -= minor
    else:
        receipt.unapplied_minor -= minor
    told.post(folded, account, "unidentified" if account is None else "unapplied", -minor)
    told.post(folded, account, "reversed", minor)


def _payment_reversed_as_debit(folded: Folded, told: Posting) -> None:
    """Money that was taken back and stays on what it paid: it is counted as taken back, and leaves nothing."""
    data = told.fact.data
    fee_minor = told.minor("fee") if data.get("fee") is not None else 0
    _receipt(folded, told).debits.append(Debit(data["account"], told.minor(), fee_minor, told.booked_on))
    told.post(folded, data["account"], "reversed", told.minor())


def _deposit_released(folded: Folded, told: Posting) -> None:
    _receipt(folded, told).released_on = told.booked_on


def _refund_requested(folded: Folded, told: Posting) -> None:
    refund = folded.refunds[told.fact.data["refund"]]
    refund.requests += 1
    refund.receipt, refund.asked_minor = told.fact.data["receipt"], told.minor()
    refund.requested_by = told.fact.data["requested_by"]


def _refund_rejected(folded: Folded, told: Posting) -> None:
    refund = folded.refunds[told.fact.data["refund"]]
    refund.rejections += 1
    refund.rejected_by = told.fact.data.get("rejected_by")


def _refund_issued(folded: Folded, told: Posting) -> None:
    data, minor = told.fact.data, told.minor()
    refund = folded.refunds[data["refund"]]
    if refund.issues:
        folded.issued_twice.append(f"refund {data['refund']}")
    refund.issues += 1
    refund.issued_minor += minor
    refund.approved_by = data["approved_by"]
    receipt = _receipt(folded, told)
    receipt.unapplied_minor -= minor
    receipt.refunded_minor += minor
    told.post(folded, data["account"], "unapplied", -minor)
    told.post(folded, data["account"], "refunded", minor)


def _transferred_out(folded: Folded, told: Posting) -> None:
    """Money of a receipt leaves its account for another."""
    data, receipt, minor = told.fact.data, _receipt(folded, told), told.minor()
    receipt.unapplied_minor -= minor
    receipt.transferred_minor += minor
    places = data["receipt"], data["account"], data["to_account"]
    end = TransferEnd(told.entity, *places, told.currency, minor, told.effective_on, by=data["by"])
    folded.transfers[data["transfer"]].outs.append(end)
    told.post(folded, data["account"], "unapplied", -minor)
    told.post(folded, told.fact.data["account"], "transferred", minor)


def _transferred_in(folded: Folded, told: Posting) -> None:
    """It is a receipt of its own where it arrives, with the value date it came with."""
    data, minor = told.fact.data, told.minor()
    receipt = _receipt(folded, told)
    if receipt.amount_minor:
        folded.issued_twice.append(data["receipt"])
    receipt.amount_minor += minor
    receipt.value_on = date.fromisoformat(data["value_on"])
    if (worth := data.get("worth")) is not None:
        receipt.base_minor = minor_of(worth["amount"], worth["currency"])
    receipt.given[data["account"]] += 1
    receipt.unapplied_minor += minor
    places = data["from_receipt"], data["from_account"], data["account"]
    end = TransferEnd(told.entity, *places, told.currency, minor, told.effective_on, receipt=data["receipt"])
    folded.transfers[data["transfer"]].ins.append(end)
    told.post(folded, data["account"], "unapplied", minor)


def _fx_realised(folded: Folded, told: Posting) -> None:
    data, gain_minor = told.fact.data, told.minor("gain") - told.minor("loss")
    folded.gains[data["application"], data["receipt"], data["item"]] += gain_minor
    folded.exchange[told.entity, data["account"], told.currency, "realised", told.effective_on, told.booked_on] += gain_minor


def _fx_revalued(folded: Folded, told: Posting) -> None:
    """A revaluation counts as of the end of its period, and the other way on the day it is reversed."""
    data, gain_minor = told.fact.data, told.minor("gain") - told.minor("loss")
    for day, minor in ((data["period_end_on"], gain_minor), (data["reverses_on"], -gain_minor)):
        on = date.fromisoformat(day)
        folded.exchange[told.entity, data["account"], told.currency, "unrealised", on, told.booked_on] += minor


FOLDS: Final[Mapping[str, Folder]] = {
    "PaymentReceived": _payment_received,
    "PayerIdentified": _payer_identified,
    "PayerUnknown": _payer_unknown,
    "PaymentApplied": _payment_applied,
    "CreditApplied": _credit_applied,
    "ApplicationReversed": _application_reversed,
    "OnAccountCredited": _on_account_credited,
    "ReceiptUnapplied": _receipt_unapplied,
    "PaymentReversed": _payment_reversed,
    "PaymentReversedAsDebit": _payment_reversed_as_debit,
    "DepositReleased": _deposit_released,
    "RefundRequested": _refund_requested,
    "RefundRejected": _refund_rejected,
    "RefundIssued": _refund_issued,
    "MoneyTransferredOut": _transferred_out,
    "MoneyTransferredIn": _transferred_in,
    "FxRealised": _fx_realised,
    "FxRevalued": _fx_revalued,
}
"""Facts about money that are folded."""
