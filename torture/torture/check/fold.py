"""The books as the log tells them: every fact of ours folded once, with code that shares nothing with the services'."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from torture.check.amounts import AmountUnreadable, minor_of
from torture.check.folded import (
    Folded,
    FoldedApplication,
    FoldedDocument,
    FoldedItem,
    FoldedNotice,
    FoldedReceipt,
    ItemMove,
)
from torture.check.log import Fact


@dataclass(frozen=True, slots=True)
class _Posting:
    """A fact with what every fold needs of it."""

    fact: Fact
    entity: str
    currency: str
    booked_on: date
    effective_on: date

    def minor(self, name: str = "amount") -> int:
        return minor_of(self.fact.data[name], self.currency)

    def post(self, folded: Folded, account: str | None, measure: str, minor: int, due_on: date | None = None) -> None:
        folded.cube[self.entity, account, self.currency, measure, due_on, self.effective_on, self.booked_on] += minor


def fold(facts: Iterable[Fact]) -> Folded:
    """Fold first occurrences of facts; what nobody folds (rejections apart) is passed over."""
    folded = Folded()
    for fact in facts:
        folder = _FOLDS.get(fact.name)
        if folder is None:
            continue
        try:
            folder(folded, _posting(fact))
        except (KeyError, TypeError, ValueError, AmountUnreadable) as error:
            folded.unread.append((f"{fact.record.topic} {fact.id}", f"{fact.name}: {type(error).__name__}: {error}"))
    return folded


def _posting(fact: Fact) -> _Posting:
    booked_on = fact.booked_on or date.min
    entity, currency = str(fact.data.get("entity") or ""), str(fact.data.get("currency") or "")
    return _Posting(fact, entity, currency, booked_on, fact.effective_on or booked_on)


def _invoice_issued(folded: Folded, told: _Posting) -> None:
    _bill(folded, told, "invoice")


def _debit_memo_issued(folded: Folded, told: _Posting) -> None:
    _bill(folded, told, "debit_memo")


def _bill(folded: Folded, told: _Posting, kind: str) -> None:
    data = told.fact.data
    _issue(folded, data["invoice"], kind, told)
    for name, due_on, minor in _parts(told):
        item = folded.items.setdefault(name, FoldedItem(told.entity, data["account"], told.currency, due_on))
        item.issued, item.booked_on = True, told.fact.booked_on
        item.total_minor += minor
        folded.moves.append(ItemMove(name, minor, told.fact.behind))
        told.post(folded, data["account"], _measure(told, "invoiced"), minor, due_on)


def _invoice_voided(folded: Folded, told: _Posting) -> None:
    data = told.fact.data
    if data["invoice"] in folded.voids:
        folded.issued_twice.append(f"void of {data['invoice']}")
    folded.voids[data["invoice"]] = told.booked_on
    for name, due_on, minor in _parts(told):
        folded.items.setdefault(name, FoldedItem(told.entity, data["account"], told.currency, due_on)).voided_minor += minor
        folded.moves.append(ItemMove(name, -minor, told.fact.behind))
        told.post(folded, data["account"], _measure(told, "voided"), -minor, due_on)


def _measure(told: _Posting, usual: str) -> str:
    """Name the measure of what is billed or voided: late charges have one of their own, from which they are voided as well."""
    return "charged" if told.fact.data.get("origin") == "late_charge" else usual


def _parts(told: _Posting) -> Iterator[tuple[str, date, int]]:
    """Yield the items of a document: name, due date, minor units."""
    for part in told.fact.data["instalments"]:
        yield f"{told.fact.data['invoice']}|{part['n']}", date.fromisoformat(part["due_on"]), minor_of(part["amount"], told.currency)


def _fell_due(folded: Folded, told: _Posting) -> None:
    folded.fallen_due[told.fact.data["item"]].append(told.booked_on)


def _write_off_approved(folded: Folded, told: _Posting) -> None:
    data = told.fact.data
    adjustment = folded.adjustments[data["request"]]
    adjustment.approvals += 1
    adjustment.item, adjustment.approved_minor = data["item"], told.minor()
    adjustment.requested_by, adjustment.approved_by = data["requested_by"], data.get("approved_by")


def _write_off_rejected(folded: Folded, told: _Posting) -> None:
    folded.adjustments[told.fact.data["request"]].endings.append(told.fact.data["outcome"])


def _adjustment_posted(folded: Folded, told: _Posting) -> None:
    _adjust(folded, told, told.minor())


def _adjustment_reversed(folded: Folded, told: _Posting) -> None:
    _adjust(folded, told, -told.minor())


def _adjust(folded: Folded, told: _Posting, minor: int) -> None:
    """Write so much off an item, or take that back where `minor` is negative."""
    data = told.fact.data
    name, account, due_on = data["item"], data["account"], date.fromisoformat(data["due_on"])
    folded.items.setdefault(name, FoldedItem(told.entity, account, told.currency, due_on)).adjusted_minor += minor
    adjustment = folded.adjustments[data["adjustment"]]
    adjustment.posted_minor += minor
    adjustment.places.add(name)
    folded.moves.append(ItemMove(name, -minor, told.fact.behind))
    told.post(folded, account, "written_off", -minor, due_on)


def _credit_memo_issued(folded: Folded, told: _Posting) -> None:
    data = told.fact.data
    _issue(folded, data["memo"], "credit_memo", told)
    memo = folded.memos[data["memo"]]
    memo.entity, memo.account, memo.currency = told.entity, data["account"], told.currency
    memo.total_minor += told.minor("total")
    told.post(folded, data["account"], "memo", told.minor("total"))


def _issue(folded: Folded, document: str, kind: str, told: _Posting) -> None:
    if document in folded.documents:
        folded.issued_twice.append(document)
    account, total_minor = told.fact.data["account"], told.minor("total")
    folded.documents[document] = FoldedDocument(kind, told.entity, account, told.currency, total_minor, told.fact.booked_on)


def _receipt(folded: Folded, told: _Posting) -> FoldedReceipt:
    return folded.receipts.setdefault(told.fact.data["receipt"], FoldedReceipt(told.entity, told.currency))


def _payment_received(folded: Folded, told: _Posting) -> None:
    name, account = told.fact.data["receipt"], told.fact.data.get("account")
    if name in folded.receipts and folded.receipts[name].amount_minor:
        folded.issued_twice.append(name)
    receipt, minor = _receipt(folded, told), told.minor()
    receipt.amount_minor += minor
    if account is None:
        receipt.unidentified_minor += minor
        told.post(folded, None, "unidentified", minor)
    else:
        receipt.given[account] += 1
        receipt.unapplied_minor += minor
        told.post(folded, account, "unapplied", minor)


def _payer_identified(folded: Folded, told: _Posting) -> None:
    _identify(folded, told, told.minor())


def _payer_unknown(folded: Folded, told: _Posting) -> None:
    _identify(folded, told, -told.minor())


def _identify(folded: Folded, told: _Posting, minor: int) -> None:
    """Move a receipt from nobody to an account, or back where `minor` is negative."""
    receipt, account = _receipt(folded, told), told.fact.data["account"]
    receipt.given[account] += 1 if minor > 0 else -1
    receipt.unidentified_minor -= minor
    receipt.unapplied_minor += minor
    told.post(folded, None, "unidentified", -minor)
    told.post(folded, account, "unapplied", minor)


def _payment_applied(folded: Folded, told: _Posting) -> None:
    _apply(folded, told, "receipt", told.minor())


def _credit_applied(folded: Folded, told: _Posting) -> None:
    _apply(folded, told, "memo", told.minor())


def _application_reversed(folded: Folded, told: _Posting) -> None:
    _apply(folded, told, "memo" if told.fact.data.get("memo") is not None else "receipt", -told.minor())


def _apply(folded: Folded, told: _Posting, kind: str, minor: int) -> None:
    """Move money or credit to an item, or back where `minor` is negative."""
    data = told.fact.data
    source, name, account, due_on = data[kind], data["item"], data["account"], date.fromisoformat(data["due_on"])
    item = folded.items.setdefault(name, FoldedItem(told.entity, account, told.currency, due_on))
    if kind == "receipt":
        item.settled_minor += minor
        receipt = _receipt(folded, told)
        receipt.applied_minor += minor
        receipt.unapplied_minor -= minor
    else:
        item.credited_minor += minor
        folded.memos[source].applied_minor += minor
    application = folded.applications.setdefault((data["application"], source, name), FoldedApplication(kind, told.currency))
    application.amount_minor += minor
    application.reversed_minor += max(0, -minor)
    folded.moves.append(ItemMove(name, -minor, told.fact.behind))
    told.post(folded, account, "settled" if kind == "receipt" else "credited", -minor, due_on)
    told.post(folded, account, "unapplied" if kind == "receipt" else "memo", -minor)


def _on_account_credited(folded: Folded, told: _Posting) -> None:
    _put_on_account(folded, told, told.minor())


def _receipt_unapplied(folded: Folded, told: _Posting) -> None:
    _put_on_account(folded, told, -told.minor())


def _put_on_account(folded: Folded, told: _Posting, minor: int) -> None:
    receipt, account = _receipt(folded, told), told.fact.data["account"]
    receipt.unapplied_minor -= minor
    receipt.on_account_minor += minor
    told.post(folded, account, "unapplied", -minor)
    told.post(folded, account, "on_account", minor)


def _limit_changed(folded: Folded, told: _Posting) -> None:
    """Facts of one key come in order, so the last one counts."""
    folded.limits[told.entity, told.fact.data["account"], told.currency] = told.minor("new")


def _notice_sent(folded: Folded, told: _Posting) -> None:
    data = told.fact.data
    if data["notice"] in folded.notices:
        folded.issued_twice.append(data["notice"])
    items = tuple((one["item"], int(one["level"]), minor_of(one["open"], told.currency)) for one in data["items"])
    folded.notices[data["notice"]] = FoldedNotice(
        entity=told.entity,
        account=data["account"],
        currency=told.currency,
        noticed_on=date.fromisoformat(data["noticed_on"]),
        level=int(data["level"]),
        total_minor=told.minor("total"),
        items=items,
        booked_on=told.fact.booked_on,
    )


def _rejected(folded: Folded, told: _Posting) -> None:
    """Count answers to what was refused, by topic of the answer and identity of the refused."""
    folded.rejections[told.fact.record.topic, told.fact.data["source"], told.fact.data["source_id"]] += 1


_FOLDS: Final[Mapping[str, Callable[[Folded, _Posting], None]]] = {
    "InvoiceIssued": _invoice_issued,
    "DebitMemoIssued": _debit_memo_issued,
    "CreditMemoIssued": _credit_memo_issued,
    "InvoiceVoided": _invoice_voided,
    "InstalmentFellDue": _fell_due,
    "WriteOffApproved": _write_off_approved,
    "WriteOffRejected": _write_off_rejected,
    "DocumentRejected": _rejected,
    "PaymentReceived": _payment_received,
    "PayerIdentified": _payer_identified,
    "PayerUnknown": _payer_unknown,
    "PaymentApplied": _payment_applied,
    "CreditApplied": _credit_applied,
    "ApplicationReversed": _application_reversed,
    "AdjustmentPosted": _adjustment_posted,
    "AdjustmentReversed": _adjustment_reversed,
    "OnAccountCredited": _on_account_credited,
    "ReceiptUnapplied": _receipt_unapplied,
    "EntryRejected": _rejected,
    "CreditLimitChanged": _limit_changed,
    "DunningNoticeSent": _notice_sent,
}
