"""The entities file is read whole or refused with everything that is wrong with it."""

from datetime import date
from pathlib import Path

import pytest
from chassis.entities import SERVICES, EntitiesFileInvalid, load_entities
from events.envelope import Envelope

GOOD = """
deployed = ["payment", "reporting"]
[entities.US01]
currency = "USD"
time_zone = "America/New_York"
calendar = "US"
opens_on = 2025-01-01
sources = ["/erp/books"]
day_starts = "told"
[entities.JP01]
currency = "JPY"
opens_on = 2025-04-01
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "entities.toml"


def test_a_file_is_read_with_its_defaults(file: Path) -> None:
    file.write_text(GOOD)
    entities = load_entities(file)
    assert entities.deployed == ("payment", "reporting")
    us, jp = entities.by_id["US01"], entities.by_id["JP01"]
    assert (us.opens_on, us.time_zone.key, us.sources, us.day_starts) == (
        date(2025, 1, 1),
        "America/New_York",
        frozenset({"/erp/books"}),
        "told",
    )
    assert (jp.time_zone.key, jp.sources, jp.day_starts) == ("UTC", frozenset(), "midnight")


def test_the_calendar_belongs_to_invoice_and_to_payment_where_invoice_is_not_deployed(file: Path) -> None:
    file.write_text(GOOD)
    assert load_entities(file).calendar_owner == "payment"
    file.write_text(GOOD.replace('deployed = ["payment", "reporting"]', ""))
    entities = load_entities(file)
    assert entities.deployed == SERVICES
    assert entities.calendar_owner == "invoice"


def test_every_fault_is_named_at_once(file: Path) -> None:
    file.write_text(
        """
        deployed = ["invoices"]
        [entities."A|B"]
        currency = "DOLLAR"
        time_zone = "Mars/Olympus"
        opens_on = "soon"
        sources = "all"
        day_starts = "noon"
        """
    )
    with pytest.raises(EntitiesFileInvalid) as refused:
        load_entities(file)
    wrong = ("deployed", "no |", "A|B.currency", "A|B.opens_on", "A|B.day_starts", "A|B.time_zone", "A|B.sources")
    assert [one for one in wrong if one not in str(refused.value)] == []


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "there is no entities file"), (b"= 1", "is not TOML"), (b"\xff", "is not TOML"), (b"", "no entity is declared")],
)
def test_a_file_that_cannot_be_read_is_told_in_one_sentence(file: Path, content: bytes | None, told: str) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(EntitiesFileInvalid, match=told):
        load_entities(file)


@pytest.mark.parametrize(
    ("entity", "source", "named", "codes"),
    [
        ("US01", "/erp/books", None, []),
        ("US01", "/erp/books", "US01", []),
        ("US01", "/erp/other", "JP01", ["ENTITY_MISMATCH", "SOURCE_NOT_ALLOWED"]),
        ("JP01", "/anybody", "JP01", []),
        ("ZZ99", "/erp/books", "US01", ["ENTITY_UNKNOWN"]),
    ],
)
def test_who_may_speak_for_an_entity(file: Path, entity: str, source: str, named: str | None, codes: list[str]) -> None:
    """INV-01, PAY-11: an event that names another entity outside than inside is forged or lost, whatever it says."""
    file.write_text(GOOD)
    envelope = Envelope(id="1", type="erp.CustomerUpserted.v1", source=source, entity=named)
    assert [reason.code for reason in load_entities(file).reasons_against(entity, envelope)] == codes
