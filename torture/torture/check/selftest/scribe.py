"""Who writes the log of the example: records one behind the other, as the services, ERPs and banks would have written them."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from torture.check.log import MARKER_TYPE, Header, Partition, Record
from torture.check.topology import TOPIC_OF, TOPICS

FIRST_DAY: Final = date(2025, 1, 1)
OPEN_ON: Final = date(2025, 1, 7)
ENTITIES: Final = ("US01", "KW01")
PARTITIONS: Final = 2
DOCUMENTS, ENTRIES = "erp.documents", "bank.entries"
SERVICE_OF: Final = {topic: service for service, topic in TOPIC_OF.items()}


class Scribe:
    """Writes records one behind the other, with the sequences and names that the services would give them."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.heads: dict[tuple[str, str], int] = defaultdict(int)
        self.day = FIRST_DAY
        self._ends: dict[Partition, int] = defaultdict(int)

    @property
    def ends(self) -> dict[Partition, int]:
        """One beyond the last record of every partition."""
        return {(topic, partition): self._ends[topic, partition] for topic in TOPICS for partition in range(PARTITIONS)}

    def write(self, topic: str, partition: int, key: str, value: bytes, headers: Mapping[str, str]) -> Record:
        """Append a record as it is."""
        offset = self._ends[topic, partition]
        self._ends[topic, partition] += 1
        spelled: tuple[Header, ...] = tuple((name.encode(), content.encode()) for name, content in headers.items())
        self.records.append(Record(topic, partition, offset, key.encode(), value, spelled))
        return self.records[-1]

    def repeat(self, record: Record) -> None:
        """Append a record once more, byte for byte."""
        headers = {name.decode(): (value or b"").decode() for name, value in record.headers}
        self.write(record.topic, record.partition, (record.key or b"").decode(), record.value or b"", headers)

    def told(self, topic: str, partition: int, id_: str, data: Mapping[str, Any], type_: str = "told") -> Record:
        """Append what others tell us."""
        return self.write(topic, partition, id_, json.dumps(data).encode(), _context(id_, type_, "/erp"))

    def fact(
        self, topic: str, partition: int, key: str, name: str, data: Mapping[str, Any], *, effective_on: str, cause: str = ""
    ) -> Record:
        """Append a fact of ours, booked on the scribe's day."""
        self.heads[topic, key] += 1
        service, sequence = SERVICE_OF[topic], self.heads[topic, key]
        headers = _context(f"{service}/{key}/{sequence}", f"receivables.{name}.v1", f"/receivables/{service}")
        headers |= {"ce_partitionkey": key, "ce_sequence": str(sequence), "ce_entity": data["entity"], "ce_bookedon": str(self.day)}
        headers |= {"ce_effectiveon": effective_on, **({"ce_causationid": cause} if cause else {})}
        return self.write(topic, partition, key, json.dumps(data).encode(), headers)

    def start(self, day: date, topics: tuple[str, ...]) -> None:
        """Append the markers of a day for both entities to every partition of some topics."""
        for topic in topics:
            for partition in range(PARTITIONS):
                for entity in ENTITIES:
                    value = json.dumps({"entity": entity, "date": str(day)}).encode()
                    key = f"{entity}|day|{partition}"
                    self.write(topic, partition, key, value, _context(f"{key}|{day}", MARKER_TYPE, "/receivables/calendar"))


def _context(id_: str, type_: str, source: str) -> dict[str, str]:
    return {"ce_specversion": "1.0", "ce_id": id_, "ce_type": type_, "ce_source": source, "content-type": "application/json"}
