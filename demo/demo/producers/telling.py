"""Facts of a producer told to a running stack, and what the invoice service answers to each."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

import msgspec
from events import erp
from events.fact import Event
from events.invoice import Reason
from launcher.stack import Urls
from money import parse_minor

from demo.facts import Record, record_of
from demo.kafka import publishing
from demo.migration.answers import RUN_AGAIN, Answers, listening
from demo.migration.documents import Document
from demo.migration.load import Unanswered, says
from demo.producers import xero
from demo.producers.draft import Books
from demo.producers.fields import Json, Unusable
from demo.producers.systems import READERS, System, documents_of
from demo.services import Services

_HASH_DIGITS: Final = 16
_STUCK_SECONDS: Final = 60
_UNKNOWN_SECONDS: Final = 5
"""How long after the last answer a void may stay without one before we say that its document is not known."""

Verdict = Literal["accepted", "there", "refused", "sent", "waiting", "read"]
"""
`there`: in the books before. `sent`: a customer, which nobody answers. `waiting`: a void whose document is not known yet; it counts when
that comes. `read`: nothing was sent.
"""


@dataclass(frozen=True, slots=True)
class Telling:
    """One fact to be told, and where it was read."""

    event: Event
    place: str
    told_on: date

    @property
    def number(self) -> str | None:
        """The number of the document, None of a customer."""
        return getattr(self.event, "document_no", None)

    @property
    def customer(self) -> str:
        """Who was billed; facts of a customer are in order."""
        return str(getattr(self.event, "customer", ""))

    @property
    def source_id(self) -> str:
        """
        The id of the fact: the number and a hash of all it says, so that told again it is the same fact and corrected it is another one.

        Of a customer also the day: what was true before may be true again.
        """
        digest = hashlib.sha256(msgspec.json.encode(self.event)).hexdigest()[:_HASH_DIGITS]
        told = f"{self.customer}|{self.told_on}" if self.number is None else self.number
        return f"{self._entity}|{told}|{digest}"

    def record(self, source: str) -> Record:
        """Return the record to publish."""
        return record_of(self.event, self.told_on, self.source_id, source, f"{self._entity}|{self.customer}")

    @property
    def _entity(self) -> str:
        return str(getattr(self.event, "entity", ""))


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a fact; `reasons` say why it was refused, by the service (`CODE field`) or, without an event, by the reader."""

    place: str
    verdict: Verdict
    telling: Telling | None = None
    reasons: tuple[str, ...] = ()


def read_files(system: System, files: Sequence[Path], books: Books, told_on: date) -> tuple[list[Telling], list[Told]]:
    """
    Read files: what is to be told, customers first, and what cannot be.

    :raises Unreadable: a file is not JSON.
    """
    tellings: list[Telling] = []
    refused: list[Told] = []
    for path in files:
        for place, document in _documents(system, path):
            try:
                tellings += [Telling(event, place, told_on) for event in READERS[system](document, books)]
            except Unusable as unusable:
                refused.append(Told(place, "refused", reasons=(str(unusable),)))
    return sorted(tellings, key=lambda telling: not isinstance(telling.event, erp.CustomerUpserted)), refused


def _documents(system: System, path: Path) -> Iterator[tuple[str, Json]]:
    """Return the documents of a file and where each stands; an answer of Xero holds many."""
    for index, document in enumerate(documents_of(path)):
        place = f"{path.name}[{index}]"
        if system is System.XERO:
            yield from ((place + within, one) for within, one in xero.apart(document))
        else:
            yield place, document


async def tell(tellings: Sequence[Telling], system: System, entity: str, urls: Urls, token: str) -> list[Told]:
    """
    Publish facts and return what became of each, in their order; what is in the books or refused already is not sent again.

    :raises Unanswered: the invoice service said nothing for a minute.
    :raises Trouble: with one sentence that says what to do; running again is always safe.
    """
    services = Services(urls.services, token, entity, RUN_AGAIN)
    try:
        await services.days_of("invoice")  # Says at once when there is no such entity.
    finally:
        await services.close()
    async with listening(urls.kafka, entity, system.source) as answers, publishing(urls.kafka, RUN_AGAIN) as publisher:
        await answers.catch_up()
        told = {index: answer for index, telling in enumerate(tellings) if (answer := became(telling, answers, "there"))}
        to_send = [(index, telling) for index, telling in enumerate(tellings) if index not in told]
        await publisher.publish([telling.record(system.source) for _, telling in to_send])
        told |= await hear(dict(to_send), answers)
    return [told[index] for index in range(len(tellings))]


async def hear(waiting: dict[int, Telling], answers: Answers) -> dict[int, Told]:
    """Take answers in until every fact has its own, or can have none."""
    told = {
        index: Told(telling.place, "sent", telling) for index, telling in waiting.items() if isinstance(telling.event, erp.CustomerUpserted)
    }
    heard_at = time.monotonic()
    while len(told) < len(waiting):
        await answers.poll()
        new = {
            index: answer
            for index, telling in waiting.items()
            if index not in told and (answer := became(telling, answers, "accepted")) is not None
        }
        told |= new
        silence = time.monotonic() - heard_at
        if new:
            heard_at = time.monotonic()
        elif silence > _UNKNOWN_SECONDS and all(
            _is_of_unknown(telling, answers) for index, telling in waiting.items() if index not in told
        ):
            told |= {index: Told(telling.place, "waiting", telling) for index, telling in waiting.items() if index not in told}
        elif silence > _STUCK_SECONDS:
            raise Unanswered(len(waiting) - len(told))
    return told


def became(telling: Telling, answers: Answers, taken_in: Verdict) -> Told | None:
    """Return what the service has said of a fact; in the books beats refused: it was redriven."""
    event = telling.event
    match event:
        case erp.InvoiceVoided():
            is_in = event.document_no in answers.voided
        case erp.InvoiceIssued() | erp.DebitMemoIssued() | erp.CreditMemoIssued():
            issued = answers.issued.get(event.document_no)
            is_in = issued is not None and says(issued, _as_document(event)) and issued.due == _due(event)
        case _:
            return None
    if is_in:
        return Told(telling.place, taken_in, telling)
    reasons = answers.rejected.get(telling.source_id)
    return Told(telling.place, "refused", telling, tuple(_written(reasons))) if reasons else None


def _as_document(event: erp.InvoiceIssued | erp.DebitMemoIssued | erp.CreditMemoIssued) -> Document:
    """Return a fact as those of a migration are compared with the books: a credit is less than zero."""
    minor = parse_minor(event.total, event.currency) * (-1 if isinstance(event, erp.CreditMemoIssued) else 1)
    return Document(event, (), minor, Fraction(minor), None)


def _due(event: erp.InvoiceIssued | erp.DebitMemoIssued | erp.CreditMemoIssued) -> tuple[tuple[date, int], ...]:
    """Return instalments in minor units; credit has none."""
    if isinstance(event, erp.CreditMemoIssued):
        return ()
    return tuple((part.due_on, parse_minor(part.amount, event.currency)) for part in event.instalments or ())


def _is_of_unknown(telling: Telling, answers: Answers) -> bool:
    """Whether it voids a document that the service has not issued."""
    return isinstance(telling.event, erp.InvoiceVoided) and telling.number not in answers.issued


def _written(reasons: Sequence[Reason]) -> Iterator[str]:
    return (f"{reason.code} {reason.field}" for reason in reasons)
