"""What the services say at the end, and whether it is what the ledger says."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, get_args

import asyncpg
from money import parse_minor

from demo.counted import Counted, count
from demo.figures import BUCKETS, Figures, figures_at, moved_in, unidentified_at
from demo.interest import charged
from demo.ledger import Ledger, month_ends
from demo.oracle import Told, play
from demo.postings import Cause, Owner, Posting
from demo.services import Services

CAUSES: Final[tuple[Cause, ...]] = get_args(Cause)
_CHARGES_PAGE: Final = 200
_DIFFERENCES_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that the books and the ledger disagree about. `known_at` is None where everything known counts."""

    as_of: date
    known_at: date | None
    customer: str
    currency: str
    figure: str
    ledger_minor: int
    books_minor: int


@dataclass(frozen=True, slots=True)
class Checked:
    """
    The answers of reporting at the end of the ledger, the digest of the books, and where they differ from the ledger.

    `busiest` is the aging by customer of the compared day on which most customers had a balance. `moved` is, by currency, what came and
    went in all months, by its cause, and `late_charges` what was charged, both in minor units; so is `gained`, by rates. `counted` is what
    only few customers do.
    """

    aging: dict[str, Any]
    busiest: dict[str, Any]
    kpis: dict[str, Any]
    digest: str
    checked_on: list[date]
    differences: list[Difference]
    moved: dict[str, dict[str, int]]
    late_charges: dict[str, int]
    gained: dict[str, int]
    counted: list[Counted]

    @property
    def ties(self) -> bool:
        """Whether every figure of every customer is what the ledger says."""
        return not self.differences


async def check(ledger: Ledger, services: Services) -> Checked:
    """
    Compare the books with the ledger per customer and currency, at every month's end and at the end: as reported then and as restated now.

    :raises ServiceRefused: a service did not answer.
    """
    told = play(ledger)
    postings = told.postings
    ends_on, days = ledger.ends_on, list(month_ends(ledger.opens_on, ledger.ends_on))
    differences: list[Difference] = []
    busiest: dict[str, Any] = {"rows": []}
    for as_of in days:
        for known_at in (as_of, None):
            query = {"known_at": str(known_at)} if known_at else {}
            answer = await services.get("reporting", "/v1/aging", as_of=str(as_of), by="customer", **query)
            expected = figures_at(postings, as_of, known_at or date.max)
            differences += compare(expected, figures_of(answer), as_of, known_at)
            busiest = max(answer, busiest, key=lambda one: len(one["rows"]))  # Of equals the later one.
    moved, of_months = await check_months(postings, days, services)
    late_charges, of_charges = await check_late_charges(ledger, postings, services)
    gained, of_rates = await check_rates(ledger, told, services)
    items = await services.all_of("payment", "/v1/items", "items")
    counted = await count(ledger, told, items, services)
    kpis = await services.get("reporting", "/v1/kpis", as_of=str(ends_on))
    of_money = compare_unidentified(postings, kpis, ends_on)
    return Checked(
        aging=await services.get("reporting", "/v1/aging", as_of=str(ends_on)),
        busiest=busiest,
        kpis=kpis,
        digest=digest(items, await services.all_of("dunning", "/v1/notices", "notices")),
        checked_on=days,
        differences=[*differences, *of_money, *of_months, *of_charges, *of_rates, *compare_counted(counted, ends_on)],
        moved=moved,
        late_charges=late_charges,
        gained=gained,
        counted=counted,
    )


async def check_months(
    postings: Sequence[Posting], days: Sequence[date], services: Services
) -> tuple[dict[str, dict[str, int]], list[Difference]]:
    """Compare why open items came and went, month by month and currency by currency; return the sums of all months, too."""
    differences: list[Difference] = []
    sums: dict[str, dict[str, int]] = {}
    for day in days:
        answer = await services.get("reporting", "/v1/roll-forward", month=f"{day:%Y-%m}", known_at=str(days[-1]))
        found = {row["currency"]: {name: parse_minor(row[name], row["currency"]) for name in CAUSES} for row in answer["rows"]}
        expected = moved_in(postings, day, days[-1])
        for currency in sorted(expected.keys() | found.keys()):
            ledger, books = (side.get(currency, dict.fromkeys(CAUSES, 0)) for side in (expected, found))
            differences += [
                Difference(day, None, "", currency, name, ledger[name], books[name]) for name in CAUSES if ledger[name] != books[name]
            ]
            before = sums.get(currency, dict.fromkeys(CAUSES, 0))
            sums[currency] = {name: before[name] + books[name] for name in CAUSES}
    return sums, differences


async def check_late_charges(ledger: Ledger, postings: Sequence[Posting], services: Services) -> tuple[dict[str, int], list[Difference]]:
    """Compare what every invoice was charged for being late; return the sums by currency, too."""
    expected, found = charged(ledger, postings), defaultdict[tuple[Owner, str], int](int)
    for one in await services.all_of("invoice", "/v1/late-charges", "late_charges", _CHARGES_PAGE):
        found[(one["account"], one["currency"]), one["document_no"]] += parse_minor(one["amount"], one["currency"])
    sums: defaultdict[str, int] = defaultdict(int)
    for (_, currency), minor in ((owner, minor) for (owner, _), minor in found.items()):
        sums[currency] += minor
    return dict(sums), [
        Difference(ledger.ends_on, None, *owner, f"late charges of {document_no}", expected.get(key, 0), found.get(key, 0))
        for key in sorted(expected.keys() | found.keys())
        for owner, document_no in [key]
        if expected.get(key, 0) != found.get(key, 0)
    ]


