"""Records as outsiders send them."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from aiokafka.structs import TopicPartition
from chassis.relay import partition_of
from events import bank, erp
from events.envelope import Envelope, to_headers
from events.fact import Event, kind_of

from simulation.case import Said
from simulation.process import PARTITIONS
from simulation.services import ISSUED_ON, REFUSED, WAITS

SOURCE = "/outside"


@dataclass(frozen=True, slots=True)
class Told:
    """One record, to be sent once or more often, and what is to be expected of it."""

    number: str
    nature: str
    place: TopicPartition
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes | None]]

    @property
    def said(self) -> str:
        """How an effect names it."""
        return f"{SOURCE}|{self.number}"


def tell(said: Said, number: int, *, ref: str = "") -> Told:
    """Write down what is said as a CloudEvent; `ref` is the number of an entry that somebody waits for."""
    name, event = _document(said, number) if said.kind == "document" else _entry(said, ref or f"ENTRY-{number:02}", number)
    kind, key = kind_of(type(event)), f"{said.entity}|{said.account}"
    headers: list[tuple[str, bytes | None]] = [*to_headers(Envelope(id=name, type=kind.type, source=SOURCE, entity=said.entity, key=key))]
    if said.nature == "malformed":
        headers = [header for header in headers if header[0] != "ce_id"]
    place = TopicPartition(kind.topic, partition_of(key, PARTITIONS))
    value = msgspec.json.encode(event) if said.nature != "malformed" else b"neither an event nor JSON"
    return Told(name, said.nature, place, key.encode(), value, headers)


def _document(said: Said, number: int) -> tuple[str, Event]:
    name = f"DOCUMENT-{number:02}"
    if said.nature == "refused":
        name = f"{REFUSED}-{number:02}"
    elif said.nature == "waits":
        name = f"{name}{WAITS}AWAITED-{number:02}"
    event = erp.InvoiceIssued(
        entity=said.entity, document_no=name, customer=said.account, currency="JPY", issued_on=ISSUED_ON, total=str(number + 1)
    )
    return name, event


def _entry(said: Said, name: str, number: int) -> tuple[str, Event]:
    event = bank.EntryBooked(
        entity=said.entity,
        account_ref="OURS",
        bank_ref=name,
        value_on=ISSUED_ON,
        amount=str(number + 1),
        currency="JPY",
        customer=said.account,
    )
    return name, event
