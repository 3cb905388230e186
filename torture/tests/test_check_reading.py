"""What the checker reads by itself: record batches, CloudEvents, amounts, ages, notices, and the health of processes."""

import json
import os
from datetime import date
from pathlib import Path

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from torture.check.amounts import AmountUnreadable, minor_of
from torture.check.folded import Folded, FoldedItem, ItemMove
from torture.check.invariants.notices import Dunning
from torture.check.invariants.read_model import bucket_of
from torture.check.log import Fact, Log, Marker, NotAFact, Record, Unread, context_of, identity_of, read
from torture.check.vitals import Vital, complaints_in, look_at, slope_bytes_per_minute, tracebacks_in
from torture.check.wire import LogUnreadable, records_in

CONTEXT = {
    "ce_specversion": "1.0",
    "ce_id": "invoice/US01|C-1/1",
    "ce_type": "receivables.InvoiceIssued.v1",
    "ce_source": "/receivables/invoice",
}
OURS = {**CONTEXT, "ce_partitionkey": "US01|C-1", "ce_sequence": "1", "ce_entity": "US01", "ce_bookedon": "2025-01-02"}


Sent = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]


def batch(codec: int, base: int, *records: Sent) -> bytes:
    """Have aiokafka write a batch that begins at an offset."""
    made = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=False, producer_id=1, producer_epoch=0, base_sequence=0, batch_size=99_999
    )
    for n, (key, value, headers) in enumerate(records):
        assert made.append(n, timestamp=1_700_000_000_000 + n, key=key, value=value, headers=headers)
    return base.to_bytes(8, "big") + bytes(made.build())[8:]


def record(headers: dict[str, str], data: object = None, topic: str = "receivables.invoice") -> Record:
    value = data if isinstance(data, bytes) else json.dumps(data or {}).encode()
    return Record(topic, 0, 0, b"US01|C-1", value, tuple((name.encode(), told.encode()) for name, told in headers.items()))


@pytest.mark.parametrize("codec", [0, 1, 3], ids=["plain", "gzip", "lz4"])
def test_batches_are_taken_apart_whatever_they_are_packed_in(codec: int) -> None:
    sent: list[Sent] = [(b"k", b"v" * 3000, [("ce_id", b"1"), ("none", None)]), (None, None, []), (b"", b"", [("", b"\xff")])]
    found = list(records_in("t", 3, batch(codec, 41, *sent) + batch(codec, 44, *sent[:1])))
    assert [(one.offset, one.key, one.value) for one in found] == [
        (41, b"k", b"v" * 3000),
        (42, None, None),
        (43, b"", b""),
        (44, b"k", b"v" * 3000),
    ]
    assert found[0].headers == ((b"ce_id", b"1"), (b"none", None))
    assert found[2].headers == ((b"", b"\xff"),)


def test_a_batch_that_the_broker_cut_off_is_left_for_the_next_fetch() -> None:
    whole, second = batch(0, 0, (b"a", b"1", [])), batch(0, 1, (b"b", b"2", []))
    assert [one.key for one in records_in("t", 0, whole + second[:-1])] == [b"a"]


def test_a_header_name_that_is_not_utf8_is_read_as_bytes() -> None:
    message_set = batch(0, 0, (b"a", b"1", [("name-of-8", b"x")])).replace(b"name-of-8", b"\xff\xfe-of-888"[:9])
    assert [one.headers for one in records_in("t", 0, message_set)] == [((b"\xff\xfe-of-888"[:9], b"x"),)]


def test_a_batch_of_another_age_is_refused() -> None:
    message_set = bytearray(batch(0, 0, (b"a", b"1", [])))
    message_set[16] = 1
    with pytest.raises(LogUnreadable):
        list(records_in("t", 0, bytes(message_set)))


def test_both_modes_of_an_event_say_the_same() -> None:
    event = {"specversion": "1.0", "id": "1", "type": "t", "source": "/s", "data": {"a": 1}}
    structured = record({"content-type": "application/cloudevents+json; charset=utf-8"}, event)
    binary = record({"ce_specversion": "1.0", "ce_id": "1", "ce_type": "t", "ce_source": "/s"}, {"a": 1})
    assert [(attributes["id"], json.loads(data)) for attributes, data in map(context_of, (structured, binary))] == [("1", {"a": 1})] * 2
    assert identity_of(structured) == ("/s", "1")


@pytest.mark.parametrize(
    "spoilt", [record({}), Record("t", 0, 0, None, None), record({"content-type": "application/cloudevents+json"}, b"[")]
)
def test_what_is_no_event_has_no_identity(spoilt: Record) -> None:
    with pytest.raises(NotAFact):
        context_of(spoilt)
    assert identity_of(spoilt) is None


