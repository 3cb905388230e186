"""What everybody who plans has in hand: the dice, the present day, numbers not yet used, and what was planned before."""

import heapq
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final
from urllib.parse import quote

from torture.load.operation import Call, HangUp, Kind, Learnt, Meant, Operation, Publication
from torture.load.plan.copies import copies_of
from torture.load.world import Customer, World

REMEMBERED: Final = 400
HELD_SHARE: Final = 0.02
HANG_UP_SHARE: Final = 0.10
PATHS: Final[Mapping[str, tuple[str, str]]] = {
    "invoice": ("invoice", "/v1/invoices"),
    "debit_memo": ("invoice", "/v1/debit-memos"),
    "memo": ("invoice", "/v1/credit-memos"),
    "opening": ("invoice", "/v1/opening-balances"),
    "void": ("invoice", "/v1/voids"),
    "adjustment": ("invoice", "/v1/adjustments"),
    "receipt": ("payment", "/v1/receipts"),
    "refund": ("payment", "/v1/refunds"),
    "policy": ("payment", "/v1/policies"),
}
"""By kind of operation: the service and the address to POST to."""
SERVICE_OF: Final[Mapping[str, str]] = {
    **{kind: service for kind, (service, _) in PATHS.items()},
    **dict.fromkeys(("reversal", "placing", "payer", "suggestion", "refund_decision", "policy_decision"), "payment"),
}
"""Who is asked by kinds of calls; all others are the invoice service's."""
_NUMBERED: Final = frozenset(("invoice", "debit_memo", "memo", "opening", "receipt", "return"))
"""Kinds that take a number or reference, which nobody may use for something else."""


@dataclass(frozen=True, slots=True)
class Billed:
    """
    An invoice or debit memo that was or will be told, and has to be accepted; it has so many `parts`, each an item.

    `percent` of it may be kept back by who pays it early.
    """

    number: str
    customer: Customer
    currency: str
    total_minor: int
    parts: int = 1
    percent: int = 0


@dataclass(frozen=True, slots=True)
class Banked:
    """Money that has to be accepted: what the bank booked, whose it is, and the operation that tells of it."""

    reference: str
    customer: Customer
    currency: str
    minor: int
    operation: str
    is_posted: bool

    def path(self, verb: str) -> str:
        """Return the address of what somebody does with it."""
        return f"/v1/receipts/{quote(self.reference, safe='')}/{verb}"


