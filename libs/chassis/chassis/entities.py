"""The legal entities of a deployment: one file that every service reads."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from events.envelope import Envelope
from events.invoice import Reason

ENTITY_UNKNOWN = Reason(code="ENTITY_UNKNOWN", field="entity")
SERVICES = ("invoice", "payment", "credit", "dunning", "reporting")


class EntitiesFileInvalid(Exception):
    """The entities file cannot be used; the message names everything wrong with it at once."""


@dataclass(frozen=True, slots=True)
class Entity:
    """
    A legal entity (company code).

    `opens_on` is its first business day: what comes before the first marker is booked on the day before. `sources` are the CloudEvents
    sources that may speak for it (empty: any). `day_starts` is `midnight` (the calendar's owner watches the clock) or `told`.
    """

    id: str
    currency: str
    time_zone: ZoneInfo
    calendar: str
    opens_on: date
    sources: frozenset[str]
    day_starts: str


@dataclass(frozen=True, slots=True)
class Entities:
    """All entities by id, and the services of this deployment."""

    by_id: Mapping[str, Entity]
    deployed: tuple[str, ...]

    @property
    def calendar_owner(self) -> str:
        """The service that starts business days: invoice, or payment where invoice is not deployed."""
        return "invoice" if "invoice" in self.deployed else "payment"

    def reasons_against(self, entity: str, envelope: Envelope | None) -> list[Reason]:
        """
        Every reason why a sender may not speak for an entity; `envelope` is that of the fact, None where roles have decided (HTTP).

        An event that names another entity outside than inside is refused: whoever routes or filters by the one would be deceived.
        """
        declared = self.by_id.get(entity)
        if declared is None:
            return [ENTITY_UNKNOWN]
        reasons = []
        if envelope is not None and envelope.entity not in (None, entity):
            reasons.append(Reason(code="ENTITY_MISMATCH", field="entity"))
        if envelope is not None and declared.sources and envelope.source not in declared.sources:
            reasons.append(Reason(code="SOURCE_NOT_ALLOWED", field="source"))
        return reasons


def load_entities(path: Path) -> Entities:
    """
    Read the entities file (TOML).

    :raises EntitiesFileInvalid: missing, not TOML, or wrong in any entity; every fault is named.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EntitiesFileInvalid(f"there is no entities file at {path}; set ENTITIES_FILE") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EntitiesFileInvalid(f"{path} is not TOML: {error}") from error
    faults: list[str] = []
    deployed = tuple(content.get("deployed", SERVICES))
    faults += [f"deployed: {name} is no service" for name in deployed if name not in SERVICES]
    entities = {name: _read(name, body, faults) for name, body in content.get("entities", {}).items()}
    if not entities:
        faults.append("no entity is declared: add a table [entities.<id>]")
    if faults:
        raise EntitiesFileInvalid(f"{path}: " + "; ".join(faults))
    return Entities({name: entity for name, entity in entities.items() if entity}, deployed)


def _read(name: str, body: Mapping[str, object], faults: list[str]) -> Entity | None:
    before = len(faults)
    zone = None
    currency, opens_on, starts = body.get("currency"), body.get("opens_on"), body.get("day_starts", "midnight")
    if not name or "|" in name or len(name) > 20:
        faults.append(f"{name}: an entity id has 1 to 20 characters and no |")
    if not isinstance(currency, str) or len(currency) != 3:
        faults.append(f"{name}.currency: a three-letter ISO 4217 code is needed")
    if not isinstance(opens_on, date):
        faults.append(f"{name}.opens_on: a date is needed, as in 2026-01-01")
    if starts not in ("midnight", "told"):
        faults.append(f'{name}.day_starts: "midnight" or "told"')
    try:
        zone = ZoneInfo(str(body.get("time_zone", "UTC")))
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(f"{name}.time_zone: {body.get('time_zone')} is no time zone")
    sources = body.get("sources", [])
    if not isinstance(sources, list):
        faults.append(f"{name}.sources: a list is needed")
    if len(faults) > before or zone is None or not isinstance(opens_on, date) or not isinstance(sources, list):
        return None
    return Entity(name, str(currency), zone, str(body.get("calendar", "")), opens_on, frozenset(map(str, sources)), str(starts))
