"""The end of a run: nothing hurts any more, nothing is asked any more; wait, with a bound, until everything is at rest."""

import asyncio
import time
from dataclasses import dataclass

from torture.check.topology import SERVICES
from torture.standing import NOT_ANSWERING, Books, Standing

QUIESCE_S_MAX = 180.0
STILL_S = 2.0
LOOK_EVERY_S = 0.25


class NotAtRest(Exception):
    """The services did not come to rest in time; the message says what still moves."""


@dataclass(frozen=True, slots=True)
class Rest:
    """How long coming to rest took, and how much is set aside."""

    seconds: float
    parked: dict[str, int]


async def quiesce(standing: Standing) -> Rest:
    """
    Wait until every outbox is empty, every record heard, nothing held, every entity on one day everywhere, and all that for two seconds.

    :raises NotAtRest: after three minutes.
    """
    began_at = time.monotonic()
    seen, still_since = None, began_at
    moving = "not looked at yet"
    while time.monotonic() - began_at < QUIESCE_S_MAX:
        try:
            ends = await standing.ends()
            books = {service: await standing.books(service) for service in SERVICES}
            moving = _what_moves(ends, books)
        except NOT_ANSWERING as error:
            moving = f"{type(error).__name__}: {error}"
            books = {}
        now = time.monotonic()
        picture = (moving, {service: (one.parked, one.days) for service, one in books.items()})
        if moving or picture != seen:
            seen, still_since = picture, now
        elif now - still_since >= STILL_S:
            return Rest(still_since - began_at, {service: one.parked for service, one in books.items()})
        await asyncio.sleep(LOOK_EVERY_S)
    raise NotAtRest(f"not at rest within {QUIESCE_S_MAX:.0f} s: {moving or 'what is parked, or the days, still change'}")


def _what_moves(ends: dict[tuple[str, int], int], books: dict[str, Books]) -> str:
    for service, one in books.items():
        if one.unpublished:
            return f"{service} has {one.unpublished} facts to send"
        behind = [f"{topic}/{n} is at {at} of {ends[topic, n]}" for (topic, n), at in one.positions.items() if at != ends[topic, n]]
        if behind or not one.positions:
            return f"{service} is behind in {len(behind)} partitions, {behind[0] if behind else 'having none'}"
        if one.held:
            return f"{service} holds {one.held} records"
    for entity in next(iter(books.values())).days:
        days = {service: one.days[entity] for service, one in books.items()}
        if len(set(days.values())) > 1 or any(turning for _, turning in days.values()):
            return f"the days of {entity} differ: {days}"
    return ""
