"""Billing by the milestones of a project, with retention: on their days, or when somebody releases them (INV-14)."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import httpx
import pytest
from events import erp
from events.invoice import InvoiceIssued
from invoice.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

DAY = date(2026, 1, 5)
BUILDING: dict[str, Any] = {
    "entity": "US01",
    "schedule_no": "P-1",
    "customer": "C-1",
    "currency": "USD",
    "number_prefix": "P-1-",
    "terms": "NET30",
    "project": "P-1",
    "milestones": [{"milestone": "design", "total": "1000.00", "bill_on": "2026-01-10"}, {"milestone": "build", "total": "5000.00"}],
    "retention_percent": "5",
    "retention_due_on": "2027-01-31",
}


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


def reasons_of(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.headers["content-type"] == "application/problem+json"
    return [(reason["code"], reason["field"]) for reason in answer.json().get("reasons", [])]


async def test_milestones_carry_their_project_and_their_retention_is_the_last_instalment(invoice: ServiceUnderTest) -> None:
    """INV-14"""
    await invoice.post("/v1/billing-schedules", BUILDING)
    await invoice.turn("US01", date(2026, 1, 9))
    assert invoice.published(InvoiceIssued) == []

    await invoice.turn("US01", date(2026, 1, 12))

    (fact,) = invoice.published(InvoiceIssued)
    assert (fact.document_no, fact.issued_on, fact.origin_id) == ("P-1-1", date(2026, 1, 10), "US01|schedule|P-1|1")
    assert fact.project == erp.Project(project="P-1", milestone="design", retention_percent="5", retention_due_on=date(2027, 1, 31))
    assert [(part.due_on.isoformat(), part.amount) for part in fact.instalments] == [("2026-02-09", "950.00"), ("2027-01-31", "50.00")]


async def test_a_released_milestone_is_billed_on_the_open_day_once(invoice: ServiceUnderTest) -> None:
    """INV-14: a release is an act of a person, so it counts at once; one with a day of its own may be released before it."""
    await invoice.post("/v1/billing-schedules", BUILDING)

    answers = [
        await invoice.post(f"/v1/billing-schedules/P-1/milestones/{milestone}/release", {"entity": "US01"}, key=key)
        for key, milestone in (("1", "build"), ("2", "build"), ("3", "design"))
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [one["billed"] for one in answers[-1].json()["milestones"]] == [True, True]
    assert [(fact.document_no, fact.issued_on) for fact in invoice.published(InvoiceIssued)] == [("P-1-2", DAY), ("P-1-1", DAY)]
    await invoice.turn("US01", date(2026, 1, 12))
    assert invoice.published(InvoiceIssued) == []


async def test_a_milestone_that_cannot_be_released_is_refused(invoice: ServiceUnderTest) -> None:
    await invoice.post("/v1/billing-schedules", BUILDING)
    await invoice.receive(
        erp.InvoiceIssued(entity="US01", document_no="P-1-2", customer="C-9", currency="USD", issued_on=DAY, total="1.00", terms="NET30")
    )

    async def release(milestone: str, key: str) -> httpx.Response:
        return await invoice.post(f"/v1/billing-schedules/P-1/milestones/{milestone}/release", {"entity": "US01"}, key=key)

    unknown, taken = await release("roof", "1"), await release("build", "2")
    await invoice.post("/v1/billing-schedules/P-1/stop", {"entity": "US01"}, key="stop")
    stopped = await release("design", "3")

    assert (unknown.status_code, reasons_of(unknown)) == (422, [("MILESTONE_UNKNOWN", "milestone")])
    assert (taken.status_code, reasons_of(taken)) == (422, [("CONFLICT", "document_no")])
    assert (stopped.status_code, reasons_of(stopped)) == (422, [("SCHEDULE_STOPPED", "schedule_no")])


@pytest.mark.parametrize(
    ("schedule", "reasons"),
    [
        ({**BUILDING, "count": 1}, [("NOT_FOR_MILESTONES", "count")]),
        (
            {
                **BUILDING,
                "milestones": [{"milestone": "a", "total": "1.00"}, {"milestone": "b", "total": "1.001"}],
                "retention_due_on": None,
            },
            [("MISSING", "retention_due_on"), ("AMOUNT_TOO_PRECISE", "milestones[1].total")],
        ),
    ],
)
async def test_everything_wrong_with_milestones_is_said_at_once(
    invoice: ServiceUnderTest, schedule: dict[str, Any], reasons: list[tuple[str, str]]
) -> None:
    answer = await invoice.post("/v1/billing-schedules", schedule)

    assert answer.status_code == 422
    assert sorted(reasons_of(answer)) == sorted(reasons)


async def test_a_milestone_that_was_billed_stays_and_others_change(invoice: ServiceUnderTest) -> None:
    """INV-14: a change may add milestones and change those that are left."""
    await invoice.post("/v1/billing-schedules", BUILDING)
    await invoice.turn("US01", date(2026, 1, 10))
    kept, left = BUILDING["milestones"]
    change = {key: value for key, value in BUILDING.items() if key not in ("schedule_no", "customer", "currency", "milestones")}
    sooner = {**left, "bill_on": "2026-01-12"}

    without = await invoice.put("/v1/billing-schedules/P-1", {**change, "milestones": [sooner]}, key="1")
    changed = await invoice.put("/v1/billing-schedules/P-1", {**change, "milestones": [kept, sooner]}, key="2")
    invoice.published()
    await invoice.turn("US01", date(2026, 1, 12))

    assert (without.status_code, reasons_of(without)) == (422, [("MILESTONE_BILLED", "milestones[0]")])
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert [(fact.document_no, fact.issued_on.day) for fact in invoice.published(InvoiceIssued)] == [("P-1-2", 12)]
