"""What is set aside blocks no more than it must, comes back in order, and never takes the service with it (EVT-04)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest
from chassis import turning
from chassis.database import Connection
from chassis.failpoints import FailpointHit, arm
from chassis.intake import Intake
from chassis.record import Record
from chassis.service import Batch, Fact, Received, subscribe
from events import erp, payment
from events.invoice import DocumentRejected, Instalment, InvoiceIssued
from testkit import toy
from testkit.service import FIRST_DAY, ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db
TUESDAY = date(2026, 1, 6)
TOO_LARGE_FOR_A_BIGINT = 2**63


async def note_in_a_number(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
    """Do as the toy does, but read `LARGE…` as a number that no column takes."""
    for received in facts:
        if received.data.document_no.startswith("LARGE"):
            await db.execute("SELECT $1::bigint", TOO_LARGE_FOR_A_BIGINT)
    return await toy.note(db, facts, batch)


COUNTING = replace(
    toy.TOY,
    subscriptions=subscribe(
        ((erp.InvoiceIssued, InvoiceIssued), note_in_a_number),
        (payment.ReceiptUnapplied, toy.note_feedback),
        forward=toy.TOY.subscriptions.forward,
        feedback=toy.TOY.subscriptions.feedback,
        reject=toy.reject,
    ),
)


@pytest.fixture
async def service(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    toy.broken.clear()
    arm("")
    async with service_under_test(COUNTING, database_url("invoice")) as sut:
        async with sut.db.pool.acquire() as db:
            await db.execute(toy.TABLES)
        yield sut
    arm("")


def issued(number: str, customer: str = "C-1") -> InvoiceIssued:
    return InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=customer,
        account=customer,
        currency="USD",
        issued_on=FIRST_DAY,
        total="10.00",
        instalments=[Instalment(n=1, due_on=FIRST_DAY, amount="10.00")],
    )


def from_erp(number: str, customer: str = "C-1") -> erp.InvoiceIssued:
    return erp.InvoiceIssued(
        entity="US01", document_no=number, customer=customer, currency="USD", issued_on=FIRST_DAY, total="10.00", terms="NET30"
    )


def feedback(receipt: str) -> payment.ReceiptUnapplied:
    return payment.ReceiptUnapplied(entity="US01", receipt=receipt, account="C-1", currency="USD", amount="1.00")


async def effects(service: ServiceUnderTest) -> list[str]:
    async with service.db.pool.acquire() as db:
        return [row[0] for row in await db.fetch("SELECT document_no FROM effect ORDER BY place")]


async def parked(service: ServiceUnderTest) -> list[tuple[str, str]]:
    async with service.db.pool.acquire() as db:
        return [
            (row["key"], row["reason"]) for row in await db.fetch("SELECT key, reason FROM chk.parked WHERE state = 'parked' ORDER BY id")
        ]


async def redrive(service: ServiceUnderTest, key: str = "US01|C-1") -> int:
    async with service.db.transaction() as db:
        return await service.delivery.redrive_stream(db, "receivables.invoice", key, {"US01": await service.open_on()})


async def test_a_held_fact_that_cannot_be_handled_is_parked_though_others_wait_behind_it(service: ServiceUnderTest) -> None:
    toy.broken.add("FAIL")
    await service.meet_in("receivables.invoice", "US01", TUESDAY)
    await service.receive(issued("FAIL"), issued("OTHER", "C-2"))
    assert await effects(service) == []
    for n in range(3, 9):
        record = service._record(issued(f"NEWER-{n}", f"C-{n}"), TUESDAY, "US01", None, None)
        service.intake.keep((record.topic, record.partition), [record])
    async with asyncio.timeout(10):
        await service.meet_in("erp.documents", "US01", TUESDAY)
    assert await parked(service) == [("US01|C-1", "failed")]
    assert sorted(await effects(service)) == sorted(["OTHER", *(f"NEWER-{n}" for n in range(3, 9))])


async def test_a_redrive_applies_nothing_behind_a_fact_that_still_cannot_be_read(service: ServiceUnderTest) -> None:
    record = service._record(issued("A"), FIRST_DAY, "US01", None, None)
    await service.receive_records(msgspec.structs.replace(record, value=b"{}"))
    await service.receive(issued("B"))
    assert await redrive(service) == 0
    assert await effects(service) == []
    assert await parked(service) == [("US01|C-1", "undecodable"), ("US01|C-1", "behind")]


async def test_a_fact_that_waits_behind_a_waiting_one_for_something_else_is_released_by_that(service: ServiceUnderTest) -> None:
    await service.receive(issued("WAIT:X"))
    await service.receive(issued("WAIT:Y"), issued("LAST"))
    await service.receive(issued("X", "C-8"))
    assert await effects(service) == ["X", "WAIT:X"]
    await service.receive(issued("Y", "C-9"))
    assert await effects(service) == ["X", "WAIT:X", "Y", "WAIT:Y", "LAST"]
    assert await parked(service) == []


async def test_streams_that_bring_each_other_what_they_wait_for_are_handled_once(service: ServiceUnderTest) -> None:
    """C-1 waits for X; its second fact waits for what C-2 brings, and C-2 waits for the first fact of C-1."""
    await service.receive(issued("WAIT:X", "C-1"))
    await service.receive(issued("WAIT:WAIT:WAIT:X", "C-1"))
    await service.receive(issued("WAIT:WAIT:X", "C-2"))
    assert await effects(service) == []
    await service.receive(issued("X", "C-9"))
    assert await effects(service) == ["X", "WAIT:X", "WAIT:WAIT:X", "WAIT:WAIT:WAIT:X"]
    assert await parked(service) == []


async def test_facts_beyond_a_gap_never_overtake_the_missing_one_even_when_that_fails_first(service: ServiceUnderTest) -> None:
    service._sequences["receivables.invoice", "US01|C-1"] = 1
    await service.receive(issued("SECOND"), issued("THIRD"))
    service._sequences["receivables.invoice", "US01|C-1"] = 0
    toy.broken.add("FIRST")
    await service.receive(issued("FIRST"))
    assert await parked(service) == [("US01|C-1", "gap"), ("US01|C-1", "gap"), ("US01|C-1", "failed")]
    toy.broken.clear()
    assert await redrive(service) == 3
    assert await effects(service) == ["FIRST", "SECOND", "THIRD"]


async def test_the_bringer_is_not_blamed_for_a_waiting_fact_that_cannot_be_handled(service: ServiceUnderTest) -> None:
    await service.receive(issued("WAIT:X", "C-1"))
    toy.broken.add("WAIT:X")
    await service.receive(issued("X", "C-2"))
    assert await effects(service) == ["X"]
    assert await parked(service) == [("US01|C-1", "failed")]
    toy.broken.clear()
    assert await redrive(service) == 1
    assert await effects(service) == ["X", "WAIT:X"]


async def test_a_value_the_driver_cannot_send_is_a_fault_of_the_fact_and_not_of_the_database(service: ServiceUnderTest) -> None:
    async with asyncio.timeout(10):
        await service.receive(issued("LARGE"), issued("SMALL", "C-2"))
    assert await parked(service) == [("US01|C-1", "failed")]
    assert await effects(service) == ["SMALL"]


async def test_text_that_postgres_cannot_store_is_refused_and_never_stops_the_service(service: ServiceUnderTest) -> None:
    await service.receive(from_erp("A"))
    record = service._record(from_erp("B\x00"), FIRST_DAY, "US01", None, None)
    headers = [(name, b"an-id" if name == "ce_id" else content) for name, content in record.headers]
    async with asyncio.timeout(10):
        await service.receive_records(msgspec.structs.replace(record, headers=headers))
    await service.receive(from_erp("GOOD"))
    assert await effects(service) == ["A", "GOOD"]
    assert len(service.published(DocumentRejected)) == 1


async def test_a_broken_domain_record_under_a_key_postgres_cannot_store_is_parked(service: ServiceUnderTest) -> None:
    await service.receive(issued("A"))
    broken = Record("receivables.invoice", 0, service._next_offset("receivables.invoice", 0), b"\x00\xff", b"?", [("x", None)])
    async with asyncio.timeout(10):
        await service.receive_records(broken)
    assert [reason for _, reason in await parked(service)] == ["unreadable"]


async def test_a_held_record_with_a_header_without_a_value_is_released(service: ServiceUnderTest) -> None:
    await service.meet_in("erp.documents", "US01", TUESDAY)
    await service.receive(from_erp("A"))
    record = service._record(from_erp("B"), TUESDAY, "US01", None, None)
    await service.receive_records(msgspec.structs.replace(record, headers=[*record.headers, ("x-empty", None)]))
    await service.meet_in("receivables.invoice", "US01", TUESDAY)
    assert await effects(service) == ["A", "B"]


async def test_feedback_waits_while_the_day_turns_and_is_booked_on_the_new_one(
    service: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turning, "ACCOUNTS_AT_ONCE", 3)
    await service.receive(*[issued(f"A{n}", f"C-{n}") for n in range(8)])
    arm("day.chunk:1:raise")
    with pytest.raises(FailpointHit):
        await service.turn("US01", TUESDAY)
    await service.receive(feedback("R"))
    async with service.db.pool.acquire() as db:
        assert await db.fetchval("SELECT booked_on FROM effect WHERE document_no = 'R'") == TUESDAY


async def test_an_account_whose_work_failed_is_freed_by_a_redrive(service: ServiceUnderTest) -> None:
    await service.receive(issued("A"))
    toy.broken.add("C-1")
    await service.turn("US01", TUESDAY)
    await service.receive(issued("B"))
    assert await parked(service) == [("US01|C-1", "day_work"), ("US01|C-1", "behind")]
    toy.broken.clear()
    assert await redrive(service) == 2
    assert await effects(service) == ["A", "B"]
    assert await parked(service) == []


async def test_a_fact_that_comes_while_its_stream_is_being_redriven_is_not_left_behind(service: ServiceUnderTest) -> None:
    toy.broken.add("FAIL")
    await service.receive(issued("FAIL"))
    toy.broken.clear()
    async with service.db.transaction() as db:
        await service.delivery.redrive_stream(db, "receivables.invoice", "US01|C-1", {"US01": FIRST_DAY})
        arriving = asyncio.create_task(service.receive(issued("NEXT")))
        await asyncio.sleep(0.3)
    await arriving
    assert await effects(service) == ["FAIL", "NEXT"]
    assert await parked(service) == []


async def test_a_worker_with_old_records_in_hand_changes_nothing(service: ServiceUnderTest) -> None:
    """A process that was stopped while another went on wakes with records, and offsets, of long ago."""
    records = [service._record(issued(f"A{n}"), FIRST_DAY, "US01", None, None) for n in range(6)]
    zombie = Intake(service.delivery, service.turner)
    zombie.keep((records[0].topic, records[0].partition), records[:4])
    await service.receive_records(*records)
    await zombie.work_off(service.places)
    assert await effects(service) == [f"A{n}" for n in range(6)]
    async with service.db.pool.acquire() as db:
        assert await db.fetchval("SELECT max(next_offset) FROM chk.position") == 6
