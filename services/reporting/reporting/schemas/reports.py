"""Reports: aging, roll-forward, key figures, balances and the items behind them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self, cast

from money import format_minor
from pydantic import BaseModel, Field
from typing_extensions import TypedDict  # Pydantic needs this one below Python 3.12.

from reporting.domain import BUCKETS, DEFINITIONS, NO_SALES, Kpis, RollForward, Standing, Valued, written_tenths
from reporting.queries.customers import Noticed, OpenItem

Buckets = TypedDict("Buckets", {"current": str, "1-30": str, "31-60": str, "61-90": str, "90+": str})
"""Open amounts by days past due; `current` is not past due."""


def _buckets(aged: Standing | Valued) -> Buckets:
    written = [format_minor(minor, aged.currency) for minor in aged.buckets_minor]
    return cast(Buckets, dict(zip(BUCKETS, written, strict=True)))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report speaks about, repeated in every answer. `known_at` is None when everything known counts."""

    entity: str
    as_of: date
    known_at: date | None
    complete_up_to: date | None


class ValuedOut(BaseModel):
    """Open items of a row in the entity's `currency`, revalued when the period ended on `as_of`; `of` is what was open of them then."""

    currency: str
    of: str
    buckets: Buckets
    open: str = Field(description="The sum of the buckets.")

    @classmethod
    def of_row(cls, valued: Valued, currency: str) -> Self:
        """Write what items in `currency` were worth."""
        return cls(
            currency=valued.currency,
            of=format_minor(valued.of_minor, currency),
            buckets=_buckets(valued),
            open=format_minor(valued.open_minor, valued.currency),
        )


class AgingRow(BaseModel):
    """One currency, or one customer in it."""

    currency: str
    customer: str | None = Field(default=None, description="Only with by=customer: the account the customer settles under.")
    buckets: Buckets
    open: str = Field(description="The sum of the buckets.")
    unapplied: str = Field(description=DEFINITIONS["unapplied"])
    on_account: str = Field(description=DEFINITIONS["on_account"])
    valued: ValuedOut | None = Field(
        default=None, description="Only in another currency than the entity's, and only where as_of is a period's end that was revalued."
    )

    @classmethod
    def of(cls, standing: Standing, *, by_customer: bool, valued: Valued | None = None) -> Self:
        named: dict[str, Any] = {"customer": standing.account} if by_customer else {}
        if valued is not None:
            named["valued"] = ValuedOut.of_row(valued, standing.currency)
        return cls(
            currency=standing.currency,
            **named,
            buckets=_buckets(standing),
            open=format_minor(standing.open_minor, standing.currency),
            unapplied=format_minor(standing.unapplied_minor, standing.currency),
            on_account=format_minor(standing.credit_minor, standing.currency),
        )


class AgingOut(BaseModel):
    """Open items by age for one entity, on two time axes."""

    entity: str
    as_of: date
    known_at: date | None = Field(description="null: everything known counts.")
    complete_up_to: date | None = Field(description="The last closed business day; figures for later days may still grow.")
    rows: list[AgingRow]

    @classmethod
    def of(cls, asked: Asked, rows: list[AgingRow]) -> Self:
        return cls(entity=asked.entity, as_of=asked.as_of, known_at=asked.known_at, complete_up_to=asked.complete_up_to, rows=rows)


class RollForwardRow(BaseModel):
    """
    closing = opening + invoiced + charged - credited - settled - discounted - written_off - voided, by effective date, net of reversals.
    """

    currency: str
    opening: str
    invoiced: str = Field(description="Invoices and debit memos, late charges and fees apart.")
    charged: str = Field(description="Late charges, fees of returned payments and such payments billed anew, less those voided.")
    credited: str = Field(description="Credit of memos applied to items.")
    settled: str = Field(description="Money applied to items.")
    discounted: str = Field(description="Discounts granted, less those revoked.")
    written_off: str = Field(description="Adjusted or written off, less what was recovered.")
    voided: str = Field(description="Invoices and debit memos that became worth nothing.")
    closing: str
    unapplied: str = Field(description="At the end of the month. " + DEFINITIONS["unapplied"])
    on_account: str = Field(description="At the end of the month. " + DEFINITIONS["on_account"])
    reversed: str = Field(description="Money that banks took back in the month.")
    refunded: str = Field(description="Money paid back to payers in the month.")
    transferred: str = Field(description="Money that went to other accounts in the month.")

    @classmethod
    def of(cls, row: RollForward) -> Self:
        return cls(
            currency=row.currency,
            opening=format_minor(row.opening_minor, row.currency),
            invoiced=format_minor(row.invoiced_minor, row.currency),
            charged=format_minor(row.charged_minor, row.currency),
            credited=format_minor(row.credited_minor, row.currency),
            settled=format_minor(row.settled_minor, row.currency),
            discounted=format_minor(row.discounted_minor, row.currency),
            written_off=format_minor(row.written_off_minor, row.currency),
            voided=format_minor(row.voided_minor, row.currency),
            closing=format_minor(row.closing_minor, row.currency),
            unapplied=format_minor(row.unapplied_minor, row.currency),
            on_account=format_minor(row.credit_minor, row.currency),
            reversed=format_minor(row.reversed_minor, row.currency),
            refunded=format_minor(row.refunded_minor, row.currency),
            transferred=format_minor(row.transferred_minor, row.currency),
        )


