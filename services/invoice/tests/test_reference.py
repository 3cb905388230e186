"""Calendars and exchange rates from outside: which of them counts, from when, whatever order they come in (XC-06, INV-13)."""

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import httpx
import msgspec
import pytest
from chassis.record import Record
from events import erp
from events.envelope import Envelope, to_headers
from events.fact import Event, kind_of
from events.invoice import DocumentRejected, Reason
from invoice.app import SERVICE
from invoice.domain.calendars import CalendarYear
from invoice.domain.faults import Fault
from invoice.domain.rates import ExchangeRate, examine_rate
from invoice.queries import reference as queries
from invoice.queries.reference import RateFound, RateWanted
from testkit.service import ServiceUnderTest, service_under_test

DAY = date(2026, 1, 5)
NEXT = DAY + timedelta(days=1)
HOLIDAY = date(2026, 3, 2)


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


def a_calendar(*days: date, year: int = 2026, **changes: Any) -> erp.CalendarPublished:
    return msgspec.structs.replace(erp.CalendarPublished(entity="US01", year=year, holidays=list(days)), **changes)


def a_rate(rate: str = "1.1", rate_on: date = DAY, **changes: Any) -> erp.FxRatePublished:
    return msgspec.structs.replace(erp.FxRatePublished(entity="US01", currency="EUR", rate=rate, rate_on=rate_on), **changes)


class Sender:
    """An ERP that says when it says something, to the reference topic."""

    def __init__(self, sut: ServiceUnderTest) -> None:
        self._sut, self._sent = sut, 0

    async def send(self, *said: tuple[str | None, Event]) -> None:
        """Send facts, each with the time of its CloudEvent."""
        records = []
        for time, event in said:
            self._sent += 1
            context = Envelope(id=f"R-{self._sent}", type=kind_of(type(event)).type, source="/erp/us", time=time)
            records.append(Record("erp.reference", 0, self._sent, None, msgspec.json.encode(event), to_headers(context)))
        await self._sut.receive_records(*records)


async def days_off(sut: ServiceUnderTest, before: date, *years: int) -> list[CalendarYear]:
    async with sut.db.transaction() as db:
        calendar = (await queries.load_calendars(db, {"US01": "US"}, {"US01": before}))["US01"]
    return [calendar.year(year) for year in years or (2026,)]


async def rate_of(sut: ServiceUnderTest, before: date, on: date = DAY, **of: Any) -> str | None:
    wanted = RateWanted(**{"entity": "US01", "currency": "EUR", "on": on, **of})
    async with sut.db.transaction() as db:
        found = (await queries.load_rates(db, [wanted], {"US01": before, "JP01": before})).get(wanted)
    return found.rate if found else None


def reasons_of(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(reason["code"], reason["field"]) for reason in answer.json().get("reasons", [])]


@pytest.mark.parametrize(
    ("rate", "said"), [("1.1", "1.1"), ("1.10", "1.1"), ("0.0067123", "0.0067123"), ("100", "100"), ("1200.000", "1200")]
)
def test_a_rate_has_one_spelling(rate: str, said: str) -> None:
    assert examine_rate(ExchangeRate("EUR", rate, DAY), "USD") == ExchangeRate("EUR", said, DAY)


@pytest.mark.parametrize("rate", ["0", "0.00", "-1", "1e3", "1,1", "", " 1", "\uff11", "1.", "NaN", "1.12345678901"])
def test_a_rate_is_plain_digits_above_zero(rate: str) -> None:
    """XC-01"""
    assert examine_rate(ExchangeRate("EUR", rate, DAY), "USD") == [Fault("RATE_MALFORMED", "rate")]


@pytest.mark.db
async def test_a_calendar_counts_from_the_next_opening_in_place_of_the_public_one(invoice: ServiceUnderTest) -> None:
    """XC-06, XC-07"""
    public = await days_off(invoice, NEXT)
    await invoice.receive(a_calendar(HOLIDAY, HOLIDAY, weekend=[7]))

    assert await days_off(invoice, DAY) == public
    assert await days_off(invoice, NEXT) == [CalendarYear(2026, frozenset([HOLIDAY]), frozenset([7]))]
    assert await days_off(invoice, NEXT, 2027) == await days_off(invoice, DAY, 2027)
    assert invoice.published() == []


