"""M6, E5: whatever is told of the settlement ledger elsewhere is what stands in it, and what the log says of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from torture.check.books import DunnedItem, Exposure, Item, Memo, Notice, ReportedItem, ReportedNotice
from torture.check.evidence import Evidence
from torture.check.finding import Finding, Harm
from torture.check.folded import OPEN, FoldedItem
from torture.check.ledger_rows import Application, LedgerItem, LedgerMemo, Receipt

_DOCUMENT_PARTS: Final = ("total", "settled", "credited", "adjusted", "discounted")
"""What the invoice service keeps of an item, which is worth nothing once it is void; what was let go is among what was adjusted."""
_LEDGER_PARTS: Final = (*_DOCUMENT_PARTS, "allowed", "voided")


def m6_copies_of_items_agree(evidence: Evidence) -> Iterator[Finding]:
    """M6: what is open of every item is the same in the ledger, in invoice, dunning and reporting, and in the log; so is whose it is."""
    books, folded = evidence.books, evidence.folded
    told = {name: (one.entity, one.account, one.currency, one.open_minor) for name, one in folded.items.items()}
    copies: Mapping[str, Sequence[LedgerItem | Item | DunnedItem | ReportedItem]] = {
        "payment": books.rows("payment", LedgerItem),
        "invoice": books.rows("invoice", Item),
        "dunning": books.rows("dunning", DunnedItem),
        "reporting": books.rows("reporting", ReportedItem),
    }
    for service, rows in copies.items():
        said = {one.item: (one.entity, one.account, one.currency, one.open_minor) for one in rows}
        yield from _twice("M6", service, [one.item for one in rows])
        for name in sorted(said.keys() | told.keys()):
            if said.get(name) != told.get(name):
                yield Finding("M6", f"{service} {name}", f"{said.get(name)}, the log says {told.get(name)}")
    for ledger_item in books.rows("payment", LedgerItem):
        if (one := folded.items.get(ledger_item.item)) is not None:
            yield from _parts_differ("payment", ledger_item, one, _LEDGER_PARTS)
    for item in books.rows("invoice", Item):
        if (one := folded.items.get(item.item)) is not None:
            documented = replace(one, total_minor=one.total_minor - one.voided_minor, adjusted_minor=one.adjusted_minor + one.let_go_minor)
            yield from _parts_differ("invoice", item, documented, _DOCUMENT_PARTS)


def _parts_differ(service: str, row: LedgerItem | Item, told: FoldedItem, parts: Sequence[str]) -> Iterator[Finding]:
    said, should = ([getattr(one, f"{part}_minor") for part in parts] for one in (row, told))
    if said != should:
        yield Finding("M6", f"{service} {row.item}", f"{', '.join(parts)} are {said}, the log says {should}")


def m6_copies_of_memos_agree(evidence: Evidence) -> Iterator[Finding]:
    """M6: so is what is left of every memo, in the ledger and in invoice."""
    told = {
        name: (one.entity, one.account, one.currency, one.total_minor, one.total_minor - one.applied_minor)
        for name, one in evidence.folded.memos.items()
    }
    copies: Mapping[str, Sequence[LedgerMemo | Memo]] = {
        "payment": evidence.books.rows("payment", LedgerMemo),
        "invoice": evidence.books.rows("invoice", Memo),
    }
    for service, rows in copies.items():
        said = {one.memo: (one.entity, one.account, one.currency, one.total_minor, one.remaining_minor) for one in rows}
        for name in sorted(said.keys() | told.keys()):
            if said.get(name) != told.get(name):
                yield Finding("M6", f"{service} {name}", f"{said.get(name)}, the log says {told.get(name)}")


def m6_exposures_agree(evidence: Evidence) -> Iterator[Finding]:
    """M6: credit's exposure has the components of the ledger, and the limit that was set last."""
    folded = evidence.folded
    parts = [folded.sums(*OPEN), folded.sums("on_account"), folded.sums("memo")]
    rows = {(one.entity, one.account, one.currency): one for one in evidence.books.rows("credit", Exposure)}
    for owner in sorted(set(rows).union(*parts)):
        told = [part.get(owner, 0) for part in parts]
        row = rows.get(owner)
        said = [row.open_minor, row.on_account_minor, row.memo_minor] if row else [0, 0, 0]
        if said != told:
            yield Finding("M6", f"credit {'|'.join(owner)}", f"open, on account, memo credit are {said}, the log says {told}")
        if row and row.exposure_minor != row.open_minor - row.on_account_minor - row.memo_minor:
            yield Finding("M6", f"credit {'|'.join(owner)}", f"the exposure {row.exposure_minor} is not the sum of its parts")
    for owner in sorted(rows.keys() | folded.limits.keys()):
        limit = rows[owner].limit_minor if owner in rows else None
        if limit != folded.limits.get(owner):
            yield Finding("M6", f"credit {'|'.join(owner)}", f"the limit is {limit}, the log says {folded.limits.get(owner)}")


