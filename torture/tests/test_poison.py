"""The catalogue of poison: complete, each with a key of its own, and written as the protocol has it."""

from aiokafka.record import MemoryRecords
from torture.check.expected import Outcome
from torture.load import raw
from torture.load.poison import CATALOGUE
from torture.load.poison.ingress import TWO_MEGABYTES
from torture.load.wire import Record

NAMED_IN_THE_ISSUE = (
    *("not-utf8", "not-json", "two-megabytes", "two-megabytes-zipped", "ten-thousand-deep", "nan", "amount-a-number", "unknown-enum"),
    *("key-null", "tombstone", "type-unknown", "entity-forged", "header-without-value", "header-twice", "header-name-not-utf8"),
    *("header-id-missing", "structured-not-json", "booked-on-ten-years-off", "fact-after-a-gap", "fact-sequence-repeated"),
    *("fact-sequence-negative", "fact-sequence-not-a-number", "type-of-tomorrow", "fact-of-tomorrow", "extra-fields", "content-type-wrong"),
    *("key-huge", "empty-value", "byte-order-mark", "name-twice", "lone-surrogate", "amount-exponent", "amount-arabic-digits"),
    *("amount-negative-zero", "amount-three-decimals", "amount-forty-digits", "day-that-never-was", "day-before-time", "number-with-bell"),
)


def test_there_are_far_more_than_forty_kinds_and_all_that_were_asked_for() -> None:
    names = [poison.name for poison in CATALOGUE]
    assert len(set(names)) == len(names) >= 40
    assert not set(NAMED_IN_THE_ISSUE) - set(names)


def test_every_outcome_is_asked_for_on_ingress_topics_and_on_our_own() -> None:
    seen = {(poison.topic.partition(".")[0], dose.outcome) for poison in CATALOGUE for dose in poison.doses}
    assert {("erp", outcome) for outcome in (Outcome.IGNORED, Outcome.REFUSED, Outcome.ACCEPTED, None)} <= seen
    assert {("receivables", outcome) for outcome in (Outcome.IGNORED, Outcome.PARKED)} <= seen
    assert {("bank", Outcome.REFUSED), ("bank", Outcome.ACCEPTED)} <= seen


def test_every_fact_of_erps_and_banks_and_every_fact_that_moves_money_has_poison() -> None:
    types = {value for poison in CATALOGUE for dose in poison.doses for name, value in dose.record.headers if name == b"ce_type"}
    bank = ("EntryBooked", "EntryReturned", "RemittanceAdvised")
    erp = ("InvoiceIssued", "DebitMemoIssued", "CreditMemoIssued", "InvoiceVoided", "OpeningBalanceLoaded")
    ours = (
        "InvoiceIssued",
        "DebitMemoIssued",
        "InvoiceVoided",
        "WriteOffApproved",
        "PaymentApplied",
        "AdjustmentPosted",
        "AdjustmentReversed",
        "DiscountGranted",
        "DiscountRevoked",
        "PaymentReversed",
        "RefundIssued",
        "FxRealised",
    )
    named = {"erp": erp, "bank": bank, "receivables": ours}
    assert {f"{whose}.{name}.v1".encode() for whose, names in named.items() for name in names} <= types


def test_on_our_own_topics_poison_blocks_keys_of_its_own() -> None:
    for poison in CATALOGUE:
        if poison.topic.startswith("receivables."):
            for dose in poison.doses:
                key = dict(dose.record.headers).get(b"ce_partitionkey", dose.record.key)
                assert dose.record.key in (None, f"poison|{poison.name}".encode())
                assert not key or key.startswith((b"poison|", b"kkk"))
                assert dose.outcome is not Outcome.ACCEPTED, "nothing of it may be applied"


def test_poison_that_is_accepted_goes_into_books_of_its_own() -> None:
    effects = [dose.effect for poison in CATALOGUE for dose in poison.doses if dose.effect is not None]
    assert {effect.account for effect in effects} == {"P-01"}
    assert all(dose.outcome is Outcome.ACCEPTED for poison in CATALOGUE for dose in poison.doses if dose.effect is not None)
    assert len(set(effects)) == len(effects)


def test_what_is_parked_or_refused_says_for_which_reason() -> None:
    for poison in CATALOGUE:
        for dose in poison.doses:
            assert bool(dose.reason) == (dose.outcome in (Outcome.REFUSED, Outcome.PARKED)), poison.name


def read_back(record: Record) -> tuple[bytes | None, bytes | None]:
    """Read a batch as aiokafka's reader does, its checksum included."""
    records = MemoryRecords(raw._batch(record))
    batch = records.next_batch()
    assert batch is not None and batch.validate_crc()
    (read,) = list(batch)
    return read.key, read.value


def test_a_record_written_by_hand_is_one_to_another_reader() -> None:
    assert read_back(Record("t", b"k", b"v" * 300, ((b"name", b"value"), (b"none", None)))) == (b"k", b"v" * 300)
    assert read_back(Record("t", None, b"")) == (None, b"")
    assert read_back(Record("t", b"k", None)) == (b"k", None)


def test_two_megabytes_are_small_for_the_broker_once_they_are_zipped() -> None:
    (zipped,) = (poison for poison in CATALOGUE if poison.name == "two-megabytes-zipped")
    record = zipped.doses[0].record
    assert record.value is not None and len(record.value) > TWO_MEGABYTES
    assert len(raw._batch(record)) < 10_000
    assert read_back(record)[1] == record.value


def test_only_what_an_ordinary_client_cannot_send_is_written_by_hand() -> None:
    by_hand = {poison.name for poison in CATALOGUE for dose in poison.doses if not dose.record.is_plain}
    assert by_hand == {
        "header-name-not-utf8",
        "fact-header-name-not-utf8",
        "two-megabytes-zipped",
        "two-megabytes-of-nothing-zipped",
        "two-megabytes-of-name-zipped",
    }
