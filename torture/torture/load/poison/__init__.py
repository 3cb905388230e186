"""Poison: a catalogue of records that no sender should send, and a way to publish them that knows where they stand."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from torture.load.poison.bank import BANK
from torture.load.poison.documents import DOCUMENTS
from torture.load.poison.domain import DOMAIN, before_its_predecessor
from torture.load.poison.envelope import ENVELOPES
from torture.load.poison.ingress import CONTENTS
from torture.load.poison.kind import Dose, Poison, Poisoned
from torture.load.publisher import Place, Publisher, TurnedAway, Unacknowledged

__all__ = ["CATALOGUE", "Dose", "Poison", "Poisoned", "before_its_predecessor", "publish"]

CATALOGUE: Final[Sequence[Poison]] = (*CONTENTS, *DOCUMENTS, *BANK, *ENVELOPES, *DOMAIN)
"""Every poison. Each may be published once a run: its numbers are its own."""
PATIENCE_S: Final = 90.0
_PAUSE_S: Final = 0.5


async def publish(bootstrap: str, poisons: Sequence[Poison]) -> list[Poisoned]:
    """
    Publish poisons side by side and return what Kafka has said of each dose.

    A dose is sent again until it is acknowledged, for a minute and a half; the doses behind one that never was are left out.
    """
    publisher = Publisher(bootstrap)
    try:
        done = await asyncio.gather(*(_administer(publisher, poison) for poison in poisons))
    finally:
        await publisher.close()
    return [poisoned for of_one in done for poisoned in of_one]


async def _administer(publisher: Publisher, poison: Poison) -> list[Poisoned]:
    deadline = time.monotonic() + PATIENCE_S
    done: list[Poisoned] = []
    for dose in poison.doses:
        unsure = False
        places: list[Place] = []
        while not places and time.monotonic() < deadline:
            try:
                places.append(await publisher.send(dose.record))
            except TurnedAway:
                break
            except Unacknowledged:
                unsure = True
                await asyncio.sleep(_PAUSE_S)
        done.append(Poisoned(poison, dose, tuple(places), unsure))
        if unsure and not places:
            break
    return done
