"""Every fact has its effect exactly once, in the order of its key, whatever is repeated, missing or broken (EVT-02, EVT-03, EVT-04)."""

from collections.abc import AsyncIterator, Callable
from datetime import date

import msgspec
import pytest
from chassis.failpoints import FailpointHit, arm
from chassis.record import Record
from events import erp, payment
from events.invoice import CreditMemoIssued, DocumentRejected, Instalment, InvoiceIssued
from testkit import toy
from testkit.service import FIRST_DAY, ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db


@pytest.fixture
async def service(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    toy.broken.clear()
    arm("")
    async with service_under_test(toy.TOY, database_url("invoice")) as sut:
        async with sut.db.pool.acquire() as db:
            await db.execute(toy.TABLES)
        yield sut
    arm("")


def issued(number: str, customer: str = "C-1", entity: str = "US01") -> InvoiceIssued:
    return InvoiceIssued(
        entity=entity,
        invoice=f"{entity}|{number}",
        document_no=number,
        type="380",
        customer=customer,
        account=customer,
        currency="USD",
        issued_on=FIRST_DAY,
        total="10.00",
        instalments=[Instalment(n=1, due_on=FIRST_DAY, amount="10.00")],
    )


def from_erp(number: str, customer: str = "C-1", **changes: object) -> erp.InvoiceIssued:
    event = erp.InvoiceIssued(
        entity="US01", document_no=number, customer=customer, currency="USD", issued_on=FIRST_DAY, total="10.00", terms="NET30"
    )
    return msgspec.structs.replace(event, **changes)


def feedback(receipt: str) -> payment.ReceiptUnapplied:
    return payment.ReceiptUnapplied(entity="US01", receipt=receipt, account="C-1", currency="USD", amount="1.00")


async def effects(service: ServiceUnderTest, column: str = "document_no") -> list[object]:
    async with service.db.pool.acquire() as db:
        return [row[0] for row in await db.fetch(f"SELECT {column} FROM effect ORDER BY place")]


async def parked(service: ServiceUnderTest) -> list[tuple[str, str]]:
    async with service.db.pool.acquire() as db:
        return [
            (row["key"], row["reason"]) for row in await db.fetch("SELECT key, reason FROM chk.parked WHERE state = 'parked' ORDER BY id")
        ]


async def redrive(service: ServiceUnderTest, key: str) -> int:
    async with service.db.transaction() as db:
        return await service.delivery.redrive_stream(db, "receivables.invoice", key, {"US01": await service.open_on()})


async def test_a_redelivered_batch_has_no_second_effect(service: ServiceUnderTest) -> None:
    await service.receive(issued("A"), issued("B", "C-2"), from_erp("E"))
    await service.receive_again()
    assert sorted(await effects(service)) == ["A", "B", "E"]
    assert [memo.document_no for memo in service.published(CreditMemoIssued)] == ["E", "A", "B"]


async def test_an_offset_that_was_handled_is_not_handled_again_after_a_lost_commit(service: ServiceUnderTest) -> None:
    arm("consumer.after_commit:1:raise")
    with pytest.raises(FailpointHit):
        await service.receive(issued("A"), from_erp("E"))
    await service.intake.work_off(service.places)  # The same records are still in hand: the position tells they are done.
    assert sorted(await effects(service)) == ["A", "E"]


@pytest.mark.parametrize("place", ["pos_locked", "inbox_inserted", "handled", "before_commit"])
async def test_a_batch_that_dies_before_its_commit_leaves_no_trace_and_is_done_later(service: ServiceUnderTest, place: str) -> None:
    arm(f"consumer.{place}:1:raise")
    with pytest.raises(FailpointHit):
        await service.receive(issued("A"), from_erp("E"))
    assert await effects(service) == []
    assert service.published() == []
    await service.intake.work_off(service.places)
    assert sorted(await effects(service)) == ["A", "E"]


async def test_a_fact_that_cannot_be_handled_parks_its_key_and_lets_the_others_flow(service: ServiceUnderTest) -> None:
    toy.broken.add("FAIL")
    await service.receive(
        *[issued(f"A{n}", f"C-{n % 7}") for n in range(40)], issued("FAIL", "C-3"), issued("BEHIND", "C-3"), issued("Z", "C-4")
    )
    assert len(await effects(service)) == 41
    assert await parked(service) == [("US01|C-3", "failed"), ("US01|C-3", "behind")]
    await service.receive(issued("LATER", "C-3"))
    assert (await parked(service))[-1] == ("US01|C-3", "behind")

    toy.broken.clear()
    assert await redrive(service, "US01|C-3") == 3
    assert (await effects(service))[-3:] == ["FAIL", "BEHIND", "LATER"]
    await service.receive(issued("AFTER", "C-3"))
    assert (await effects(service))[-1] == "AFTER"
    assert await parked(service) == []


async def test_a_redrive_that_fails_again_changes_nothing(service: ServiceUnderTest) -> None:
    toy.broken.add("FAIL")
    await service.receive(issued("FAIL"), issued("BEHIND"))
    with pytest.raises(toy.Poisonous):
        await redrive(service, "US01|C-1")
    assert await parked(service) == [("US01|C-1", "failed"), ("US01|C-1", "behind")]
    assert await effects(service) == []


async def test_a_gap_is_parked_until_the_missing_fact_has_come(service: ServiceUnderTest) -> None:
    service._sequences["receivables.invoice", "US01|C-1"] = 1
    await service.receive(issued("SECOND"), issued("THIRD"))
    assert await parked(service) == [("US01|C-1", "gap"), ("US01|C-1", "gap")]
    service._sequences["receivables.invoice", "US01|C-1"] = 0
    await service.receive(issued("FIRST"))
    assert await redrive(service, "US01|C-1") == 2
    assert await effects(service) == ["FIRST", "SECOND", "THIRD"]


async def test_a_fact_that_waits_is_handled_in_the_transaction_that_brings_what_it_waits_for(service: ServiceUnderTest) -> None:
    await service.receive(issued("WAIT:X", "C-1"), issued("BEHIND", "C-1"), issued("OTHER", "C-2"))
    assert await effects(service) == ["OTHER"]
    assert await parked(service) == [("US01|C-1", "waits"), ("US01|C-1", "behind")]
    await service.receive(issued("X", "C-9"))
    assert await effects(service) == ["OTHER", "X", "WAIT:X", "BEHIND"]
    assert await parked(service) == []


async def test_a_fact_that_cannot_be_read_parks_its_key(service: ServiceUnderTest) -> None:
    await service.receive(issued("A"))
    good = service._last[0]
    headers = [(name, b"2" if name == "ce_sequence" else value) for name, value in good.headers]
    await service.receive_records(
        msgspec.structs.replace(good, offset=service._next_offset(good.topic, good.partition), value=b"{}", headers=headers)
    )
    assert await parked(service) == [("US01|C-1", "undecodable")]


async def test_a_fact_on_another_topic_than_its_own_parks_its_key(service: ServiceUnderTest) -> None:
    """A payment's fact among the documents is nobody's word: who may write there is not who may move money."""
    await service.receive(issued("A"))
    good = service._last[0]
    context = {"ce_sequence": b"2", "ce_type": b"receivables.ReceiptUnapplied.v1"}
    headers = [(name, context.get(name, value)) for name, value in good.headers]
    await service.receive_records(msgspec.structs.replace(good, offset=service._next_offset(good.topic, good.partition), headers=headers))
    assert await parked(service) == [("US01|C-1", "misplaced")]


async def test_a_refused_document_is_answered_with_every_reason_kept_and_can_be_redriven(service: ServiceUnderTest) -> None:
    await service.receive(from_erp("REFUSE-1"), from_erp("GOOD"))
    assert await effects(service) == ["GOOD"]
    (rejected,) = [one.data for one in service.published_envelopes(DocumentRejected)]
    assert [(reason.code, reason.field) for reason in rejected.reasons] == [("NOT_LIKED", "document_no"), ("NOT_LIKED", "total")]
    await service.receive_again()
    assert service.published() == []
    async with service.db.transaction() as db:
        (kept,) = await db.fetch("SELECT id, redriven FROM chk.refused")
        assert not kept["redriven"]
        assert await service.delivery.redrive_refused(db, kept["id"])
    async with service.db.pool.acquire() as db:
        assert [row["redriven"] for row in await db.fetch("SELECT redriven FROM chk.refused ORDER BY id")] == [True, False]


async def test_records_that_are_no_events_are_answered_and_block_nothing(service: ServiceUnderTest) -> None:
    bad = [b"", b"\xff\xfe", b"{", b"[]", b'{"entity": 5}', b"[" * 100_000, b'{"entity":"XX99","document_no":"A"}', None]
    headers = [("ce_specversion", b"1.0"), ("ce_type", b"erp.InvoiceIssued.v1"), ("ce_source", b"/x")]
    records = [Record("erp.documents", 0, n, None, value, [*headers, ("ce_id", b"%d" % n)]) for n, value in enumerate(bad)]
    records.append(Record("erp.documents", 0, len(bad), None, b"{}", [("content-type", b"text/plain")]))
    records.append(Record("erp.documents", 0, len(bad) + 1, None, b"{}", [*headers, ("ce_id", b"\xff")]))
    await service.receive_records(*records)
    rejected = service.published(DocumentRejected)
    assert len(rejected) == len(records)
    assert all(one.reasons for one in rejected)
    service._offsets["erp.documents", 0] = len(records)
    await service.receive(from_erp("GOOD"))
    assert await effects(service) == ["GOOD"]


async def test_the_same_id_with_other_content_is_no_repeat(service: ServiceUnderTest) -> None:
    await service.receive(from_erp("A"))
    await service.receive(from_erp("A", total="11.00"))
    assert await effects(service) == ["A", "A"]  # The natural key is the handler's to judge, and the toy does not.


async def test_sequences_have_no_gap_and_ids_are_in_their_order(service: ServiceUnderTest) -> None:
    for n in range(5):
        await service.receive(*[from_erp(f"{n}-{m}", f"C-{m % 3}") for m in range(20)])
    by_key: dict[str, list[int]] = {}
    for one in service.published_envelopes():
        by_key.setdefault(one.envelope.key or "", []).append(one.envelope.sequence or 0)
    assert all(found == list(range(1, len(found) + 1)) for found in by_key.values())
    assert sum(map(len, by_key.values())) == 100


async def test_a_record_behind_a_marker_waits_for_its_day_and_is_booked_on_it(service: ServiceUnderTest) -> None:
    tuesday = date(2026, 1, 6)
    await service.meet_in("erp.documents", "US01", tuesday)
    await service.receive(from_erp("TUESDAY"), from_erp("TUESDAY-2"))
    await service.receive(from_erp("JP", entity="JP01"))
    assert await effects(service) == ["JP"]
    await service.receive(feedback("R"))
    assert await effects(service) == ["JP", "R"]
    await service.meet_in("receivables.invoice", "US01", tuesday)
    assert await effects(service) == ["JP", "R", "TUESDAY", "TUESDAY-2"]
    assert await effects(service, "booked_on") == [FIRST_DAY, FIRST_DAY, tuesday, tuesday]


async def test_what_is_held_is_never_overtaken_even_days_ahead(service: ServiceUnderTest) -> None:
    days = [date(2026, 1, 6), date(2026, 1, 7), date(2026, 1, 8)]
    await service.receive(from_erp("MON"))
    for day in days:
        await service.meet_in("erp.documents", "US01", day)
        await service.receive(from_erp(f"{day:%d}-a"), from_erp(f"{day:%d}-b"))
    for day in days:
        await service.meet_in("receivables.invoice", "US01", day)
    assert await effects(service) == ["MON", "06-a", "06-b", "07-a", "07-b", "08-a", "08-b"]
    assert await effects(service, "booked_on") == [FIRST_DAY] + [day for day in days for _ in range(2)]


async def test_a_late_fact_is_booked_on_the_open_day_and_counted(service: ServiceUnderTest) -> None:
    await service.turn("US01", date(2026, 1, 8))
    await service.receive(issued("LATE"), day=date(2026, 1, 6))
    assert await effects(service, "booked_on") == [date(2026, 1, 8)]
    async with service.db.pool.acquire() as db:
        assert await db.fetchval("SELECT late FROM chk.day WHERE entity = 'US01'") == 1
