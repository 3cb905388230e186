"""Billing schedules: made over HTTP, billed when days start, every occurrence once (INV-14)."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import httpx
import pytest
from events import erp
from events.fact import Event
from events.invoice import DocumentRejected, InvoiceIssued, Reason
from invoice.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

DAY = date(2026, 1, 5)
RENT: dict[str, Any] = {
    "entity": "US01",
    "schedule_no": "RENT",
    "customer": "C-1",
    "currency": "USD",
    "number_prefix": "RENT-",
    "terms": "NET30",
    "total": "120.00",
    "lines": [{"amount": "100.00"}],
    "tax": "20.00",
    "every": "monthly",
    "starts_on": "2026-01-31",
}


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


def reasons_of(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.headers["content-type"] == "application/problem+json"
    return [(reason["code"], reason["field"]) for reason in answer.json().get("reasons", [])]


async def billed(sut: ServiceUnderTest, schedule: dict[str, Any], through: date) -> list[tuple[str, str]]:
    """Make a schedule, turn days, and return (number, day of issue) of what was billed, in the order it was told."""
    answer = await sut.post("/v1/billing-schedules", schedule)
    assert answer.status_code == 201, answer.text
    await sut.turn("US01", through)
    return [(fact.document_no, fact.issued_on.isoformat()) for fact in sut.published(InvoiceIssued)]


async def read(sut: ServiceUnderTest, schedule_no: str) -> dict[str, Any]:
    shown: dict[str, Any] = (await sut.get(f"/v1/billing-schedules/{schedule_no}?entity=US01")).json()
    return shown


# --- days that start ---


async def test_a_schedule_bills_when_its_day_starts(invoice: ServiceUnderTest) -> None:
    """The invoice is one like others: its terms, its tax, its item; and it says which schedule made it."""
    assert await billed(invoice, RENT, date(2026, 1, 30)) == []

    await invoice.turn("US01", date(2026, 1, 31))

    (published,) = invoice.published_envelopes(InvoiceIssued)
    fact = published.data
    assert isinstance(fact, InvoiceIssued)
    assert (fact.document_no, fact.issued_on, fact.total, fact.tax) == ("RENT-20260131", date(2026, 1, 31), "120.00", "20.00")
    assert [part.due_on for part in fact.instalments] == [date(2026, 3, 2)]
    assert (fact.origin, fact.origin_id) == ("schedule", "US01|schedule|RENT|1")
    assert (published.envelope.key, published.envelope.booked_on) == ("US01|C-1", date(2026, 1, 31))
    assert (await invoice.get("/v1/invoices/RENT-20260131?entity=US01")).json()["open"] == "120.00"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"every": "weekly", "starts_on": "2026-01-12"}, [("RENT-20260112", "2026-01-12"), ("RENT-20260119", "2026-01-19")]),
        ({"every": "weekly", "starts_on": "2026-01-06", "day": 5, "interval": 2}, [("RENT-20260109", "2026-01-09")]),
        ({"starts_on": "2026-01-10", "numbering": "count"}, [("RENT-1", "2026-01-10")]),
        ({"every": "quarterly", "starts_on": "2025-10-15"}, [("RENT-20251015", "2025-10-15"), ("RENT-20260115", "2026-01-15")]),
        ({"every": "weekly", "starts_on": "2026-01-06", "count": 1}, [("RENT-20260106", "2026-01-06")]),
        (
            {"every": "weekly", "starts_on": "2026-01-06", "ends_on": "2026-01-13"},
            [("RENT-20260106", "2026-01-06"), ("RENT-20260113", "2026-01-13")],
        ),
    ],
)
async def test_weekly_monthly_and_quarterly(invoice: ServiceUnderTest, change: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert await billed(invoice, {**RENT, **change}, date(2026, 1, 22)) == expected


async def test_what_was_missed_is_billed_at_once_each_on_its_own_day(invoice: ServiceUnderTest) -> None:
    """A schedule of three months ago catches up when the next day starts, month ends included."""
    missed = {**RENT, "starts_on": "2025-10-31", "day": 31}

    assert await billed(invoice, missed, date(2026, 1, 6)) == [
        ("RENT-20251031", "2025-10-31"),
        ("RENT-20251130", "2025-11-30"),
        ("RENT-20251231", "2025-12-31"),
    ]


async def test_after_a_standstill_every_day_bills_its_own(invoice: ServiceUnderTest) -> None:
    """The days between are turned one after the other, so that books and dates are those of a service that never stood still."""
    await invoice.post("/v1/billing-schedules", {**RENT, "every": "weekly", "starts_on": "2026-01-06"})

    await invoice.meet("US01", date(2026, 2, 1))

    issued = invoice.published_envelopes(InvoiceIssued)
    assert [one.envelope.effective_on for one in issued] == [date(2026, 1, day) for day in (6, 13, 20, 27)]
    assert [one.envelope.booked_on for one in issued] == [date(2026, 1, day) for day in (6, 13, 20, 27)]


async def test_a_day_whose_markers_come_twice_bills_once(invoice: ServiceUnderTest) -> None:
    await billed(invoice, RENT, date(2026, 1, 31))

    await invoice.meet("US01", date(2026, 1, 31))
    await invoice.turn("US01", date(2026, 2, 1))

    assert invoice.published(InvoiceIssued) == []


async def test_a_schedule_of_today_bills_today_s_invoice_tomorrow(invoice: ServiceUnderTest) -> None:
    """What people decide on a day counts from the opening of the next."""
    assert await billed(invoice, {**RENT, "starts_on": "2026-01-05"}, DAY) == []
    await invoice.turn("US01", date(2026, 1, 6))
    assert [fact.issued_on for fact in invoice.published(InvoiceIssued)] == [DAY]


async def test_schedules_of_many_accounts_are_told_account_by_account(invoice: ServiceUnderTest) -> None:
    for n, customer in enumerate(("C-2", "C-1", "C-3")):
        schedule = {**RENT, "schedule_no": f"S-{n}", "number_prefix": f"S-{n}-", "customer": customer, "starts_on": "2026-01-06"}
        await invoice.post("/v1/billing-schedules", schedule, key=f"{n}")

    await invoice.turn("US01", date(2026, 1, 6))

    assert [fact.customer for fact in invoice.published(InvoiceIssued)] == ["C-1", "C-2", "C-3"]


# --- occurrences that cannot be billed ---


async def test_a_number_that_is_taken_is_refused_once_and_billed_when_it_is_free(invoice: ServiceUnderTest) -> None:
    """INV-01: the document there stays. The occurrences around it are billed, and this one after the prefix was changed."""
    taken = erp.InvoiceIssued(
        entity="US01", document_no="RENT-20260113", customer="C-9", currency="USD", issued_on=DAY, total="1.00", terms="NET30"
    )
    await invoice.receive(taken)
    invoice.published()
    weekly = {**RENT, "every": "weekly", "starts_on": "2026-01-06"}
    assert [number for number, _ in await billed(invoice, weekly, date(2026, 1, 12))] == ["RENT-20260106"]

    await invoice.turn("US01", date(2026, 1, 20))

    told: list[Event] = invoice.published()
    assert [fact.document_no for fact in told if isinstance(fact, InvoiceIssued)] == ["RENT-20260120"]
    assert [fact for fact in told if isinstance(fact, DocumentRejected)] == [
        DocumentRejected(
            source="/receivables/invoice",
            source_id="US01|schedule|RENT|2",
            source_type="billing_schedule",
            reasons=[Reason(code="CONFLICT", field="document_no")],
            entity="US01",
            document_no="RENT-20260113",
        )
    ]
    shown = await read(invoice, "RENT")
    assert shown["next_on"] == "2026-01-13"
    assert [(one["n"], one["status"]) for one in shown["billed"]] == [(3, "billed"), (2, "refused"), (1, "billed")]

    change = {key: RENT[key] for key in ("entity", "terms", "total", "lines", "tax")}
    await invoice.put("/v1/billing-schedules/RENT", {**change, "number_prefix": "NEW-"})
    await invoice.turn("US01", date(2026, 1, 21))

    assert [(fact.document_no, fact.issued_on) for fact in invoice.published(InvoiceIssued)] == [("NEW-20260113", date(2026, 1, 13))]
    assert [(one["n"], one["status"], one["version"]) for one in (await read(invoice, "RENT"))["billed"]] == [
        (3, "billed", 1),
        (2, "billed", 2),
        (1, "billed", 1),
    ]


async def test_an_invoice_that_is_there_already_is_not_billed_again(invoice: ServiceUnderTest) -> None:
    """INV-01: an ERP may have sent the very invoice before."""
    same = erp.InvoiceIssued(
        entity="US01",
        document_no="RENT-20260131",
        customer="C-1",
        currency="USD",
        issued_on=date(2026, 1, 31),
        total="120",
        terms="NET30",
        lines=[erp.Line(amount="100")],
        tax="20",
    )
    await invoice.receive(same)
    invoice.published()

    assert await billed(invoice, RENT, date(2026, 1, 31)) == []
    assert [one["status"] for one in (await read(invoice, "RENT"))["billed"]] == ["billed"]


# --- over HTTP ---


async def test_a_schedule_is_answered_as_it_is_read_afterwards(invoice: ServiceUnderTest) -> None:
    answer = await invoice.post("/v1/billing-schedules", {**RENT, "day": 31, "count": 2})

    assert answer.status_code == 201
    shown = answer.json()
    assert shown == await read(invoice, "RENT")
    assert [(one["occurrence_on"], one["document_no"]) for one in shown["upcoming"]] == [
        ("2026-01-31", "RENT-20260131"),
        ("2026-02-28", "RENT-20260228"),
    ]
    assert (shown["version"], shown["decided_by"], shown["next_on"], shown["billed"]) == (1, "clerk-1", "2026-01-31", [])
    assert invoice.published() == []


async def test_the_same_schedule_is_one_schedule_and_another_under_its_number_is_refused(invoice: ServiceUnderTest) -> None:
    first = await invoice.post("/v1/billing-schedules", RENT, key="1")
    await invoice.put("/v1/billing-schedules/RENT", {"entity": "US01", "number_prefix": "R-", "terms": "NET30", "total": "1.00"}, key="put")

    again = await invoice.post("/v1/billing-schedules", RENT, key="2")
    other = await invoice.post("/v1/billing-schedules", {**RENT, "customer": "C-2"}, key="3")

    assert (again.status_code, again.json()["version"], first.json()["version"]) == (201, 2, 1)
    assert (other.status_code, reasons_of(other)) == (409, [("CONFLICT", "schedule_no")])


async def test_two_schedules_do_not_bill_under_the_same_numbers(invoice: ServiceUnderTest) -> None:
    await invoice.post("/v1/billing-schedules", RENT, key="1")
    twin = await invoice.post("/v1/billing-schedules", {**RENT, "schedule_no": "TWIN"}, key="2")
    await invoice.post("/v1/billing-schedules/RENT/stop", {"entity": "US01"}, key="3")
    heir = await invoice.post("/v1/billing-schedules", {**RENT, "schedule_no": "TWIN"}, key="4")

    assert (twin.status_code, reasons_of(twin)) == (422, [("PREFIX_TAKEN", "number_prefix")])
    assert heir.status_code == 201


async def test_a_change_counts_from_the_next_day_and_leaves_the_days(invoice: ServiceUnderTest) -> None:
    await billed(invoice, {**RENT, "every": "weekly", "starts_on": "2026-01-06"}, date(2026, 1, 6))

    changed = await invoice.put(
        "/v1/billing-schedules/RENT",
        {"entity": "US01", "number_prefix": "RENT-", "terms": "NET10", "total": "99.00", "ends_on": "2026-01-13"},
        sub="clerk-2",
    )
    await invoice.turn("US01", date(2026, 1, 31))

    assert (changed.status_code, changed.json()["version"], changed.json()["decided_by"]) == (200, 2, "clerk-2")
    assert (changed.json()["every"], changed.json()["starts_on"], changed.json()["ends_on"]) == ("weekly", "2026-01-06", "2026-01-13")
    assert [(fact.issued_on.day, fact.total) for fact in invoice.published(InvoiceIssued)] == [(13, "99.00")]


async def test_the_same_change_again_is_no_version(invoice: ServiceUnderTest) -> None:
    await invoice.post("/v1/billing-schedules", RENT)
    same = {key: RENT[key] for key in ("entity", "number_prefix", "terms", "total", "lines", "tax")}

    answer = await invoice.put("/v1/billing-schedules/RENT", same)

    assert (answer.status_code, answer.json()["version"]) == (200, 1)


async def test_a_stopped_schedule_bills_nothing_more(invoice: ServiceUnderTest) -> None:
    await billed(invoice, {**RENT, "every": "weekly", "starts_on": "2026-01-06"}, date(2026, 1, 6))

    stopped = await invoice.post("/v1/billing-schedules/RENT/stop", {"entity": "US01"}, key="1")
    again = await invoice.post("/v1/billing-schedules/RENT/stop", {"entity": "US01"}, key="2")
    await invoice.turn("US01", date(2026, 1, 31))

    assert (stopped.status_code, stopped.json()["stopped_on"], stopped.json()["upcoming"]) == (200, "2026-01-06", [])
    assert again.json() == stopped.json()
    assert invoice.published(InvoiceIssued) == []


@pytest.mark.parametrize(
    ("schedule", "reasons"),
    [
        (
            {**RENT, "schedule_no": "a/b", "customer": "a|b", "currency": "JPY", "total": "120.5", "terms": "SOON", "interval": 0},
            [
                ("OUT_OF_RANGE", "interval"),
                ("BAD_IDENTIFIER", "schedule_no"),
                ("BAD_IDENTIFIER", "customer"),
                ("AMOUNT_TOO_PRECISE", "total"),
                ("AMOUNT_TOO_PRECISE", "tax"),
                ("AMOUNT_TOO_PRECISE", "lines[0].amount"),
                ("TERMS_UNKNOWN", "terms"),
            ],
        ),
        ({**RENT, "starts_on": "1990-01-31"}, [("TOO_LONG_AGO", "starts_on")]),
        ({**RENT, "every": None}, [("EVERY_OR_MILESTONES", "every"), ("TOTAL_OR_MILESTONES", "total")]),
        ({**RENT, "terms": None}, [("TERMS_MISSING", "terms")]),
        ({**RENT, "number_prefix": "x" * 41}, [("BAD_IDENTIFIER", "number_prefix")]),
    ],
)
async def test_everything_wrong_with_a_schedule_is_said_at_once(
    invoice: ServiceUnderTest, schedule: dict[str, Any], reasons: list[tuple[str, str]]
) -> None:
    """INV-01: what is wrong with the invoices it would issue is told of the schedule."""
    answer = await invoice.post("/v1/billing-schedules", schedule)

    assert answer.status_code == 422
    assert sorted(reasons_of(answer)) == sorted(reasons)


async def test_schedules_are_listed_by_number(invoice: ServiceUnderTest) -> None:
    for n in range(3):
        await invoice.post("/v1/billing-schedules", {**RENT, "schedule_no": f"S-{n}", "number_prefix": f"S-{n}-"}, key=f"{n}")
    other = {**RENT, "schedule_no": "A-1", "number_prefix": "A-", "customer": "C-2"}
    await invoice.post("/v1/billing-schedules", other, key="other")

    first = (await invoice.get("/v1/billing-schedules?entity=US01&customer=C-1&limit=2")).json()
    rest = (await invoice.get(f"/v1/billing-schedules?entity=US01&customer=C-1&limit=2&cursor={first['next_cursor']}")).json()
    everything = (await invoice.get("/v1/billing-schedules?entity=US01")).json()

    assert [one["schedule_no"] for one in first["schedules"] + rest["schedules"]] == ["S-0", "S-1", "S-2"]
    assert rest["next_cursor"] is None
    assert [one["schedule_no"] for one in everything["schedules"]] == ["A-1", "S-0", "S-1", "S-2"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/billing-schedules/NONE?entity=US01", 404),
        ("/v1/billing-schedules?entity=XX99", 404),
        ("/v1/billing-schedules?entity=US01&cursor=a%7Cb", 400),
        ("/v1/billing-schedules", 422),
    ],
)
async def test_a_schedule_that_cannot_be_found_or_asked_for_is_a_problem(invoice: ServiceUnderTest, path: str, status: int) -> None:
    answer = await invoice.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_schedule_that_is_not_there_cannot_be_changed_stopped_or_released(invoice: ServiceUnderTest) -> None:
    change = {"entity": "US01", "number_prefix": "R-", "total": "1.00"}
    answers = [
        await invoice.put("/v1/billing-schedules/NONE", change, key="1"),
        await invoice.post("/v1/billing-schedules/NONE/stop", {"entity": "US01"}, key="2"),
        await invoice.post("/v1/billing-schedules/NONE/milestones/a/release", {"entity": "US01"}, key="3"),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_only_those_who_may_bill_make_schedules(invoice: ServiceUnderTest) -> None:
    assert (await invoice.post("/v1/billing-schedules", RENT, roles=["collector"])).status_code == 403
