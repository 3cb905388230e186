"""What people decide about money and credit: kept in the order in which they decide, and carried out by the settlement of the day."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from chassis.database import Connection
from chassis.service import Batch, Fact
from events.invoice import Reason
from events.payment import DepositReleased
from money import format_minor
from policies.faults import Fault

from payment.domain import PERSON, RECEIPT, Source
from payment.domain.hand import Applied, Asked, Held, Owed, examine_application, examine_release, examine_taking_off, source_of
from payment.handlers.bookings import Causes, in_order
from payment.handlers.loading import Brought
from payment.handlers.payers import PayersKeptMoving
from payment.handlers.settlement import Named, settle_accounts
from payment.queries import decisions as queries
from payment.queries import locks
from payment.queries.decisions import DecisionRow
from payment.queries.locks import Account

Kind: TypeAlias = Literal["apply", "unapply", "release", "refund"]

_ROUNDS_MAX: Final = 5
_NO_CAUSES: Final[Causes] = MappingProxyType({})
_NO_REFUNDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NewDecision:
    """
    What a person has decided about money or credit of a source; see `domain.Decision`.

    `item` is its id in facts, empty for a release and a refund; `amount_minor` is zero for a release. `id` is given where it has one.
    """

    kind: Kind
    source: Source
    amount_minor: int
    effective_on: date
    reason: str
    decided_by: str
    item: str = ""
    id: str | None = None

    @property
    def entity(self) -> str:
        """Whose books it changes."""
        return self.source.id.partition("|")[0]


class SourceUnknown(Exception):
    """The entity has no such receipt or memo."""


class ApplicationUnknown(Exception):
    """There is no such application of a receipt or a memo."""


class DecisionUnfit(Exception):
    """What was asked for cannot be done as the books stand: `reasons` are all there are; of what is asked about, what is here is given."""

    def __init__(
        self, faults: Sequence[Fault], *, held: Held | None = None, owed: Owed | None = None, applied: Applied | None = None
    ) -> None:
        super().__init__(", ".join(fault.code for fault in faults))
        self.reasons = [Reason(code=fault.code, field=fault.field) for fault in faults]
        self.held = held
        self.owed = owed
        self.applied = applied


class Locked(NamedTuple):
    """Receipts and memos as they stand, and the accounts they stand on, which are locked."""

    held: Mapping[Source, Held]
    accounts: Sequence[Account]


async def decide(
    db: Connection,
    decisions: Sequence[NewDecision],
    batch: Batch,
    causes: Causes = _NO_CAUSES,
    refunds: Mapping[str, tuple[str, str]] = _NO_REFUNDS,
) -> list[Fact]:
    """
    Keep decisions of people, of one entity, in their order, and settle the accounts they are about.

    The settlement cuts them to what there is: who must know beforehand examines them under the lock of `lock_held`. `refunds` says of each
    refund among them, by its id, who asked for it and who approved it.

    :raises SourceUnknown: a receipt or memo is not here, or a receipt is nobody's. KeyError: an item is not here.
    """
    if not decisions:
        return []
    held, accounts = await lock_held(db, {one.source for one in decisions})
    if any(one.source not in held or not held[one.source].is_identified for one in decisions):
        raise SourceUnknown
    owed = await queries.find_owed(db, {one.item for one in decisions if one.item})
    day = batch.open_on[decisions[0].entity]
    await queries.insert_decisions(db, await _rows(db, decisions, held, owed), day)
    brought = Brought(decided={account.id for account in accounts}, refunds=refunds)
    return in_order(await settle_accounts(db, dict.fromkeys(accounts, day), causes, Named(), accounts, brought))


async def _rows(
    db: Connection, decisions: Sequence[NewDecision], held: Mapping[Source, Held], owed: Mapping[str, Owed]
) -> list[DecisionRow]:
    """The rows to keep; what has no id gets the next number of its account."""
    numbers = defaultdict(int, await queries.count_decisions(db, {one.account_id for one in held.values()}))
    rows = []
    for one in decisions:
        of = held[one.source]
        numbers[of.account_id] += 1
        is_receipt = one.source.kind == RECEIPT
        rows.append(
            DecisionRow(
                decision=one.id or f"{one.entity}|decision|{of.account}|{numbers[of.account_id]}",
                account_id=of.account_id,
                receipt_id=of.row_id if is_receipt else None,
                memo_id=None if is_receipt else of.row_id,
                item_id=owed[one.item].row_id if one.item else None,
                kind=one.kind,
                amount_minor=one.amount_minor,
                effective_on=one.effective_on,
                reason=one.reason,
                decided_by=one.decided_by,
            )
        )
    return rows


async def lock_held(db: Connection, sources: Collection[Source]) -> Locked:
    """
    Lock the accounts that receipts and memos stand on, and return these as they stand then; those that are not here are left out.

    :raises PayersKeptMoving: see there.
    """
    locked: dict[tuple[str, str], Account] = {}
    for _ in range(_ROUNDS_MAX):
        held = await queries.find_held(db, sources)
        standing = {(source.id.partition("|")[0], one.account) for source, one in held.items()}
        if standing <= locked.keys():
            return Locked(held, [locked[name] for name in sorted(standing)])
        locked |= await locks.lock_accounts(db, standing)
    raise PayersKeptMoving


async def apply_by_hand(db: Connection, source: Source, item: str, asked: Asked, batch: Batch) -> list[Fact]:
    """
    Apply money or credit to an item because a person says so.

    Discount and tolerance are those of any payment of that amount. Money held since an earlier day counts from the open day on.

    :raises SourceUnknown, DecisionUnfit: see there.
    """
    held = await _lock(db, source)
    owed = (await queries.find_owed(db, {item})).get(item) if _is_item(item, source) else None
    minor = examine_application(asked, held, owed)
    if isinstance(minor, list):
        raise DecisionUnfit(minor, held=held, owed=owed)
    effective_on = asked.effective_on or held.since_on
    return await decide(db, [NewDecision("apply", source, minor, effective_on, asked.reason, asked.by, item)], batch)


async def take_off_by_hand(db: Connection, application: str, asked: Asked, batch: Batch) -> list[Fact]:
    """
    Take an application off its item again, or the amount asked for, as of a date of its own; no rule puts it there again (PAY-07).

    Of several applications of one source to one item the latest goes first. What was placed on the open day itself never stood there.

    :raises ApplicationUnknown, DecisionUnfit: see there.
    """
    source = source_of(application)
    if source is None:
        raise ApplicationUnknown
    await lock_held(db, {source})
    applied = await queries.find_applied(db, application, source)
    if applied is None:
        raise ApplicationUnknown
    minor = examine_taking_off(asked, applied)
    if isinstance(minor, list):
        raise DecisionUnfit(minor, applied=applied)
    effective_on = asked.effective_on or asked.open_on
    decision = NewDecision("unapply", source, minor, effective_on, asked.reason, asked.by, applied.item)
    is_placed_today = applied.rule != PERSON and applied.applied_on == asked.open_on
    if is_placed_today and minor < applied.minor:  # A rule of today would leave the item alone altogether: what stays becomes the person's.
        kept = NewDecision("apply", source, applied.minor, applied.effective_on, asked.reason, asked.by, applied.item)
        return await decide(db, [kept, decision], batch)
    return await decide(db, [decision], batch)


async def release_by_hand(db: Connection, source: Source, asked: Asked, batch: Batch) -> list[Fact]:
    """
    Let rules use again what a person took off items, or a deposit, which is told: it is bound to its order no more (PAY-16).

    :raises SourceUnknown, DecisionUnfit: see there.
    """
    held = await _lock(db, source)
    if faults := examine_release(asked, held):
        raise DecisionUnfit(faults, held=held)
    told = [] if held.bound_to is None else [_released(held, held.bound_to, asked)]
    return told + await decide(db, [NewDecision("release", source, 0, asked.open_on, asked.reason, asked.by)], batch)


def _released(held: Held, bound_to: str, asked: Asked) -> Fact:
    entity = held.source.id.partition("|")[0]
    event = DepositReleased(
        entity=entity,
        receipt=held.source.id,
        account=held.account,
        currency=held.currency,
        amount=format_minor(held.free_minor, held.currency),
        deposit_for=bound_to,
        reason=asked.reason,
        released_by=asked.by,
    )
    return Fact(event, entity, f"{entity}|{held.account}", asked.open_on)


async def _lock(db: Connection, source: Source) -> Held:
    held, _ = await lock_held(db, {source})
    if source not in held:
        raise SourceUnknown
    return held[source]


def _is_item(item: str, source: Source) -> bool:
    """Whether a text can be the id of an item of the source's entity: `entity|document_no|n`."""
    entity, *rest = item.split("|")
    return entity == source.id.partition("|")[0] and len(rest) == 2 and rest[1].isascii() and rest[1].isdigit() and len(rest[1]) < 10