@pytest.mark.db
async def test_a_calendar_that_names_no_weekend_has_saturday_and_sunday(invoice: ServiceUnderTest) -> None:
    content = msgspec.json.encode({"entity": "US01", "year": 2026, "holidays": []})
    context = Envelope(id="R-1", type="erp.CalendarPublished.v1", source="/erp/us")
    await invoice.receive_records(Record("erp.reference", 0, 1, None, content, to_headers(context)))

    assert await days_off(invoice, NEXT) == [CalendarYear(2026, frozenset(), frozenset([6, 7]))]


@pytest.mark.db
async def test_what_is_published_again_is_replaced_from_then_on(invoice: ServiceUnderTest) -> None:
    await invoice.receive(a_rate("1.10"), a_calendar(HOLIDAY))
    await invoice.turn("US01", NEXT)
    await invoice.receive(a_rate("1.20"), a_calendar())
    after = NEXT + timedelta(days=1)

    assert [await rate_of(invoice, before) for before in (DAY, NEXT, after)] == [None, "1.1", "1.2"]
    assert [year.holidays for before in (NEXT, after) for year in await days_off(invoice, before)] == [{HOLIDAY}, set()]


@pytest.mark.db
async def test_the_rate_for_a_day_is_the_latest_not_after_it(invoice: ServiceUnderTest) -> None:
    """INV-13: of its currency, type and entity."""
    days = [DAY - timedelta(days=3), DAY, DAY + timedelta(days=3)]
    rates = [a_rate(f"1.{n}", day) for n, day in enumerate(days, start=1)]
    await invoice.receive(*rates, a_rate("9", DAY, type="budget"), a_rate("8", DAY, currency="CHF"), a_rate("7", DAY, entity="JP01"))

    on = [DAY - timedelta(days=4), DAY - timedelta(days=1), DAY, DAY + timedelta(days=2), DAY + timedelta(days=300)]
    assert [await rate_of(invoice, NEXT, day) for day in on] == [None, "1.1", "1.2", "1.2", "1.3"]
    assert [await rate_of(invoice, NEXT, type="budget"), await rate_of(invoice, NEXT, currency="CHF")] == ["9", "8"]
    assert await rate_of(invoice, NEXT, entity="JP01") == "7"
    async with invoice.db.transaction() as db:
        wanted = [RateWanted("US01", "CHF", DAY), RateWanted("US01", "SEK", DAY), RateWanted("US01", "EUR", DAY)]
        found = await queries.load_rates(db, wanted, {"US01": NEXT})
        assert await queries.load_rates(db, [], {}) == {}
    assert found == {wanted[0]: RateFound("8", DAY, "spot"), wanted[2]: RateFound("1.2", DAY, "spot")}


@pytest.mark.db
async def test_of_several_on_one_day_the_one_said_last_counts_in_any_order(invoice: ServiceUnderTest) -> None:
    """XC-06: by the time their sender gave them, whatever zone it is written in; and of one time the greatest. Repeated, it is the same."""
    sender = Sender(invoice)
    said = [(None, "1.9"), ("2026-01-05T10:00:00Z", "1.8"), ("2026-01-05T06:00:00-05:00", "1.1"), ("2026-01-05T11:00:00.000Z", "1.2")]
    for n, order in enumerate(permutations(said)):
        day = DAY - timedelta(days=n)
        await sender.send(*((time, a_rate(rate, day)) for time, rate in order[:2]))
        await sender.send(*((time, a_rate(rate, day)) for time, rate in order[2:] + order[:1]))
        assert await rate_of(invoice, NEXT, day) == "1.2"


