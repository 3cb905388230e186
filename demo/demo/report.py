"""What the demo says at the end: tables for people, JSON for machines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from money import format_minor, parse_minor
from rich.console import Console
from rich.table import Table

from demo.books import CAUSES, Checked, Difference
from demo.figures import BUCKETS
from demo.ledger import Invoice, Ledger
from demo.player import AHEAD_DAYS_MAX, Played

_DIFFERENCES_SHOWN_MAX: Final = 40
_MOVED: Final = {
    "invoiced": "invoiced",
    "fees and payments billed anew": "charged",
    "settled by money": "settled",
    "discounts earned": "discounted",
    "credited": "credited",
    "written off, net": "written_off",
    "voided": "voided",
    "taken back by banks": "reversed",
    "paid back": "refunded",
    "moved between customers": "transferred",
    "gained by rates": "gained",
    "late charges, memo-only": "late_charges",
}
"""Rows of the table, and the sums that stand in them."""


@dataclass(frozen=True, slots=True)
class Result:
    """All that is known at the end; `played` and `latency_ms` are None where books were only checked."""

    ledger: Ledger
    checked: Checked
    played: Played | None
    latency_ms: Mapping[str, int] | None

    @property
    def facts_per_s(self) -> int | None:
        """Facts of the ledger a second, from the first day's start until the last was complete."""
        return round(self.played.facts / self.played.seconds) if self.played else None


def for_machines(result: Result) -> dict[str, Any]:
    """Return the result as JSON knows it; amounts are decimal strings. `open_total` is null where there is more than one currency."""
    checked, played = result.checked, result.played
    names = ("open_total", "overdue", "unapplied", "on_account", "unidentified")
    totals = {row["currency"]: {name: row[name] for name in names} | _moved(checked, row["currency"]) for row in checked.kpis["rows"]}
    return {
        "ties": checked.ties,
        "entity": result.ledger.house.entity,
        "as_of": str(result.ledger.ends_on),
        "open_total": next(iter(totals.values()))["open_total"] if len(totals) == 1 else None,
        "totals": totals,
        "aging": checked.aging,
        "kpis": checked.kpis,
        "digest": checked.digest,
        "counted": [
            {
                "name": one.name,
                "told": one.told,
                "came_to": {currency: format_minor(minor, currency) for currency, minor in one.books.items()},
            }
            for one in checked.counted
        ],
        "facts": played.facts if played else None,
        "seconds": round(played.seconds, 2) if played else None,
        "facts_per_s": result.facts_per_s,
        "latency_ms": result.latency_ms,
        "checked_on": [str(day) for day in checked.checked_on],
        "differences": [
            {
                "as_of": str(one.as_of),
                "known_at": str(one.known_at) if one.known_at else None,
                "customer": one.customer,
                "currency": one.currency,
                "figure": one.figure,
                "ledger": format_minor(one.ledger_minor, one.currency),
                "books": format_minor(one.books_minor, one.currency),
            }
            for one in checked.differences
        ],
    }


def _moved(checked: Checked, currency: str) -> dict[str, str]:
    """Return what came and went in all months, by its cause, gained by rates and charged for lateness, as decimal strings."""
    moved = {**checked.moved.get(currency, dict.fromkeys(CAUSES, 0)), "gained": checked.gained.get(currency, 0)}
    moved |= {"late_charges": checked.late_charges.get(currency, 0)}
    return {name: format_minor(minor, currency) for name, minor in moved.items()}


def show(console: Console, result: Result, urls: Mapping[str, str]) -> None:
    """Print the end of a demo."""
    checked = result.checked
    console.print(_figures_table(result))
    if checked.counted:
        console.print(_counted_table(result))
    if result.played:
        _say(console, f"{result.played.facts} facts in {result.played.seconds:.1f} s: {result.facts_per_s} facts a second")
    if result.latency_ms:
        p50, p99 = result.latency_ms["p50"], result.latency_ms["p99"]
        _say(console, f"publish to visible in aging: p50 {p50} ms, p99 {p99} ms, at full speed, up to {AHEAD_DAYS_MAX} days ahead of it")
    _show_tie(console, checked)
    _say(console, f"digest of item balances and notices: {checked.digest}")
    _show_doors(console, result, urls)


