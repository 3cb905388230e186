"""Exchange differences in the entity's currency."""

from datetime import date
from typing import Self

from money import format_minor
from pydantic import BaseModel, Field

from reporting.queries.exchange import Difference


class DifferenceRow(BaseModel):
    """What one account gained, below zero lost, as of one day."""

    on: date
    customer: str = Field(description="The account the customer settles under.")
    currency: str
    realised: str = Field(description="By settlement: what the money was worth less what the items were carried at.")
    unrealised: str = Field(
        description="At a period's end: what open items were worth less what they were carried at; taken back on the next day."
    )

    @classmethod
    def of(cls, one: Difference) -> Self:
        """Write the differences of an account and a day."""
        return cls(
            on=one.effective_on,
            customer=one.account,
            currency=one.currency,
            realised=format_minor(one.realised_minor, one.currency),
            unrealised=format_minor(one.unrealised_minor, one.currency),
        )


class DifferenceTotal(BaseModel):
    """What all accounts asked about gained, below zero lost, from `from` through `until`."""

    currency: str
    realised: str
    unrealised: str

    @classmethod
    def of(cls, currency: str, realised_minor: int, unrealised_minor: int) -> Self:
        """Write a total."""
        return cls(currency=currency, realised=format_minor(realised_minor, currency), unrealised=format_minor(unrealised_minor, currency))


class DifferencesOut(BaseModel):
    """Exchange differences by day and account; `totals` are of all pages, `next_cursor` is null on the last one."""

    entity: str
    from_on: date = Field(serialization_alias="from")
    until: date
    known_at: date | None = Field(description="null: everything known counts.")
    complete_up_to: date | None
    totals: list[DifferenceTotal]
    rows: list[DifferenceRow]
    next_cursor: str | None