@pytest.mark.db
async def test_of_several_calendars_of_one_time_the_greatest_counts_in_any_order(invoice: ServiceUnderTest) -> None:
    sender = Sender(invoice)
    days = [[HOLIDAY], [HOLIDAY, HOLIDAY + timedelta(days=1)], [HOLIDAY - timedelta(days=1), HOLIDAY + timedelta(days=9)]]
    for n, order in enumerate(permutations(days)):
        moved = [[day.replace(year=2026 + n) for day in part] for part in order]
        await sender.send(*(("2026-01-05T10:00:00Z", a_calendar(*part, year=2026 + n)) for part in moved))
        (year,) = await days_off(invoice, NEXT, 2026 + n)
        assert year.holidays == {day.replace(year=2026 + n) for day in days[1]}


@pytest.mark.db
@pytest.mark.parametrize("time", ["soon", "0001-01-01T00:00:00+14:00", "2026-01-05T10:00:00.123456789Z", "2026-01-05"])
async def test_a_time_that_is_none_says_nothing_and_refuses_nothing(invoice: ServiceUnderTest, time: str) -> None:
    await Sender(invoice).send((time, a_rate()), (time, a_calendar()))
    assert await rate_of(invoice, NEXT) == "1.1"
    assert invoice.published() == []


@pytest.mark.db
async def test_bad_reference_data_is_refused_with_every_reason_and_stops_nothing(invoice: ServiceUnderTest) -> None:
    """INV-01, EVT-03"""
    bad_rate = a_rate("-1", date(1969, 1, 1), currency="USD", type="a|b")
    await invoice.receive(a_calendar(date(2025, 1, 1), year=1900, weekend=[8]), bad_rate, a_rate("2"))

    calendar, rate = invoice.published(DocumentRejected)
    assert (calendar.source_type, calendar.entity, calendar.document_no) == ("erp.CalendarPublished.v1", "US01", None)
    assert calendar.reasons == [
        Reason(code="YEAR_OUT_OF_RANGE", field="year"),
        Reason(code="HOLIDAY_OUTSIDE_YEAR", field="holidays[0]"),
        Reason(code="WEEKDAY_UNKNOWN", field="weekend[0]"),
    ]
    assert (rate.source_id, rate.entity) == ("US01|USD|1969-01-01|a|b", "US01")
    assert rate.reasons == [
        Reason(code="BAD_IDENTIFIER", field="type"),
        Reason(code="CURRENCY_OF_THE_ENTITY", field="currency"),
        Reason(code="RATE_MALFORMED", field="rate"),
        Reason(code="DATE_OUT_OF_RANGE", field="rate_on"),
    ]
    assert await rate_of(invoice, NEXT) == "2"


@pytest.mark.db
async def test_a_calendar_over_http_is_shown_beside_what_is_in_force(invoice: ServiceUnderTest) -> None:
    """XC-06"""
    body = {"entity": "US01", "year": 2026, "holidays": ["2026-03-02"]}
    answer = await invoice.post("/v1/calendars", body, roles=["operator"])

    assert answer.status_code == 201
    assert answer.json() == {
        **body,
        "weekend": [6, 7],
        "booked_on": "2026-01-05",
        "in_force_from": "2026-01-06",
        "came_from": None,
    }
    before = (await invoice.get("/v1/calendars/US01/2026")).json()
    assert (before["came_from"], before["code"], before["history"]) == ("public", "US", [answer.json()])
    assert {"2026-01-01", "2026-07-03", "2026-12-25"} <= set(before["holidays"])
    await invoice.turn("US01", NEXT)
    after = (await invoice.get("/v1/calendars/US01/2026")).json()
    assert [after[name] for name in ("came_from", "holidays", "weekend", "worked")] == ["published", ["2026-03-02"], [6, 7], []]


