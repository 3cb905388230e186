"""What the invoice service tells: documents, voids, instalments that fall due, decisions about write-offs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate, pairwise
from typing import Any, Final

from torture.check.amounts import minor_of
from torture.check.fold.posting import Folder, Posting
from torture.check.folded import Folded, FoldedDocument, ItemMove, Tier

_CHARGES: Final = ("late_charge", "return_fee", "returned_payment")
"""The origins of documents that bill what being late or a returned payment costs, or that payment: they have a measure of their own."""


def _invoice_issued(folded: Folded, told: Posting) -> None:
    _bill(folded, told, "invoice")


def _debit_memo_issued(folded: Folded, told: Posting) -> None:
    _bill(folded, told, "debit_memo")


def _bill(folded: Folded, told: Posting, kind: str) -> None:
    data = told.fact.data
    _issue(folded, data["invoice"], kind, told)
    parts = list(_parts(told))
    tiers = _tiers(data.get("discount"), told.currency, [minor for _, _, minor in parts])
    for place, (name, due_on, minor) in enumerate(parts):
        item = told.item(folded, name, due_on)
        item.issued, item.booked_on = True, told.fact.booked_on
        item.total_minor += minor
        item.tiers, item.unearned_allowed = tiers[place], bool((data.get("discount") or {}).get("unearned_allowed"))
        folded.moves.append(ItemMove(name, minor, told.fact.behind, told.settled_on))
        told.post(folded, data["account"], _measure(told, "invoiced"), minor, due_on)
    if (valued := data.get("valuation")) is not None:
        for (name, _, _), base_minor in zip(parts, _shared(minor_of(valued["total"], valued["currency"]), parts), strict=True):
            folded.items[name].base_minor = base_minor


def _shared(minor: int, parts: Sequence[tuple[str, date, int]]) -> list[int]:
    return shared(minor, [part_minor for _, _, part_minor in parts])


def shared(minor: int, among: Sequence[int]) -> list[int]:
    """Share an amount in proportion to others, half up, the last taking the rounding; of nothing everybody has nothing."""
    whole = sum(among)
    if not whole:
        return [0] * len(among)
    ends = [(2 * minor * up_to + whole) // (2 * whole) for up_to in accumulate(among, initial=0)]
    return [end - begin for begin, end in pairwise(ends)]


def _tiers(terms: Mapping[str, Any] | None, currency: str, among: Sequence[int]) -> list[tuple[Tier, ...]]:
    """The discounts of each instalment, and until when money has to be there, grace days included."""
    grace = timedelta(days=int((terms or {}).get("grace_days", 0)))
    told = [
        (_later(date.fromisoformat(tier["until_on"]), grace), shared(minor_of(tier["amount"], currency), among))
        for tier in (terms or {}).get("tiers", ())
    ]
    return [tuple(Tier(until_on, minors[place]) for until_on, minors in told) for place in range(len(among))]


def _later(day: date, more: timedelta) -> date:
    return day + more if date.max - day >= more else date.max


def _invoice_voided(folded: Folded, told: Posting) -> None:
    data = told.fact.data
    if data["invoice"] in folded.voids:
        folded.issued_twice.append(f"void of {data['invoice']}")
    folded.voids[data["invoice"]] = told.booked_on
    for name, due_on, minor in _parts(told):
        told.item(folded, name, due_on).voided_minor += minor
        told.take_off(folded, name, _measure(told, "voided"), minor, due_on)


def _measure(told: Posting, usual: str) -> str:
    """Name the measure of what is billed or voided: charges are voided from their own."""
    return "charged" if told.fact.data.get("origin") in _CHARGES else usual


def _parts(told: Posting) -> Iterator[tuple[str, date, int]]:
    """Yield the items of a document: name, due date, minor units."""
    for part in told.fact.data["instalments"]:
        yield f"{told.fact.data['invoice']}|{part['n']}", date.fromisoformat(part["due_on"]), minor_of(part["amount"], told.currency)


def _credit_memo_issued(folded: Folded, told: Posting) -> None:
    data = told.fact.data
    _issue(folded, data["memo"], "credit_memo", told)
    memo = folded.memos[data["memo"]]
    memo.entity, memo.account, memo.currency = told.entity, data["account"], told.currency
    memo.total_minor += told.minor("total")
    told.post(folded, data["account"], "memo", told.minor("total"))


def _issue(folded: Folded, document: str, kind: str, told: Posting) -> None:
    if document in folded.documents:
        folded.issued_twice.append(document)
    data = told.fact.data
    folded.documents[document] = FoldedDocument(
        kind=kind,
        entity=told.entity,
        account=data["account"],
        currency=told.currency,
        total_minor=told.minor("total"),
        booked_on=told.fact.booked_on,
        origin=data.get("origin"),
        origin_id=data.get("origin_id"),
        customer=data.get("customer"),
        about=data.get("ref_invoice"),
        orders=frozenset(number.strip().casefold() for number in (data.get("references") or {}).values() if number),
    )


def _fell_due(folded: Folded, told: Posting) -> None:
    folded.fallen_due[told.fact.data["item"]].append(told.booked_on)


def _write_off_approved(folded: Folded, told: Posting) -> None:
    data = told.fact.data
    adjustment = folded.adjustments[data["request"]]
    adjustment.approvals += 1
    adjustment.item, adjustment.approved_minor = data["item"], told.minor()
    adjustment.requested_by, adjustment.approved_by = data["requested_by"], data.get("approved_by")


def _write_off_rejected(folded: Folded, told: Posting) -> None:
    folded.adjustments[told.fact.data["request"]].endings.append(told.fact.data["outcome"])


FOLDS: Final[Mapping[str, Folder]] = {
    "InvoiceIssued": _invoice_issued,
    "DebitMemoIssued": _debit_memo_issued,
    "CreditMemoIssued": _credit_memo_issued,
    "InvoiceVoided": _invoice_voided,
    "InstalmentFellDue": _fell_due,
    "WriteOffApproved": _write_off_approved,
    "WriteOffRejected": _write_off_rejected,
}
"""Facts of the invoice service that are folded."""
