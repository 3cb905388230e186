"""Tells documents to the invoice service and waits until it has answered every one of them; safe to stop anywhere and to run again."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from events import erp, invoice
from events.fact import Event
from events.invoice import Reason
from launcher.trouble import Trouble

from demo.kafka import Publisher
from demo.migration.answers import Answers, Issued
from demo.migration.documents import Document

PORTION: Final = 500
UNANSWERED_MAX: Final = 2_000
"""So far ahead of the answers we send: what is on its way when somebody stops us stays little."""
_STUCK_SECONDS: Final = 60
_LOOK_SECONDS: Final = 0.3
_OPENING: Final = "opening_balance"
_TAKEN_IN_AS: Final[dict[type[Event], type[Event]]] = {
    erp.InvoiceIssued: invoice.InvoiceIssued,
    erp.DebitMemoIssued: invoice.DebitMemoIssued,
    erp.CreditMemoIssued: invoice.CreditMemoIssued,
}

Watch = Callable[[int, int], None]
"""Told how many documents were sent and how many are answered, often."""


class Unanswered(Trouble):
    """The invoice service stopped answering."""

    def __init__(self, waiting: int) -> None:
        super().__init__(
            f"{waiting} documents were sent and not answered for {_STUCK_SECONDS} s: `make status` and `make logs S=invoice` tell why. "
            "Nothing is lost: run the same command again."
        )


class ReportingBehind(Trouble):
    """Reporting does not fold what the invoice service says."""

    def __init__(self, lag: int) -> None:
        super().__init__(
            f"Reporting has not folded {lag} facts for {_STUCK_SECONDS} s, so nothing can be tied out: `make logs S=reporting` tells why. "
            "The documents are in the books: run the same command again."
        )


@dataclass(slots=True)
class Outcome:
    """What became of every document: accepted by this run, in the books before, or refused with every reason."""

    accepted: list[Document] = field(default_factory=list)
    there: list[Document] = field(default_factory=list)
    refused: list[tuple[Document, tuple[Reason, ...]]] = field(default_factory=list)

    @property
    def in_books(self) -> list[Document]:
        """All documents that are in the books now."""
        return [*self.there, *self.accepted]


class Load:
    """One run; the answers have been read up to now before it is made. `to_send` is what has none yet."""

    def __init__(self, documents: Sequence[Document], publisher: Publisher, answers: Answers) -> None:
        self.outcome = Outcome()
        self._publisher = publisher
        self._answers = answers
        self._sent = 0
        self._waiting: dict[str, Document] = {}
        self.to_send = [document for document in documents if not self._settle(document, into=self.outcome.there)]

    async def run(self, watch: Watch) -> Outcome:
        """
        Send what has no answer yet, and return when all of it has one.

        :raises Unanswered: nothing came for a minute.
        :raises KafkaGone: the broker stopped answering.
        """
        for start in range(0, len(self.to_send), PORTION):
            portion = self.to_send[start : start + PORTION]
            self._waiting |= {document.source_id: document for document in portion}
            self._sent += len(portion)
            await self._publisher.publish([document.record() for document in portion])
            await self._hear(UNANSWERED_MAX, watch)
        await self._hear(0, watch)
        return self.outcome

    async def _hear(self, waiting_max: int, watch: Watch) -> None:
        """Take answers in until no more documents than that wait for theirs."""
        heard_at = time.monotonic()
        while True:
            if await self._answers.poll():
                before = len(self._waiting)
                self._waiting = {
                    source_id: document
                    for source_id, document in self._waiting.items()
                    if not self._settle(document, into=self.outcome.accepted)
                }
                if len(self._waiting) < before:
                    heard_at = time.monotonic()
            watch(self._sent, self._sent - len(self._waiting))
            if len(self._waiting) <= waiting_max:
                return
            if time.monotonic() - heard_at > _STUCK_SECONDS:
                raise Unanswered(len(self._waiting))

    def _settle(self, document: Document, into: list[Document]) -> bool:
        """Put a document where its answer belongs; False when there is none. In the books beats refused: it was redriven."""
        issued = self._answers.issued.get(document.number)
        if issued and says(issued, document):
            into.append(replace(document, minor=issued.minor))
            return True
        reasons = self._answers.rejected.get(document.source_id)
        if reasons:
            self.outcome.refused.append((document, reasons))
            return True
        return False


def says(issued: Issued, document: Document) -> bool:
    """
    Whether a document in the books is the one we tell of: the same kind, customer, currency, day and amount, and due on the same day where
    ours says one.

    An amount that had to be rounded may have been rounded to its other neighbour: an earlier run was tied out on another day, and what it
    has loaded stays.
    """
    fact = document.fact
    if isinstance(fact, erp.OpeningBalanceLoaded):
        kind: type[Event] = invoice.InvoiceIssued if document.minor > 0 else invoice.CreditMemoIssued
        if issued.origin != _OPENING:
            return False
    else:
        kind = _TAKEN_IN_AS[type(fact)]
    ours = (kind, fact.customer, fact.currency, fact.issued_on)
    same_day = document.due_on is None or [due_on for due_on, _ in issued.due] == [document.due_on]
    same_amount = abs(issued.minor - document.exact) < 1  # Of whole amounts only the same one is as near.
    return same_day and same_amount and ours == (issued.kind, issued.customer, issued.currency, issued.issued_on)


async def until_folded(answers: Answers) -> None:
    """
    Return when reporting has folded all that the invoice service has said.

    :raises ReportingBehind: it does not get on.
    :raises KafkaGone: the broker stopped answering.
    """
    least, moved_at = None, time.monotonic()
    while lag := await answers.reporting_lag():
        if least is None or lag < least:
            least, moved_at = lag, time.monotonic()
        if time.monotonic() - moved_at > _STUCK_SECONDS:
            raise ReportingBehind(lag)
        await asyncio.sleep(_LOOK_SECONDS)