@pytest.mark.db
async def test_a_rate_given_again_over_http_counts_instead(invoice: ServiceUnderTest) -> None:
    """INV-13: the last one said, whatever it is worth."""
    body = {"entity": "US01", "currency": "EUR", "rate": "11.0", "rate_on": "2026-01-05"}
    await invoice.post("/v1/fx-rates", body, key="slip", roles=["service"])
    invoice.now += timedelta(minutes=1)
    answer = await invoice.post("/v1/fx-rates", {**body, "rate": "1.10"}, key="mended", roles=["service"])

    assert (answer.status_code, answer.json()["rate"], answer.json()["in_force_from"]) == (201, "1.1", "2026-01-06")
    assert (await invoice.get("/v1/fx-rates/in-force?entity=US01&currency=EUR")).json()["code"] == "RATE_UNKNOWN"
    await invoice.turn("US01", NEXT)
    shown = (await invoice.get("/v1/fx-rates/in-force?entity=US01&currency=EUR")).json()
    assert shown == {"entity": "US01", "currency": "EUR", "on": "2026-01-06", "rate": "1.1", "rate_on": "2026-01-05", "type": "spot"}


@pytest.mark.db
async def test_pages_hold_every_published_rate_once(invoice: ServiceUnderTest) -> None:
    await invoice.receive(*(a_rate(f"1.{n}", DAY - timedelta(days=n)) for n in range(1, 4)), a_rate("9", currency="CHF"))
    await invoice.turn("US01", NEXT)
    await invoice.receive(a_rate("2", DAY - timedelta(days=2)))

    pages, cursor = [], ""
    while cursor is not None:
        at = f"&cursor={cursor}" if cursor else ""
        page = (await invoice.get(f"/v1/fx-rates?entity=US01&currency=EUR&limit=2{at}")).json()
        pages.append([one["rate"] for one in page["rates"]])
        cursor = page["next_cursor"]

    assert pages == [["1.1", "2"], ["1.2", "1.3"]]


@pytest.mark.db
async def test_reference_data_over_http_is_refused_with_every_reason(invoice: ServiceUnderTest) -> None:
    """INV-01: and only services and operators give it (XC-03)."""
    calendar = {"entity": "US01", "year": 2026, "holidays": ["2025-01-01"], "weekend": [1, 2, 3, 4, 5, 6, 7]}
    rate = {"entity": "XX99", "currency": "usd", "rate": "x", "rate_on": "2026-01-05"}

    answers = [await invoice.post("/v1/calendars", calendar, key="c", roles=["service"])]
    answers.append(await invoice.post("/v1/fx-rates", rate, key="r", roles=["service"]))

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(422, "CALENDAR_REFUSED"), (422, "RATE_REFUSED")]
    assert reasons_of(answers[0]) == [("HOLIDAY_OUTSIDE_YEAR", "holidays[0]"), ("NO_WORKING_DAY", "weekend")]
    assert reasons_of(answers[1]) == [("ENTITY_UNKNOWN", "entity"), ("CURRENCY_UNKNOWN", "currency"), ("RATE_MALFORMED", "rate")]
    good = {"entity": "US01", "currency": "EUR", "rate": "1.1", "rate_on": "2026-01-05"}
    assert (await invoice.post("/v1/fx-rates", good, key="who", roles=["clerk"])).status_code == 403
    assert (await invoice.post("/v1/calendars", {**calendar, "holidays": [], "weekend": []}, key="who2")).status_code == 403


@pytest.mark.db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/calendars/XX99/2026", 404),
        ("/v1/calendars/US01/1969", 422),
        ("/v1/calendars/US01/3000", 422),
        ("/v1/fx-rates?entity=XX99&currency=EUR", 404),
        ("/v1/fx-rates?entity=US01", 422),
        ("/v1/fx-rates?entity=US01&currency=EUR&cursor=x", 422),
        ("/v1/fx-rates?entity=US01&currency=EUR&cursor=2026-99-01_2026-01-01", 400),
        ("/v1/fx-rates/in-force?entity=XX99&currency=EUR", 404),
        ("/v1/fx-rates/in-force?entity=US01&currency=EURO", 404),
    ],
)
async def test_reference_data_that_is_not_there_is_a_problem(invoice: ServiceUnderTest, path: str, status: int) -> None:
    answer = await invoice.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