def _figures_table(result: Result) -> Table:
    """One column a currency, so that it fits any terminal."""
    kpis, aging = result.checked.kpis, {row["currency"]: row for row in result.checked.aging["rows"]}
    table = Table(title=f"{result.ledger.house.entity} as of {result.ledger.ends_on}", title_justify="left")
    table.add_column("", no_wrap=True)
    rows = kpis["rows"]
    for row in rows:
        table.add_column(row["currency"], justify="right", no_wrap=True)
    for name in BUCKETS:
        said = "not due" if name == "current" else f"{name} days past due"
        table.add_row(said, *(grouped(aging[row["currency"]]["buckets"][name]) for row in rows))
    table.add_section()
    amounts = {
        "open": "open_total",
        "overdue": "overdue",
        "unapplied": "unapplied",
        "on-account": "on_account",
        "unidentified": "unidentified",
    }
    for said, name in amounts.items():
        table.add_row(said, *(grouped(row[name]) for row in rows))
    table.add_section()
    moved = [_moved(result.checked, row["currency"]) for row in rows]
    for said, name in _MOVED.items():
        table.add_row(said, *(grouped(one[name]) for one in moved))
    table.add_section()
    for said, name in {"DSO": "dso", "ADD": "average_days_delinquent"}.items():
        table.add_row(f"{said}, days (over {kpis['days']})", *(row[name] or "not defined" for row in rows))
    return table


def _counted_table(result: Result) -> Table:
    """What only few customers do: how many were told, and what they came to in the books."""
    currencies = [row["currency"] for row in result.checked.kpis["rows"]]
    table = Table(title="What few customers do, and what came of it", title_justify="left")
    table.add_column("", no_wrap=True)
    for name in ("told", *currencies):
        table.add_column(name, justify="right", no_wrap=True)
    for one in result.checked.counted:
        came_to = [grouped(format_minor(one.books.get(currency, 0), currency)) for currency in currencies]
        table.add_row(one.name, str(one.told), *came_to)
    return table


def _show_tie(console: Console, checked: Checked) -> None:
    said = f"ties to the ledger: {'yes' if checked.ties else 'no'}"
    console.print(said, style="bold green" if checked.ties else "bold red", highlight=False)
    if checked.ties:
        days = len(checked.checked_on)
        _say(console, f"computed from the CSV alone, to the cent, for every customer on {days} days, as reported then and as known now")
    else:
        console.print(_differences_table(checked.differences))


def _differences_table(differences: Sequence[Difference]) -> Table:
    table = Table(title=f"{len(differences)} figures differ, the first {_DIFFERENCES_SHOWN_MAX}:", title_justify="left")
    for name in ("as of", "known at", "customer", "currency", "figure"):
        table.add_column(name)
    for name in ("ledger", "books"):
        table.add_column(name, justify="right")
    for one in differences[:_DIFFERENCES_SHOWN_MAX]:
        amounts = (grouped(format_minor(minor, one.currency)) for minor in (one.ledger_minor, one.books_minor))
        table.add_row(str(one.as_of), str(one.known_at or "now"), one.customer or "(nobody)", one.currency, one.figure, *amounts)
    return table


def _show_doors(console: Console, result: Result, urls: Mapping[str, str]) -> None:
    """Print where to look, and three commands worth trying, with ids of this ledger and a day on which much was open."""
    entity, as_of = quote(result.ledger.house.entity), result.checked.busiest["as_of"]
    _say(console, "\nThe services go on running (`make down` stops them, `make up` keeps the books). Look at:")
    _say(console, f"  {urls['reporting']}/  the first page")
    for service, url in urls.items():
        _say(console, f"  {url}/openapi.json  the API of {service}")
    _say(console, "Worth trying:")
    asked = [f"{urls['reporting']}/v1/aging?entity={entity}&as_of={as_of}&by=customer&sort=-overdue&limit=5"]
    customer, invoice = _who_owes_most(result.checked.busiest), _an_invoice(result.ledger)
    if customer:
        asked.append(f"{urls['reporting']}/v1/customers/{quote(customer, safe='')}/balance?entity={entity}&as_of={as_of}")
    if invoice:
        asked.append(f"{urls['invoice']}/v1/invoices/{quote(invoice.document_no, safe='')}?entity={entity}")
    for url in asked:
        _say(console, f"  curl -s '{url}'")


def _who_owes_most(by_customer: Mapping[str, Any]) -> str | None:
    """Return the customer with the largest open amount of all currencies."""
    owing = [(parse_minor(row["open"], row["currency"]), row["customer"]) for row in by_customer["rows"]]
    return max(owing, default=(0, None))[1]


def _an_invoice(ledger: Ledger) -> Invoice | None:
    """Return the invoice issued last."""
    invoices = [entry for entry in ledger.entries if isinstance(entry, Invoice)]
    return max(invoices, key=lambda invoice: (invoice.issued_on, invoice.document_no), default=None)


def grouped(amount: str) -> str:
    """Write a decimal string for people: thousands apart by a comma."""
    whole, point, decimals = amount.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{point}{decimals}"


def _say(console: Console, line: str) -> None:
    """Print a line as it is, however wide the terminal."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)
