"""
The tie-out (XC-10): what the file says beside what the books say, per currency.

Two comparisons. The *control total*: the net of all documents on the cut-over day. The *aging*: open items by days past due on one day, as
`GET /v1/aging` has it. In an entity whose books hold nothing but these documents both must be the file's figures; where other documents are
in the books, what this run has added to the figures must be what it has told.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from money import parse_minor

from demo.figures import BUCKETS, Figures, bucket
from demo.migration.answers import Issued
from demo.migration.documents import Document, Sheet
from demo.migration.load import Outcome

Standing = Mapping[str, Figures]
"""Figures by currency."""


@dataclass(frozen=True, slots=True)
class Books:
    """What reporting says on the cut-over day and on the day of the aging."""

    at_cut_over: Standing
    aged: Standing


@dataclass(frozen=True, slots=True)
class Control:
    """
    One currency. All in minor units; `file`, the sum of every readable amount, `refused` of it, and `rounding` are exact.

    `books` is the net that reporting says, `beside` what of it is not of this file.
    """

    currency: str
    file: Fraction
    refused: Fraction
    rounding: Fraction
    there: int
    accepted: int
    books: int
    beside: int

    @property
    def difference(self) -> int:
        """What the books have more than they should."""
        return self.books - self.beside - self.there - self.accepted

    @property
    def agrees(self) -> bool:
        """Whether all that the file says is in the books."""
        return not self.difference and not self.refused


@dataclass(frozen=True, slots=True)
class Aged:
    """One currency of the aging: figures of the file with the number of items by bucket, and figures of the books."""

    currency: str
    file: Figures
    items: Mapping[str, int]
    books: Figures

    @property
    def agrees(self) -> bool:
        """
        Whether the books say the same.

        Where a policy has applied credit to items, both are less by the same amount, and no bucket is more.
        """
        if self.file.shown() == self.books.shown():
            return True
        credit_used = self.file.on_account - self.books.on_account - self.books.unapplied
        less = all(self.books.buckets[name] <= self.file.buckets[name] for name in BUCKETS)
        return credit_used > 0 and less and self.file.open - self.books.open == credit_used


@dataclass(frozen=True, slots=True)
class TieOut:
    """The whole comparison. `complete`: no row was refused; `alone`: the books hold nothing but these documents."""

    controls: Sequence[Control]
    aging: Sequence[Aged]
    complete: bool
    alone: bool

    @property
    def ties(self) -> bool:
        """Whether every row is in the books and every figure agrees."""
        controls, aging = (control.agrees for control in self.controls), (aged.agrees for aged in self.aging)
        return self.complete and all(controls) and all(aging)


def tie_out(sheet: Sheet, outcome: Outcome, issued: Mapping[str, Issued], before: Books, after: Books, *, as_of: date) -> TieOut:
    """
    Compare what was read with what the books say.

    :param issued: every document in the books of the entity, by number.
    :param before: the books before this run, `after`: the books now.
    """
    alone = issued.keys() <= {document.number for document in outcome.in_books}
    told = outcome.in_books if alone else outcome.accepted
    expected, items = figures_of_file(told, issued, as_of)
    grown = after.aged if alone else _less(after.aged, before.aged)
    return TieOut(
        [_control(currency, sheet, outcome, before, after, alone=alone) for currency in sheet.currencies],
        [
            Aged(currency, expected.get(currency, Figures()), items.get(currency, {}), grown.get(currency, Figures()))
            for currency in sorted(expected.keys() | {currency for currency, figures in grown.items() if figures})
        ],
        complete=not (sheet.refused or outcome.refused),
        alone=alone,
    )


def _control(currency: str, sheet: Sheet, outcome: Outcome, before: Books, after: Books, *, alone: bool) -> Control:
    there, accepted = _sum(outcome.there, currency), _sum(outcome.accepted, currency)
    refused = sheet.refused_exact[currency] + sum(document.exact for document, _ in outcome.refused if document.fact.currency == currency)
    file = sheet.exact[currency] + sheet.refused_exact[currency]
    return Control(
        currency,
        file=file,
        refused=refused,
        rounding=there + accepted - (file - refused),
        there=there,
        accepted=accepted,
        books=net(after.at_cut_over.get(currency, Figures())),
        beside=0 if alone else net(before.at_cut_over.get(currency, Figures())) - there,
    )


def _sum(documents: Iterable[Document], currency: str) -> int:
    return sum(document.minor for document in documents if document.fact.currency == currency)


def net(figures: Figures) -> int:
    """What is owed less what is held: the same whether credit has been applied or not."""
    return figures.open - figures.unapplied - figures.on_account


def figures_of_file(
    documents: Iterable[Document], issued: Mapping[str, Issued], as_of: date
) -> tuple[dict[str, Figures], dict[str, Counter[str]]]:
    """
    Age documents that were issued by a day: figures and numbers of items by currency.

    An item is due when its row says so; where terms say when, the service's instalments are taken.
    """
    figures: dict[str, Figures] = {}
    items: dict[str, Counter[str]] = {}
    for document in documents:
        currency = document.fact.currency
        if document.fact.issued_on > as_of:
            continue
        found = figures.setdefault(currency, Figures())
        counted = items.setdefault(currency, Counter())
        if document.minor < 0:
            found.on_account -= document.minor
            continue
        due = [(document.due_on, document.minor)] if document.due_on else issued[document.number].due
        for due_on, minor in due:
            found.buckets[bucket(due_on, as_of)] += minor
            counted[bucket(due_on, as_of)] += 1
    return figures, items


def standing_of(answer: Mapping[str, Any]) -> dict[str, Figures]:
    """Return the figures of an answer of `GET /v1/aging`, by currency."""
    return {
        row["currency"]: Figures(
            {name: parse_minor(row["buckets"][name], row["currency"]) for name in BUCKETS},
            parse_minor(row["unapplied"], row["currency"]),
            parse_minor(row["on_account"], row["currency"]),
        )
        for row in answer["rows"]
    }


def _less(one: Standing, other: Standing) -> dict[str, Figures]:
    """Subtract figures by currency."""
    left = {}
    for currency in one.keys() | other.keys():
        more, less = one.get(currency, Figures()), other.get(currency, Figures())
        buckets = {name: more.buckets[name] - less.buckets[name] for name in BUCKETS}
        left[currency] = Figures(buckets, more.unapplied - less.unapplied, more.on_account - less.on_account)
    return left