def m6_copies_of_notices_agree(evidence: Evidence) -> Iterator[Finding]:
    """M6: the notices of dunning and of reporting are those of the log."""
    books = evidence.books
    told = {name: (one.entity, one.account, one.currency, one.noticed_on, one.level) for name, one in evidence.folded.notices.items()}
    copies: Mapping[str, Sequence[Notice | ReportedNotice]] = {
        "dunning": books.rows("dunning", Notice),
        "reporting": books.rows("reporting", ReportedNotice),
    }
    for service, rows in copies.items():
        said = {one.notice: (one.entity, one.account, one.currency, one.noticed_on, one.level) for one in rows}
        for name in sorted(said.keys() | told.keys()):
            if said.get(name) != told.get(name):
                what = f"{said.get(name)}, the log says {told.get(name)}"
                yield Finding("M6", f"{service} notice {name}", what, _harm(name in said, name in told))


def e5_the_ledger_is_its_facts(evidence: Evidence) -> Iterator[Finding]:
    """E5: every receipt and application of the ledger is what the published facts add up to, once each."""
    folded = evidence.folded
    receipts = evidence.books.rows("payment", Receipt)
    yield from _twice("E5", "payment", [one.receipt for one in receipts])
    said = {one.receipt: _disposition(one) for one in receipts}
    told = {name: _disposition(one) for name, one in folded.receipts.items()}
    for name in sorted(said.keys() | told.keys()):
        if said.get(name) != told.get(name):
            yield Finding("E5", f"payment {name}", f"{said.get(name)}, the log says {told.get(name)}", _harm(name in said, name in told))
    applications = evidence.books.rows("payment", Application)
    yield from _twice("E5", "payment", [f"{one.application} {one.source} {one.item}" for one in applications])
    stands = {(one.application, one.source, one.item): (one.amount_minor, one.reversed_minor) for one in applications}
    facts = {name: (one.amount_minor, one.reversed_minor) for name, one in folded.applications.items()}
    for place in sorted(stands.keys() | facts.keys()):
        if stands.get(place) != facts.get(place):
            harm = _harm(place in stands, place in facts)
            yield Finding("E5", " ".join(place), f"stands at, taken back {stands.get(place)}, the log says {facts.get(place)}", harm)


def _disposition(one: object) -> tuple[object, ...]:
    dispositions = ("amount", "unidentified", "unapplied", "on_account", "applied", "refunded", "returned", "transferred")
    names = ("entity", "account", "currency", *(f"{disposition}_minor" for disposition in dispositions))
    return tuple(getattr(one, name) for name in names)


def _harm(in_books: bool, in_log: bool) -> Harm:
    """An effect without a fact was made twice or by nobody; a fact without an effect is lost."""
    return Harm.NONE if in_books == in_log else Harm.DOUBLE if in_books else Harm.LOST


def _twice(invariant: str, service: str, names: Sequence[str]) -> Iterator[Finding]:
    for name, times in Counter(names).items():
        if times > 1:
            yield Finding(invariant, f"{service} {name}", f"stands there {times} times", Harm.DOUBLE)