@dataclass(slots=True)
class Desk:
    """
    Shared by all intents of a plan; `steps` counts what was planned so far.

    `taken` are operations whose number or reference is taken, `issued` the first operation that tells of a document, by its number.
    """

    world: World
    random: Random
    run: str
    steps_per_day: int
    steps: int = 0
    billed: deque[Billed] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    taken: deque[Operation] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    banked: deque[Banked] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    spoken_for: set[str] = field(default_factory=set)  # References of money that somebody takes back, or decides about.
    issued: dict[str, str] = field(default_factory=dict)
    posted: set[str] = field(default_factory=set)  # Numbers of documents that were posted: there once they are acknowledged.
    asked_of: set[str] = field(default_factory=set)  # Numbers of documents that somebody has asked to write off.
    contradicted: Counter[str] = field(default_factory=Counter)  # How often something else was said than an operation has said.
    limits: dict[tuple[str, str, str], tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    _numbers: int = 0
    _later: list[tuple[int, str, Operation]] = field(default_factory=list)

    @property
    def day(self) -> date:
        """The date that what is said speaks of."""
        return self.world.opens_on + timedelta(days=self.steps // self.steps_per_day)

    def step(self) -> list[Operation]:
        """Go on by one step; return the operations that were put off until now."""
        self.steps += 1
        due = []
        while self._later and self._later[0][0] <= self.steps:
            due.append(heapq.heappop(self._later)[2])
        return due

    def put_off(self, steps: int, operation: Operation) -> None:
        """Have an operation come some steps later."""
        heapq.heappush(self._later, (self.steps + steps, operation.id, operation))

    def number(self) -> int:
        """Return a number never used before."""
        self._numbers += 1
        return self._numbers

    def id(self) -> str:
        """Return the id of a new operation."""
        return f"op-{self.number():06d}"

    def day_near(self, back: int) -> date:
        """Return the present day or one of up to `back` days before it."""
        return self.day - timedelta(days=self.random.randint(0, back))

    def day_gone(self, back: int) -> date:
        """Return a day of up to `back` days before the one before yesterday: the books may be that far behind, and refuse what is ahead."""
        return self.day_near(back) - timedelta(days=2)

    def billed_to(self, customer: Customer, currency: str) -> list[Billed]:
        """Return the invoices remembered of a customer in a currency, the oldest first."""
        return [one for one in self.billed if one.customer == customer and one.currency == currency]

    def any_billed(self) -> Billed:
        """Draw one of the invoices remembered, of which there must be some: the customer first, or the hot one would not be hot."""
        customer = self.world.choose(self.random)
        invoices = [one for one in self.billed if one.customer == customer]
        return self.random.choice(invoices or list(self.billed))

    def any_banked(self, *, is_posted: bool = False) -> Banked | None:
        """Draw money that nobody has taken back or decides about, and have it spoken for; None where there is none."""
        free = [one for one in self.banked if one.reference not in self.spoken_for and (one.is_posted or not is_posted)]
        if not free:
            return None
        chosen = self.random.choice(free)
        self.spoken_for.add(chosen.reference)
        return chosen

    def any_there(self, candidates: Sequence[Billed]) -> Billed:
        """
        Draw one of some invoices, two times in three one that was posted, if there is any.

        What was told over Kafka may not have been heard when somebody wants something done with it.
        """
        posted = [one for one in candidates if one.number in self.posted] if self.random.random() < 2 / 3 else []
        return self.random.choice(posted or candidates)

    def publication(
        self, kind: Kind, type_: str, topic: str, key: str, body: Mapping[str, Any], name: str = "", after: Sequence[str] = ()
    ) -> Publication:
        """Plan to tell a fact that has to be accepted: up to five times, spelled this way and that, perhaps only at the end."""
        id_ = self.id()
        copies = copies_of(self.random, id_, type_, topic, key, body, name)
        is_held = self.random.random() < HELD_SHARE and not after
        told = Publication(id=id_, kind=kind, body=body, after=tuple(after), copies=copies, is_held=is_held)
        self._remember(told)
        return told

    def refused_publication(
        self,
        kind: Kind,
        type_: str,
        topic: str,
        key: str,
        body: Mapping[str, Any],
        code: str,
        after: Sequence[str] = (),
        name: str = "",
    ) -> Publication:
        """Plan to tell something that has to be refused for `code`: one to three times, byte for byte the same."""
        id_ = self.id()
        first, *_ = copies_of(self.random, id_, type_, topic, key, body, name)
        n = self.random.choice((1, 1, 2, 3))
        return Publication(
            id=id_,
            kind=kind,
            body=body,
            meant=Meant.REFUSED,
            code=code,
            after=tuple(after),
            copies=(first,) * n,
        )

    def post(
        self,
        kind: Kind,
        body: Mapping[str, Any],
        *,
        meant: Meant = Meant.ACCEPTED,
        code: str = "",
        after: Sequence[str] = (),
        subject: str = "clerk-1",
        path: str = "",
        learnt: Sequence[Learnt] = (),
        at: str = "",
    ) -> Call:
        """
        Plan to post a document, a receipt or what somebody wants done with them; `path` where it is not that of the kind.

        `learnt` and `at` are those of `Call`.
        """
        service, usual_path = SERVICE_OF.get(kind, "invoice"), PATHS.get(kind, ("", ""))[1]
        id_ = self.id()
        call = Call(
            id=id_,
            kind=kind,
            body=body,
            meant=meant,
            code=code,
            after=tuple(after),
            service=service,
            method="POST",
            path=path or usual_path,
            key=f"{self.run}-{id_}",
            subject=subject,
            hang_up=self.hang_up(),
            at=at,
            learnt=tuple(learnt),
        )
        if meant is Meant.ACCEPTED:
            self._remember(call)
        return call

    def look(self, service: str, path: str, after: Sequence[str]) -> Call:
        """Plan to look at something, which may not be there; others learn from the answer."""
        id_ = self.id()
        return Call(
            id=id_,
            kind="look",
            body={},
            meant=Meant.EITHER,
            after=tuple(after),
            service=service,
            method="GET",
            path=path,
            key=f"{self.run}-{id_}",
            subject="clerk-1",
        )

    def hang_up(self) -> HangUp:
        """Decide how a client leaves: one in ten does not wait for its answer."""
        if self.random.random() >= HANG_UP_SHARE:
            return HangUp.NO
        return self.random.choice((HangUp.HALF_WAY, HangUp.UNANSWERED, HangUp.UNANSWERED))

    def _remember(self, operation: Operation) -> None:
        if operation.kind in _NUMBERED:
            self.taken.append(operation)
            if operation.kind not in ("receipt", "return"):
                self.issued.setdefault(operation.body["document_no"], operation.id)
                self.posted |= {operation.body["document_no"]} if isinstance(operation, Call) else set()