async def check_rates(ledger: Ledger, told: Told, services: Services) -> tuple[dict[str, int], list[Difference]]:
    """Compare what was gained by rates, by customer and day; return the sum, too, in the currency of the books."""
    currency, span = ledger.house.currency, {"from": str(ledger.opens_on), "until": str(ledger.ends_on)}
    rows = await services.all_of("reporting", "/v1/exchange-differences", "rows", _DIFFERENCES_PAGE, **span)
    found = {(one["customer"], date.fromisoformat(one["on"])): parse_minor(one["realised"], currency) for one in rows}
    expected = defaultdict[tuple[str, date], int](int)
    for (owner, day), minor in told.gained.items():
        expected[owner[0], day] += minor if day <= ledger.ends_on else 0
    return {currency: sum(found.values())} if found else {}, [
        Difference(day, None, customer, currency, "gained by rates", expected.get(key, 0), found.get(key, 0))
        for key in sorted(expected.keys() | found.keys())
        for customer, day in [key]
        if expected.get(key, 0) != found.get(key, 0)
    ]


def figures_of(answer: Mapping[str, Any]) -> dict[Owner, Figures]:
    """Return the figures of an aging answer by customer."""
    found = {}
    for row in answer["rows"]:
        currency = row["currency"]
        figures = Figures(
            {name: parse_minor(row["buckets"][name], currency) for name in BUCKETS},
            parse_minor(row["unapplied"], currency),
            parse_minor(row["on_account"], currency),
        )
        found[row["customer"], currency] = figures
    return found


def compare(expected: Mapping[Owner, Figures], found: Mapping[Owner, Figures], as_of: date, known_at: date | None) -> list[Difference]:
    """Return every figure that is not the same on both sides; who is missing on a side has zeros there."""
    differences = []
    for owner in sorted(expected.keys() | found.keys()):
        ledger, books = expected.get(owner, Figures()).shown(), found.get(owner, Figures()).shown()
        differences += [
            Difference(as_of, known_at, *owner, name, ledger[name], books[name]) for name in ledger if ledger[name] != books[name]
        ]
    return differences


def compare_counted(counted: Sequence[Counted], as_of: date) -> list[Difference]:
    """Return every kind of case that did not come to the same on both sides."""
    return [
        Difference(as_of, None, "", currency, one.name, one.ledger.get(currency, 0), one.books.get(currency, 0))
        for one in counted
        for currency in sorted(one.ledger.keys() | one.books.keys())
        if one.ledger.get(currency, 0) != one.books.get(currency, 0)
    ]


def compare_unidentified(postings: Sequence[Posting], kpis: Mapping[str, Any], as_of: date) -> list[Difference]:
    """Do the same for money that belongs to nobody."""
    expected = unidentified_at(postings, as_of)
    found = {row["currency"]: parse_minor(row["unidentified"], row["currency"]) for row in kpis["rows"]}
    return [
        Difference(as_of, None, "", currency, "unidentified", expected.get(currency, 0), found.get(currency, 0))
        for currency in sorted(expected.keys() | found.keys())
        if expected.get(currency, 0) != found.get(currency, 0)
    ]


def digest(items: Sequence[Mapping[str, Any]], notices: Sequence[Mapping[str, Any]]) -> str:
    """
    Return the SHA-256 of the books in a canonical form, as hexadecimal digits.

    One line of JSON (UTF-8, no spaces, ended by a line feed) for every item, sorted by item:
    ["item", item, account, currency, due_on, total, open, booked_on], then one for every notice, sorted by notice:
    ["notice", notice, account, currency, noticed_on, level, total, [its items, sorted]].
    """
    lines: list[list[Any]] = [
        ["item", *(one[name] for name in ("item", "account", "currency", "due_on", "total", "open", "booked_on"))]
        for one in sorted(items, key=lambda one: one["item"])
    ]
    lines += [
        ["notice", *(one[name] for name in ("notice", "account", "currency", "noticed_on", "level", "total")), _sorted_items(one)]
        for one in sorted(notices, key=lambda one: one["notice"])
    ]
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    return hashlib.sha256(text.encode()).hexdigest()


def _sorted_items(notice: Mapping[str, Any]) -> list[str]:
    return sorted(json.dumps(item, ensure_ascii=False, sort_keys=True, separators=(",", ":")) for item in notice["items"])


async def latency_ms(reporting_dsn: str, sent_at: Mapping[str, float]) -> dict[str, int] | None:
    """
    Return median and 99th percentile, in milliseconds, from publishing an invoice until the read model had it; None without invoices.

    Read from the view chk.visible of reporting's database, which says when each item was folded.
    """
    connection = await asyncpg.connect(reporting_dsn)
    try:
        rows = await connection.fetch(
            "SELECT document, extract(epoch FROM min(folded_at))::float8 AS seen_at FROM chk.visible GROUP BY document"
        )
    finally:
        await connection.close()
    waited = sorted(row["seen_at"] - sent_at[row["document"]] for row in rows if row["document"] in sent_at)
    if not waited:
        return None
    return {name: round(1000 * waited[min(len(waited) - 1, len(waited) * percent // 100)]) for name, percent in (("p50", 50), ("p99", 99))}
