"""What the load does to the world: records to publish and requests to send, each with what has to come of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from torture.load.wire import Record

Kind: TypeAlias = Literal[
    "invoice",
    "debit_memo",
    "memo",
    "opening",
    "void",
    "adjustment",
    "decision",
    "receipt",
    "return",
    "advice",
    "reversal",
    "placing",
    "payer",
    "suggestion",
    "look",
    "refund",
    "refund_decision",
    "customer",
    "rate",
    "policy",
    "policy_decision",
    "limit",
    "day",
]


class Meant(StrEnum):
    """What has to come of an operation. `EITHER` is a race: with another operation, or with facts that may have been heard or not."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    EITHER = "either"


class HangUp(StrEnum):
    """How a client leaves: not at all, in the middle of its request, or behind it without waiting for the answer."""

    NO = ""
    HALF_WAY = "half way"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    One thing somebody does, once, however often it takes to send it.

    `body` is what is said, `code` why it has to be refused. It may begin when all operations in `after` are definite.
    """

    id: str
    kind: Kind
    body: Mapping[str, Any]
    meant: Meant = Meant.ACCEPTED
    code: str = ""
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication(Operation):
    """An operation over Kafka: the same fact once or more. One that `is_held` waits until everything else is over."""

    copies: tuple[Record, ...]
    is_held: bool = False

    @property
    def route(self) -> str:
        """The topic."""
        return self.copies[0].topic

    @property
    def key(self) -> str:
        """The Kafka key."""
        return (self.copies[0].key or b"").decode()


@dataclass(frozen=True, slots=True)
class Learnt:
    """
    What nobody knows before another call was answered: it stands at `field` in the answer to the operation `of` (names and places with
    points between them). It becomes `{name}` in the path where that has one, else the field `name` of the body.
    """

    name: str
    of: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Operation):
    """
    An operation over HTTP: always the same key and body, whichever instance of `service` answers in the end.

    With `at` the first attempt goes to that instance. One of which something is to be `learnt` from a refusal is never made.
    """

    service: str
    method: Literal["GET", "POST", "PUT"]
    path: str
    key: str
    subject: str
    if_match: str | None = None
    hang_up: HangUp = HangUp.NO
    at: str = ""
    learnt: tuple[Learnt, ...] = ()

    @property
    def route(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


ROLES: Mapping[str, tuple[str, ...]] = {
    "clerk-1": ("clerk",),
    "clerk-2": ("clerk",),
    "approver-1": ("approver",),
    "approver-2": ("approver",),
    "analyst-1": ("credit-analyst",),
    "operator-1": ("operator",),
    "maker-1": ("policy_maker",),
    "checker-1": ("policy_checker",),
    "checker-2": ("policy_checker",),
}
"""Who calls: subjects of tokens with their roles."""
