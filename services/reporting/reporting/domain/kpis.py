"""Key figures: how long money takes to come in (RPT-03)."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from money import round_half_up

from reporting.domain.aging import Standing

NO_SALES: Final = "not defined: no net credit sales in the window"
DEFINITIONS: Final[dict[str, str]] = {
    "open_total": "All open items, before unapplied money and credit on account.",
    "overdue": "Open items whose due date is before as_of.",
    "unapplied": "Money of known payers that is not applied and was not put on account.",
    "on_account": "Money left on account plus the open credit of credit memos.",
    "unidentified": "Money whose payer is not known.",
    "net_credit_sales": (
        "Invoices and debit memos less credit memos issued and less voids in the last `days` days up to and including as_of, by effective"
        " date. Late charges and fees are not sales; a void counts on its own date; what is written off or discounted is no less sold."
    ),
    "written_off": "Adjusted and written off in the last `days` days, less what was recovered or taken back in them.",
    "dso": "Days sales outstanding: open_total / net_credit_sales x days. One decimal, half up.",
    "best_possible_dso": "Open items not past due / net_credit_sales x days. One decimal, half up.",
    "average_days_delinquent": "DSO less best possible DSO, which is overdue / net_credit_sales x days. One decimal, half up.",
}
"""What each KPI means, printed beside it (RPT-03)."""


@dataclass(frozen=True, slots=True)
class Kpis:
    """
    The figures of one currency; the three day figures are tenths of a day, or None where there are no net credit sales to divide by.
    """

    standing: Standing
    net_credit_sales_minor: int
    written_off_minor: int
    dso_tenths: int | None
    best_possible_dso_tenths: int | None
    average_days_delinquent_tenths: int | None


def kpis(standing: Standing, net_credit_sales_minor: int, written_off_minor: int, days: int) -> Kpis:
    """
    Measure how long money takes to come in (RPT-03).

    Each figure is rounded from its exact fraction, so the delinquent days may differ from the difference of the printed two by 0.1.
    """
    return Kpis(
        standing,
        net_credit_sales_minor,
        written_off_minor,
        _tenths_of_days(standing.open_minor, net_credit_sales_minor, days),
        _tenths_of_days(standing.current_minor, net_credit_sales_minor, days),
        _tenths_of_days(standing.overdue_minor, net_credit_sales_minor, days),
    )


def _tenths_of_days(minor: int, sales_minor: int, days: int) -> int | None:
    return round_half_up(Fraction(10 * minor * days, sales_minor)) if sales_minor > 0 else None
