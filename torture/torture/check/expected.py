"""
What must be in the end, as an outsider knows who has seen only what was sent and what was answered.

The load's oracle fills it in. What it cannot know (the payer of a receipt that depends on a race) it leaves open here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from torture.check.log import Place

Owner: TypeAlias = tuple[str, str, str]
"""Entity, account, currency."""


class Outcome(StrEnum):
    """What must come of a record that was published on purpose though nobody can use it."""

    IGNORED = "ignored"
    REFUSED = "refused"
    PARKED = "parked"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class ExpectedDocument:
    """An invoice (`kind` "invoice"), debit memo ("debit_memo") or credit memo ("credit_memo") that was accepted; `document` is its id."""

    document: str
    kind: str
    entity: str
    account: str
    currency: str
    total_minor: int


@dataclass(frozen=True, slots=True)
class ExpectedReceipt:
    """
    A receipt that was accepted; `receipt` is `entity|bank_ref`.

    `account` is its payer in the end, None where nobody can be found; `payer_open` where the oracle does not say. One that `was_returned`
    was taken back by a bank, all of it but `refunded_minor`, which two people had paid back before. It names documents of all accounts in
    `among`, of which the one that was known first is the payer.
    """

    receipt: str
    entity: str
    currency: str
    amount_minor: int
    account: str | None
    payer_open: bool = False
    was_returned: bool = False
    refunded_minor: int = 0
    among: tuple[str, ...] = ()

    @property
    def stayed_minor(self) -> int:
        """What of it stayed with us."""
        return self.amount_minor - self.refunded_minor - self.returned_minor

    @property
    def returned_minor(self) -> int:
        """What the bank took back of it, whosever it was by then."""
        return self.amount_minor - self.refunded_minor if self.was_returned else 0


@dataclass(frozen=True, slots=True)
class ExpectedTransfer:
    """Money of a receipt that a person had accepted to be another account's."""

    transfer: str
    receipt: str
    to_account: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class ExpectedRefund:
    """A refund that was asked for and accepted; `status` is what became of it: pending, approved or rejected, by `decided_by`."""

    refund: str
    receipt: str
    amount_minor: int
    requested_by: str
    status: str = "pending"
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class ExpectedAdjustment:
    """
    A request to write off that was accepted; `status` is what became of it: pending, approved, rejected or withdrawn.

    `approved_minor` and `decided_by` (None for a policy) are set once it was approved; how much was posted and recovered, nobody outside
    can know.
    """

    adjustment: str
    entity: str
    item: str
    currency: str
    asked_minor: int
    requested_by: str
    status: str
    approved_minor: int = 0
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class ExpectedPoison:
    """A record published to be refused, parked or ignored, where Kafka says it stands. `kind` is its name in the catalogue."""

    kind: str
    topic: str
    partition: int
    offset: int
    outcome: Outcome

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.topic, self.partition, self.offset


@dataclass(frozen=True, slots=True)
class Command:
    """
    A command over HTTP with all its tries under one key.

    `status` and `answer` are the definite answer, None where there never was one; `effect` is the document or receipt it makes, empty
    where it makes none. `url_path` has the query, if any; `body` and `answer` are bytes as sent and received.
    """

    service: str
    method: str
    route: str
    url_path: str
    entity: str
    principal: str
    key: str
    body: bytes
    status: int | None
    answer: bytes | None = None
    effect: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What was sent besides the token, the key and the content type: If-Match."""

    @property
    def was_accepted(self) -> bool:
        """Whether it was acknowledged."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def was_refused(self) -> bool:
        """Whether it was answered by a refusal, which leaves nothing behind."""
        return self.status is not None and 400 <= self.status < 500


@dataclass(frozen=True, slots=True)
class Expected:
    """
    The end as it must be.

    `documents`, `receipts`, `adjustments` and `refunds` are there exactly once; those in `maybe` (ids of any) may be there or not, for
    nobody ever got an answer. `voided` are the documents among them that are worth nothing. `nets` are billed less voided less credited
    less what was received and stayed with us, by owner, whatever was written off or discounted of it, and without what came from one of
    several; `limits` those in force where the last writer is known. `released` are receipts or memos that a person gave back to the rules,
    `debited` receipts that a person had billed anew. `poisons` hold everything published to be refused, conflicts and bad content included.
    `surprises` are answers that should not have been given, `undecided` operations without a definite end.

    All accounts here are customers. `groups` says under whose account those with a parent settle (by entity and customer): once that was
    heard, which is a matter of chance.
    """

    documents: Mapping[str, ExpectedDocument]
    receipts: Mapping[str, ExpectedReceipt]
    maybe: frozenset[str] = frozenset()
    nets: Mapping[Owner, int] = field(default_factory=dict)
    limits: Mapping[Owner, int] = field(default_factory=dict)
    poisons: Sequence[ExpectedPoison] = ()
    commands: Sequence[Command] = ()
    adjustments: Mapping[str, ExpectedAdjustment] = field(default_factory=dict)
    refunds: Mapping[str, ExpectedRefund] = field(default_factory=dict)
    transfers: Mapping[str, ExpectedTransfer] = field(default_factory=dict)
    debited: frozenset[str] = frozenset()
    groups: Mapping[tuple[str, str], str] = field(default_factory=dict)
    released: frozenset[str] = frozenset()
    voided: frozenset[str] = frozenset()
    surprises: Sequence[str] = ()
    undecided: Sequence[str] = ()

    def group(self, entity: str, account: str | None) -> str | None:
        """Return the account that a customer settles under, sooner or later; nobody stays nobody."""
        return account if account is None else self.groups.get((entity, account), account)
