"""
Taking something off an item that nobody paid: what may be asked, which part of it is tax, and what became of it (INV-08). Pure.

requested (`pending`) → approved → posted → recovered, or rejected, expired, withdrawn. Approval is ours to give; how much was posted and
recovered is what the settlement ledger says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final, Literal, NamedTuple, TypeAlias

from money import round_half_up

from invoice.domain.approvals import ADJUSTMENT_KINDS, AdjustmentKind
from invoice.domain.faults import Fault, as_code, read_amount

Status: TypeAlias = Literal["pending", "approved", "posted", "recovered", "rejected", "expired", "withdrawn"]

STATUSES: Final[tuple[Status, ...]] = ("pending", "approved", "posted", "recovered", "rejected", "expired", "withdrawn")

_KINDS: Final[Mapping[str, AdjustmentKind]] = {kind: kind for kind in ADJUSTMENT_KINDS}


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asks to take off an item: `amount` is text and left out for all that is open, `n` left out where there is one item."""

    entity: str
    document_no: str
    kind: str
    reason: str
    n: int | None = None
    amount: str | None = None


class AskedBefore(NamedTuple):
    """An earlier request for an item, in minor units: `approved_minor` is zero until it is approved, `by_policy` where nobody decided."""

    n: int
    is_pending: bool
    asked_minor: int
    approved_minor: int
    posted_minor: int
    by_policy: bool
    decided_on: date | None


@dataclass(frozen=True, slots=True)
class OpenItem:
    """
    An item as it stands, in minor units: `open_minor` by the settlement ledger, of which `reserved_minor` is asked for or approved already.

    `tolerated_minor` is what was taken off it by policy alone, `asked_times` how often something was asked for.
    """

    n: int
    open_minor: int
    reserved_minor: int
    tolerated_minor: int
    asked_times: int

    @property
    def free_minor(self) -> int:
        return max(self.open_minor - self.reserved_minor, 0)


@dataclass(frozen=True, slots=True)
class AdjustableDocument:
    """The document an adjustment is about; `adjusted_minor` is what was approved of all its items, and the base of the next tax part."""

    row_id: int
    entity: str
    document_no: str
    customer: str
    account: str
    currency: str
    is_voided: bool
    total_minor: int
    tax_minor: int
    adjusted_minor: int
    items: tuple[OpenItem, ...]

    def tax_of(self, amount_minor: int) -> int:
        """Return the part of the next amount to be approved that is tax."""
        return tax_part(self.tax_minor, self.total_minor, self.adjusted_minor, amount_minor)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An adjustment that may be asked for: how much of which item, in minor units."""

    item: OpenItem
    kind: AdjustmentKind
    reason: str
    amount_minor: int


class Standing(NamedTuple):
    """What stands of an adjustment in the books, in minor units, and the part of it that is tax."""

    minor: int
    tax_minor: int

    def plus(self, minor: int, tax_minor: int) -> "Standing":
        """Return what stands with so much more."""
        return Standing(self.minor + minor, self.tax_minor + tax_minor)


def open_item(n: int, open_minor: int, earlier: Sequence[AskedBefore], posting_since: date) -> OpenItem:
    """
    Return an item as it stands after what was asked for `earlier` of it or its siblings.

    What waits for a decision is reserved, and so is what was approved on or after `posting_since` and not posted yet: the ledger posts an
    approval on the day it is booked on or not at all.
    """
    own = [one for one in earlier if one.n == n]
    pending_minor = sum(one.asked_minor for one in own if one.is_pending)
    coming = [one for one in own if one.decided_on is not None and one.decided_on >= posting_since]
    return OpenItem(
        n=n,
        open_minor=open_minor,
        reserved_minor=pending_minor + sum(max(one.approved_minor - one.posted_minor, 0) for one in coming),
        tolerated_minor=sum(one.approved_minor for one in own if one.by_policy),
        asked_times=len(own),
    )


def adjustment_id(entity: str, document_no: str, n: int, number: int) -> str:
    """The id of the `number`th adjustment asked for of an item, from 1."""
    return f"{entity}|adj|{document_no}|{n}|{number}"


def examine_ask(ask: Ask, document: AdjustableDocument | None) -> Wanted | list[Fault]:
    """Say what is asked for, or every reason why it cannot be: about the words alone where there is no such document."""
    kind = _KINDS.get(ask.kind)
    faults = [] if kind is not None else [Fault("KIND_UNKNOWN", "kind")]
    if as_code(ask.reason) is None:
        faults.append(Fault("REASON_INVALID", "reason"))
    if document is None or not document.items:
        return [*faults, Fault("ITEM_UNKNOWN", "document_no")]
    if document.is_voided:
        faults.append(Fault("ITEM_VOIDED", "document_no"))
    item = _item(ask, document, faults)
    amount_minor = None if ask.amount is None else read_wanted(ask.amount, document.currency, faults)
    if item is not None and not document.is_voided:
        if not item.free_minor:
            faults.append(Fault("NOTHING_OPEN", "document_no"))
        elif ask.amount is None:
            amount_minor = item.free_minor
        elif amount_minor is not None and amount_minor > item.free_minor:
            faults.append(Fault("AMOUNT_ABOVE_OPEN", "amount"))
    if faults or kind is None or item is None or amount_minor is None:
        return faults
    return Wanted(item, kind, ask.reason, amount_minor)


def _item(ask: Ask, document: AdjustableDocument, faults: list[Fault]) -> OpenItem | None:
    if ask.n is None and len(document.items) > 1:
        faults.append(Fault("INSTALMENT_MISSING", "n"))
        return None
    found = next((item for item in document.items if ask.n in (None, item.n)), None)
    if found is None:
        faults.append(Fault("ITEM_UNKNOWN", "n"))
    return found


def read_wanted(text: str, currency: str, faults: list[Fault]) -> int | None:
    """Read an amount to take off, in minor units above zero; None beside a fault."""
    minor = read_amount(text, currency, "amount", faults)
    if minor is not None and minor <= 0:
        faults.append(Fault("AMOUNT_NOT_POSITIVE", "amount"))
        return None
    return minor


def tax_part(tax_minor: int, total_minor: int, before_minor: int, amount_minor: int) -> int:
    """
    Return the tax in an amount taken off a document after `before_minor` was: its share in the document's proportion, rounded half up.

    Computed on running sums, so that the parts of a document written off piece by piece sum to its tax: the last takes the rest (A7).
    """
    if not total_minor:
        return 0
    through = round_half_up(Fraction(tax_minor * (before_minor + amount_minor), total_minor))
    return through - round_half_up(Fraction(tax_minor * before_minor, total_minor))


def status_of(decided: Status, posted: Standing, recovered: Standing) -> Status:
    """Return the status of a request that was `decided` so, by what the ledger has posted and recovered since, net."""
    if decided not in ("approved", "posted", "recovered"):
        return decided
    if recovered.minor > 0:
        return "recovered"
    return "posted" if posted.minor > 0 else "approved"


def gross_and_recovered(approved: Standing, posted: Standing, taken_back: Standing) -> tuple[Standing, Standing]:
    """
    Return what was written off in all, whatever came in later, and what came in later (A7: 480.00 stays 480.00).

    `posted` less `taken_back` is what stands. A recovery that is itself undone is posted once more, so whatever was posted beyond what was
    approved was never more written off: it is a recovery less.
    """
    gross = Standing(min(posted.minor, approved.minor), min(posted.tax_minor, approved.tax_minor, key=abs))
    return gross, Standing(gross.minor - (posted.minor - taken_back.minor), gross.tax_minor - (posted.tax_minor - taken_back.tax_minor))
