"""HTTP bodies of calendars and exchange rates."""

from datetime import date, timedelta

from events import erp
from pydantic import BaseModel, Field, StrictInt

from invoice.domain.calendars import Calendar
from invoice.domain.rates import SPOT
from invoice.queries.reference import Origin, PublishedCalendar, PublishedRate, RateFound
from invoice.schemas.values import Body, Day

_NEXT_DAY = timedelta(days=1)


class CalendarBody(Body):
    """The days of a year an entity does not work: single days, and ISO weekdays (1 is Monday)."""

    entity: str = Field(examples=["US01"])
    year: StrictInt = Field(examples=[2026])
    holidays: list[Day]
    weekend: list[StrictInt] = Field(default=[6, 7])

    def to_fact(self) -> erp.CalendarPublished:
        """Return what an ERP would have published."""
        return erp.CalendarPublished(entity=self.entity, year=self.year, holidays=self.holidays, weekend=self.weekend)


class RateBody(Body):
    """The rate of a currency for a day: units of the entity's currency for one unit of `currency`, as a decimal string."""

    entity: str = Field(examples=["US01"])
    currency: str = Field(examples=["EUR"])
    rate: str = Field(examples=["1.0842"])
    rate_on: Day
    type: str = SPOT

    def to_fact(self) -> erp.FxRatePublished:
        """Return what an ERP would have published."""
        return erp.FxRatePublished(entity=self.entity, currency=self.currency, rate=self.rate, rate_on=self.rate_on, type=self.type)


class ReferenceCauseOut(BaseModel):
    """The fact it came in: the `source` and `id` of its CloudEvent."""

    source: str
    id: str

    @classmethod
    def of(cls, origin: Origin) -> "ReferenceCauseOut | None":
        """Show where something came from; null when it was given over HTTP."""
        if origin.source is None or origin.source_id is None:
            return None
        return cls(source=origin.source, id=origin.source_id)


class PublishedCalendarOut(BaseModel):
    """A year as it was published on a booked day; it counts from the opening of `in_force_from`, until a later one does."""

    entity: str
    year: int
    holidays: list[date]
    weekend: list[int]
    booked_on: date
    in_force_from: date
    came_from: ReferenceCauseOut | None

    @classmethod
    def of(cls, published: PublishedCalendar) -> "PublishedCalendarOut":
        """Show a published year."""
        days, weekend = published.days
        origin = published.origin
        return cls(
            entity=origin.entity,
            year=published.year.year,
            holidays=days,
            weekend=weekend,
            booked_on=origin.booked_on,
            in_force_from=origin.booked_on + _NEXT_DAY,
            came_from=ReferenceCauseOut.of(origin),
        )


class CalendarOut(BaseModel):
    """
    A year of an entity's calendar as it is in force: what was `published` for it, else the `public` holidays of the entity's `code`.

    `none` is a code under which no public holidays are known: only weekends are not worked. `worked` are days of a weekend that are worked.
    `history` is what was published, the latest first; the first of it may count from the next opening only.
    """

    entity: str
    year: int
    code: str
    came_from: str
    holidays: list[date]
    weekend: list[int]
    worked: list[date]
    history: list[PublishedCalendarOut]

    @classmethod
    def of(cls, entity: str, year: int, calendar: Calendar, history: list[PublishedCalendar]) -> "CalendarOut":
        """Show what is in force of a year, and what was published for it."""
        off = calendar.year(year)
        return cls(
            entity=entity,
            year=year,
            code=calendar.code,
            came_from=calendar.origin_of(year),
            holidays=sorted(off.holidays),
            weekend=sorted(off.weekend),
            worked=sorted(off.worked),
            history=[PublishedCalendarOut.of(one) for one in history],
        )


class PublishedRateOut(BaseModel):
    """A rate as it was published on a booked day; it counts from the opening of `in_force_from`, until a later one for its day does."""

    entity: str
    currency: str
    rate: str
    rate_on: date
    type: str
    booked_on: date
    in_force_from: date
    came_from: ReferenceCauseOut | None

    @classmethod
    def of(cls, published: PublishedRate) -> "PublishedRateOut":
        """Show a published rate."""
        rate, origin = published.rate, published.origin
        return cls(
            entity=origin.entity,
            currency=rate.currency,
            rate=rate.rate,
            rate_on=rate.rate_on,
            type=rate.type,
            booked_on=origin.booked_on,
            in_force_from=origin.booked_on + _NEXT_DAY,
            came_from=ReferenceCauseOut.of(origin),
        )


class RatesOut(BaseModel):
    """A page of published rates, the latest day first, and of one day the one booked latest; `next_cursor` is null on the last page."""

    rates: list[PublishedRateOut]
    next_cursor: str | None


class RateOut(BaseModel):
    """The rate that counts for a day: the latest one published for that day or an earlier one, which is `rate_on`."""

    entity: str
    currency: str
    on: date
    rate: str
    rate_on: date
    type: str

    @classmethod
    def of(cls, entity: str, currency: str, on: date, found: RateFound) -> "RateOut":
        """Show a rate that was found for a day."""
        return cls(entity=entity, currency=currency, on=on, rate=found.rate, rate_on=found.rate_on, type=found.type)