class RollForwardOut(BaseModel):
    """How open items came from the end of one month to the end of the next."""

    entity: str
    month: str
    known_at: date | None
    complete_up_to: date | None
    rows: list[RollForwardRow]


class KpiRow(BaseModel):
    """The figures of one currency; `definitions` beside the rows says what each means."""

    currency: str
    open_total: str
    overdue: str
    unapplied: str
    on_account: str
    unidentified: str
    net_credit_sales: str
    written_off: str
    dso: str | None
    best_possible_dso: str | None
    average_days_delinquent: str | None
    not_defined: dict[str, str] = Field(description="Why a figure is null, by its name.")

    @classmethod
    def of(cls, kpis: Kpis) -> Self:
        standing, currency = kpis.standing, kpis.standing.currency
        tenths = {
            "dso": kpis.dso_tenths,
            "best_possible_dso": kpis.best_possible_dso_tenths,
            "average_days_delinquent": kpis.average_days_delinquent_tenths,
        }
        return cls(
            currency=currency,
            open_total=format_minor(standing.open_minor, currency),
            overdue=format_minor(standing.overdue_minor, currency),
            unapplied=format_minor(standing.unapplied_minor, currency),
            on_account=format_minor(standing.credit_minor, currency),
            unidentified=format_minor(standing.unidentified_minor, currency),
            net_credit_sales=format_minor(kpis.net_credit_sales_minor, currency),
            written_off=format_minor(kpis.written_off_minor, currency),
            **{name: None if figure is None else written_tenths(figure) for name, figure in tenths.items()},
            not_defined={name: NO_SALES for name, figure in tenths.items() if figure is None},
        )


class KpisOut(BaseModel):
    """Key figures with their definitions."""

    entity: str
    as_of: date
    known_at: date | None
    complete_up_to: date | None
    days: int
    rows: list[KpiRow]
    definitions: dict[str, str] = DEFINITIONS


class BalanceRow(BaseModel):
    """What one customer owes in one currency."""

    currency: str
    buckets: Buckets
    open: str
    overdue: str = Field(description=DEFINITIONS["overdue"])
    unapplied: str = Field(description=DEFINITIONS["unapplied"])
    on_account: str = Field(description=DEFINITIONS["on_account"])
    balance: str = Field(description="open - unapplied - on_account")
    notices: int = Field(description="Dunning notices sent.")
    last_noticed_on: date | None
    last_notice_level: int | None

    @classmethod
    def of(cls, standing: Standing, noticed: Noticed | None) -> Self:
        return cls(
            currency=standing.currency,
            buckets=_buckets(standing),
            open=format_minor(standing.open_minor, standing.currency),
            overdue=format_minor(standing.overdue_minor, standing.currency),
            unapplied=format_minor(standing.unapplied_minor, standing.currency),
            on_account=format_minor(standing.credit_minor, standing.currency),
            balance=format_minor(standing.balance_minor, standing.currency),
            notices=noticed.notices if noticed else 0,
            last_noticed_on=noticed.last_noticed_on if noticed else None,
            last_notice_level=noticed.last_level if noticed else None,
        )


class BalanceOut(BaseModel):
    """One customer's balance in every currency it has had."""

    entity: str
    customer: str
    as_of: date
    known_at: date | None
    complete_up_to: date | None
    rows: list[BalanceRow]

    @classmethod
    def of(cls, asked: Asked, customer: str, standings: list[Standing], noticed: Mapping[str, Noticed]) -> Self:
        return cls(
            entity=asked.entity,
            customer=customer,
            as_of=asked.as_of,
            known_at=asked.known_at,
            complete_up_to=asked.complete_up_to,
            rows=[BalanceRow.of(standing, noticed.get(standing.currency)) for standing in standings],
        )


class ItemRow(BaseModel):
    """One open item as it stands now."""

    item: str
    customer: str
    currency: str
    issued_on: date | None
    due_on: date
    total: str
    open: str

    @classmethod
    def of(cls, item: OpenItem) -> Self:
        return cls(
            item=item.item,
            customer=item.customer,
            currency=item.currency,
            issued_on=item.issued_on,
            due_on=item.due_on,
            total=format_minor(item.total_minor, item.currency),
            open=format_minor(item.open_minor, item.currency),
        )


class ItemsOut(BaseModel):
    """Open items behind a balance, over everything folded; `next_cursor` is null on the last page."""

    entity: str
    customer: str
    complete_up_to: date | None
    items: list[ItemRow]
    next_cursor: str | None


def grouped(amount: str) -> str:
    """Write a decimal string for people: thousands apart by a comma, as in "-1,234,567.00"."""
    whole, point, decimals = amount.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{point}{decimals}"
