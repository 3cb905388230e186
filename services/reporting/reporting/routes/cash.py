"""Cash application as the first page shows it: how money found its items, what was found about it, and what left."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from chassis.database import Connection
from money import format_minor

from reporting.domain import CASH_DEFINITIONS, MatchQuality, RollForward, match_quality, written_tenths
from reporting.queries import exchange, figures, findings, matching
from reporting.queries.findings import OpenFindings
from reporting.schemas.reports import Asked

_NOTHING: Final = "–"
_KINDS: Final = {"short_payment": "Short payments", "unearned_discount": "Unearned discounts", "overpayment": "Overpayments"}


class Line(NamedTuple):
    """One row: what it is and means, how many or how much of a hundred, and an amount; each empty where there is none."""

    label: str
    meaning: str
    number: str = ""
    amount: str = ""


class Cash(NamedTuple):
    """The rows of one currency. A part without rows has nothing to tell, and the page says so in words."""

    matching: list[Line]
    findings: list[Line]
    left: list[Line]


NO_CASH: Final = Cash([], [], [])


class Gained(NamedTuple):
    """Exchange differences in the entity's currency, gain less loss."""

    currency: str
    realised: str
    unrealised: str


async def cash_application(db: Connection, asked: Asked, days: int) -> dict[str, Cash]:
    """Return by currency what came of money in so many days up to the day asked about; a currency without any is left out."""
    first = asked.as_of - timedelta(days=days - 1)
    matched = {one.currency: one for one in await matching.matched(db, asked.entity, first, asked.as_of, asked.as_of)}
    moved = {one.currency: one for one in await figures.roll_forward(db, asked.entity, first, asked.as_of, asked.known_at)}
    found: dict[str, list[OpenFindings]] = defaultdict(list)
    for one in await findings.still_open(db, asked.entity, first, asked.as_of):
        found[one.currency].append(one)
    return {
        currency: Cash(
            _matching(match_quality(matched[currency])) if currency in matched else [],
            _findings({one.kind: one for one in found[currency]}, currency) if found[currency] else [],
            _left(moved[currency]) if currency in moved else [],
        )
        for currency in matched.keys() | moved.keys() | found.keys()
    }


async def gained_by_rates(db: Connection, asked: Asked, days: int) -> list[Gained]:
    """Return the exchange differences of so many days up to the day asked about, by currency of the entity; none where there were none."""
    first = asked.as_of - timedelta(days=days - 1)
    return [
        Gained(currency, format_minor(realised_minor, currency), format_minor(unrealised_minor, currency))
        for currency, realised_minor, unrealised_minor in await exchange.totals(
            db, asked.entity, first, asked.as_of, asked.known_at, account=None
        )
    ]


def _matching(quality: MatchQuality) -> list[Line]:
    """Write what became of receipts and suggestions; of these nothing more where there were none."""
    one = quality.matched
    lines = [
        _line("Received", "received", one.currency, str(one.receipts), one.received_minor),
        _line("Applied without a person", "without_a_person", one.currency, _percent(quality.auto_applied_tenths), one.automatic_minor),
        _line("Applied by a person", "by_a_person", one.currency, "", one.by_person_minor),
        Line("Suggested", CASH_DEFINITIONS["suggested"], str(one.suggestions or "none")),
    ]
    if one.suggestions:
        lines += [
            Line("Accepted", CASH_DEFINITIONS["accepted"], f"{one.accepted} ({_percent(quality.suggested_accepted_tenths)})"),
            Line("Refused", CASH_DEFINITIONS["refused"], str(one.rejected)),
        ]
    age = "" if quality.unapplied_age_tenths is None else f"{written_tenths(quality.unapplied_age_tenths)} days old"
    return [*lines, _line("Waiting for its items", "waiting", one.currency, age, one.free_minor)]


def _findings(found: Mapping[str, OpenFindings], currency: str) -> list[Line]:
    nothing = OpenFindings(currency, "", 0, 0)
    each = [(label, kind, found.get(kind, nothing)) for kind, label in _KINDS.items()]
    return [_line(label, kind, currency, str(one.count), one.minor) for label, kind, one in each]


def _left(moved: RollForward) -> list[Line]:
    currency = moved.currency
    if not any((moved.discounted_minor, moved.reversed_minor, moved.refunded_minor, moved.transferred_minor)):
        return []
    return [
        _line("Discounts granted", "discounts_granted", currency, "", moved.discounted_minor),
        _line("Taken back by banks", "taken_back", currency, "", moved.reversed_minor),
        _line("Paid back to payers", "paid_back", currency, "", moved.refunded_minor),
        _line("Transferred between accounts", "transferred", currency, "", moved.transferred_minor),
    ]


def _line(label: str, name: str, currency: str, count: str, minor: int) -> Line:
    return Line(label, CASH_DEFINITIONS[name], count, format_minor(minor, currency))


def _percent(tenths: int | None) -> str:
    return _NOTHING if tenths is None else f"{written_tenths(tenths)} %"
