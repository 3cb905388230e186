"""What must be so when a transaction commits: nothing goes back, is booked on a closed day, or parked for no reason."""

from collections.abc import Mapping
from datetime import date

from chassis.outbox import unpack_headers
from events.envelope import read

from simulation.store.session import Row, Session, Store
from simulation.world import World

_NEVER_BACK = {"position": "next_offset", "stream_seen": "sequence", "stream_head": "sequence", "met": "day", "day": "open_on"}
_REASONS = {"failed", "behind", "waits", "day_work"}


class CommitWatch:
    """Looks at what every transaction of one database is about to commit."""

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._store = store

    def look(self, session: Session) -> None:
        """Look at a transaction."""
        writes = session.writes
        for table, column in _NEVER_BACK.items():
            for key, row in writes.get(table, {}).items():
                before = self._store.tables.get(table, {}).get(key)
                if row is None or (before is not None and row[column] < before[column]):
                    self._breaks(f"{table} {key} went back from {before and before[column]} to {row and row[column]}")
        open_on = {row["entity"]: row["open_on"] for row in self._store.rows("day")}
        for row in writes.get("effect", {}).values():
            if row is not None:
                self._look_at_effect(row, open_on)
        opened = {row["entity"] for row in writes.get("day", {}).values() if row is not None}
        for row in writes.get("outbox", {}).values():
            if row is not None:
                self._look_at_outgoing(row, open_on, opened)
        if writes.get("held"):
            self._world.count("held or released")
        for key, row in writes.get("parked", {}).items():
            if row is not None and key not in self._store.tables.get("parked", {}):
                self._world.count(f"parked as {row['reason']}")
            if row is not None and row["reason"] not in _REASONS:
                self._breaks(f"{row['topic']}/{row['partition']}/{row['offset']} was parked as {row['reason']}: {row['detail']}")

    def _look_at_effect(self, row: Row, open_on: Mapping[str, date]) -> None:
        day = open_on[row["entity"]]
        if row["handled_on"] != day or row["booked_on"] < day:
            self._breaks(f"{row['said']} was handled as of {row['handled_on']} and booked on {row['booked_on']} while {day} was open")

    def _look_at_outgoing(self, row: Row, open_on: Mapping[str, date], opened: set[str]) -> None:
        context, _ = read(unpack_headers(row["headers"]), row["value"])
        if context.sequence is None or context.entity is None or context.entity not in open_on or context.booked_on is None:
            return
        day = open_on[context.entity]
        if context.booked_on != day and not (context.entity in opened and (context.booked_on - day).days == 1):
            self._breaks(f"{context.id} was queued booked on {context.booked_on} while {day} was open")

    def _breaks(self, what: str) -> None:
        self._world.breaks(f"{self._store.name}: {what}")
