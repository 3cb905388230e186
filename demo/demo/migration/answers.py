"""What the invoice service has said of documents: its topic read from the beginning, so that an earlier run is known, too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from events import invoice
from events.fact import Event, kind_of
from money import parse_minor

from demo.kafka import KafkaGone, part_from

TOPIC: Final = "receivables.invoice"
RUN_AGAIN: Final = "nothing is lost: run the same command again"
_REPORTING_GROUP: Final = "receivables-reporting"
_POLL_MS: Final = 200
_SAYING: Final[dict[bytes, type[Event]]] = {
    kind_of(event).type.encode(): event
    for event in (invoice.InvoiceIssued, invoice.DebitMemoIssued, invoice.CreditMemoIssued, invoice.InvoiceVoided, invoice.DocumentRejected)
}


@dataclass(frozen=True, slots=True)
class Issued:
    """A document as the service took it in; `minor` is less than zero for credit, `due` are its instalments."""

    kind: type[Event]
    customer: str
    currency: str
    issued_on: date
    minor: int
    due: tuple[tuple[date, int], ...]
    origin: str | None


class Answers:
    """
    The documents of one entity that are in the books, by number, the numbers of those that are void, and the reasons of refusals, by the id
    of what was refused.

    Our services publish in binary mode: the type is a header, the value the data.
    """

    def __init__(self, bootstrap: str, entity: str, source: str, consumer: AIOKafkaConsumer) -> None:
        self.issued: dict[str, Issued] = {}
        self.voided: set[str] = set()
        self.rejected: dict[str, tuple[invoice.Reason, ...]] = {}
        self._bootstrap = bootstrap
        self._entity = entity
        self._source = source
        self._consumer = consumer

    async def catch_up(self) -> None:
        """
        Read all that stands in the topic by now.

        :raises KafkaGone: the broker stopped answering.
        """
        try:
            places = list(self._consumer.assignment())
            ends = await self._consumer.end_offsets(places)
            while any([await self._consumer.position(place) < ends[place] for place in places]):
                await self.poll()
        except KafkaError as error:
            raise KafkaGone(self._bootstrap, type(error).__name__, RUN_AGAIN) from None

    async def reporting_lag(self) -> int:
        """
        Return how many facts of the topic reporting has not folded yet, by the offsets it tells the broker about once a second.

        :raises KafkaGone: the broker stopped answering.
        """
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        try:
            await admin.start()
            ends = await self._consumer.end_offsets(list(self._consumer.assignment()))
            told = await admin.list_consumer_group_offsets(_REPORTING_GROUP)
        except (KafkaError, OSError) as error:
            raise KafkaGone(self._bootstrap, type(error).__name__, RUN_AGAIN) from None
        finally:
            await admin.close()
        return sum(end - max(0, told[place].offset if place in told else 0) for place, end in ends.items())

    async def poll(self) -> int:
        """
        Read what has come, waiting a moment for it; return how many records that were.

        :raises KafkaGone: the broker stopped answering.
        """
        try:
            polled = await self._consumer.getmany(timeout_ms=_POLL_MS)
        except KafkaError as error:
            raise KafkaGone(self._bootstrap, type(error).__name__, RUN_AGAIN) from None
        for records in polled.values():
            for record in records:
                said = _SAYING.get(dict(record.headers).get("ce_type", b""))
                if said is not None and record.value is not None:
                    self._note(msgspec.json.decode(record.value, type=said))
        return sum(map(len, polled.values()))

    def _note(self, said: Event) -> None:
        """Remember one fact, if it is about our entity or answers us."""
        match said:
            case invoice.DocumentRejected(source=self._source, source_id=source_id):
                self.rejected[source_id] = tuple(said.reasons)
            case invoice.InvoiceVoided(entity=self._entity, document_no=number):
                self.voided.add(number)
            case invoice.Billed(entity=self._entity):
                due = tuple((part.due_on, parse_minor(part.amount, said.currency)) for part in said.instalments)
                self._issue(said, parse_minor(said.total, said.currency), due)
            case invoice.CreditMemoIssued(entity=self._entity):
                self._issue(said, -parse_minor(said.total, said.currency), ())

    def _issue(self, said: invoice.Billed | invoice.CreditMemoIssued, minor: int, due: tuple[tuple[date, int], ...]) -> None:
        self.issued[said.document_no] = Issued(type(said), said.customer, said.currency, said.issued_on, minor, due, said.origin)


@asynccontextmanager
async def listening(bootstrap: str, entity: str, source: str) -> AsyncIterator[Answers]:
    """
    Connect as a reader without a group, at the beginning of the topic.

    :raises KafkaGone: there is no broker, or the topic is missing.
    """
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        try:
            await consumer.start()
            if not consumer.assignment():
                raise KafkaError(f"there is no topic {TOPIC}")
        except (KafkaError, OSError) as error:
            raise KafkaGone(bootstrap, type(error).__name__, RUN_AGAIN) from None
        yield Answers(bootstrap, entity, source, consumer)
    finally:
        await part_from(consumer)