def test_domain_records_are_facts_markers_or_unread() -> None:
    fact = read(record(OURS, {"entity": "US01"}), {"US01": date(2025, 1, 2)})
    assert isinstance(fact, Fact)
    assert (fact.name, fact.sequence, fact.booked_on, fact.behind) == ("InvoiceIssued", 1, date(2025, 1, 2), date(2025, 1, 2))
    marker = read(record({**CONTEXT, "ce_type": "receivables.BusinessDayStarted.v1"}, {"entity": "US01", "date": "2025-01-03"}), {})
    assert isinstance(marker, Marker)
    assert (marker.entity, marker.day) == ("US01", date(2025, 1, 3))
    for spoilt in (record(CONTEXT), record({**OURS, "ce_sequence": "one"}), record(OURS, b"{"), record(OURS, [1])):
        assert isinstance(read(spoilt, {}), Unread)


def test_twins_of_poison_and_what_is_labelled_are_no_part_of_the_books() -> None:
    poison = record(OURS, b"{")
    twin, labelled = (
        Record("receivables.invoice", 0, 1, poison.key, poison.value, poison.headers),
        record({**OURS, "torture-poison": "x"}, b"["),
    )
    labelled = Record(labelled.topic, 0, 2, labelled.key, labelled.value, labelled.headers)
    assert [one.record.offset for one in Log([poison, twin, labelled], {}).unread] == [0, 1]
    log = Log([poison, twin, labelled], {}, strange=[poison.place])
    assert not log.unread
    assert log.strange_keys == {"US01|C-1"}


@pytest.mark.parametrize(("text", "currency", "minor"), [("1.5", "USD", 150), ("-0.05", "EUR", -5), ("7", "JPY", 7), ("0.125", "KWD", 125)])
def test_amounts_are_read_in_the_scale_of_their_currency(text: str, currency: str, minor: int) -> None:
    assert minor_of(text, currency) == minor


@pytest.mark.parametrize(("text", "currency"), [("1.005", "USD"), ("1.0", "JPY"), ("1e3", "USD"), ("", "USD"), ("١", "USD"), (".5", "USD")])
def test_what_is_no_amount_is_not_read(text: str, currency: str) -> None:
    with pytest.raises(AmountUnreadable):
        minor_of(text, currency)


@pytest.mark.parametrize(("days", "bucket"), [(-400, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (4000, 4)])
def test_an_item_is_in_the_bucket_of_its_days_past_due(days: int, bucket: int) -> None:
    as_of = date(2025, 6, 1)
    assert bucket_of(as_of, date.fromordinal(as_of.toordinal() - days)) == bucket


def dunned(*moves: tuple[int, str | None], currency: str = "USD") -> list[tuple[str, int, int]]:
    """The notices, until March, about an item due on 1 January and moved like this: (day, level, total)."""
    folded = Folded()
    folded.items["US01|I|1"] = FoldedItem("US01", "C-1", currency, date(2025, 1, 1))
    told = [(minor, date.fromisoformat(f"2025-{day}") if day else None) for minor, day in moves]
    folded.moves = [ItemMove("US01|I|1", minor, day, day) for minor, day in told]
    notices = Dunning.of("US01", folded, date(2025, 1, 1)).until(date(2025, 3, 31))
    return [(f"{one.noticed_on:%m-%d}", one.level, one.total_minor) for one in notices]


def test_an_item_rises_by_one_level_as_it_grows_old() -> None:
    assert dunned((5000, None)) == [("01-06", 1, 5000), ("01-21", 2, 5000), ("02-10", 3, 5000)]


def test_what_is_paid_before_the_end_of_a_day_is_on_no_notice_of_it() -> None:
    assert dunned((5000, None), (-5000, "01-06")) == []
    assert dunned((5000, None), (-5000, "01-07")) == [("01-06", 1, 5000)]
    assert dunned((5000, None), (-2000, "01-10")) == [("01-06", 1, 5000), ("01-21", 2, 3000), ("02-10", 3, 3000)]


def test_a_letter_under_twenty_five_units_is_not_sent() -> None:
    assert dunned((2499, None)) == []
    assert [total for *_, total in dunned((25, None), currency="JPY")] == [25, 25, 25]


def test_an_item_heard_of_late_catches_up_ten_days_apart() -> None:
    assert dunned((5000, "02-20")) == [("02-20", 1, 5000), ("03-02", 2, 5000), ("03-12", 3, 5000)]


def test_memory_that_rises_has_a_slope_and_a_short_life_has_none() -> None:
    rising = [Vital("a", 1, float(s), 1_000_000 + 1000 * s, 9) for s in range(0, 400, 10)]
    assert slope_bytes_per_minute(rising, warm_s=60) == pytest.approx(60_000)
    assert slope_bytes_per_minute(rising[:8], warm_s=60) is None
    assert slope_bytes_per_minute([], warm_s=60) is None


def test_a_process_is_looked_at_and_a_gone_one_is_not() -> None:
    look = look_at("me", os.getpid(), 1.0)
    assert look is not None
    assert look.rss_bytes > 1_000_000
    assert look.files > 2
    assert look_at("nobody", 2**22 + 1, 1.0) is None


def test_a_log_is_searched_for_forgotten_exceptions(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text('{"event": "ok"}\n{"event": "Task exception was never retrieved"}\nTraceback (most recent call last):\n')
    assert list(complaints_in(log)) == ['{"event": "Task exception was never retrieved"}']
    assert tracebacks_in(log) == 1
    assert list(complaints_in(tmp_path / "none.log")) == []
