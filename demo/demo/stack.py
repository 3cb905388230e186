"""The local stack as the demo needs it: clean, and set up for the ledger's legal entity."""

import json
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from launcher.folders import State
from launcher.stack import Stack, Urls

from demo.ledger import House

_ROLES = ("operator",)
_NO_PATIENCE = {"PATIENCE": "PT0S"}  # A replay waits for every marker: its days have nothing to do with the clock.


def bring_up(house: House, opens_on: date, port_base: int | None, say: Callable[[str], None]) -> Urls:
    """
    Bring the stack up with clean books for one entity that is told when its days start.

    :param port_base: port of the first service; None leaves it where it was.
    :raises Trouble: with one sentence that says what to do.
    """
    entities = _write_entities(house, opens_on)
    return Stack(entities=entities, port_base=port_base, say=say, environment=_NO_PATIENCE).up(clean=True)


def running() -> Urls:
    """
    Return the addresses of the stack that runs already.

    :raises Trouble: none does.
    """
    return Stack().urls()


def token_of(who: str, role: str) -> str:
    """Return a development token of somebody with one role."""
    return Stack().token(who, (role,), now=int(time.time()))


def operator_token() -> str:
    """Return a development token of somebody who may start business days."""
    return Stack().token("demo", _ROLES, now=int(time.time()))


def _write_entities(house: House, opens_on: date) -> Path:
    path = State().folder / "demo" / "entities.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (  # JSON strings are TOML strings.
        "# Written by the demo.",
        f"[entities.{json.dumps(house.entity)}]",
        f"currency = {json.dumps(house.currency)}",
        f"time_zone = {json.dumps(house.time_zone)}",
        f"calendar = {json.dumps(house.calendar)}",
        f"opens_on = {opens_on}",
        "sources = []",
        'day_starts = "told"',
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
