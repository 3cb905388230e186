"""What facts do to exposure, and how a limit is set."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events import invoice, payment
from events.credit import CreditLimitChanged
from money import format_minor, parse_minor

from credit import domain, queries
from credit.domain import AccountKey, Components

Exposing = (
    invoice.InvoiceIssued
    | invoice.DebitMemoIssued
    | invoice.CreditMemoIssued
    | invoice.InvoiceVoided
    | payment.PaymentApplied
    | payment.CreditApplied
    | payment.ApplicationReversed
    | payment.DiscountGranted
    | payment.DiscountRevoked
    | payment.AdjustmentPosted
    | payment.AdjustmentReversed
    | payment.OnAccountCredited
    | payment.ReceiptUnapplied
)
"""
Every fact that moves a component of an exposure. Money that leaves (`PaymentReversed`, `RefundIssued`) was made unapplied by facts of its
own before, and unapplied money is no component.
"""


async def fold_exposure(db: Connection, facts: Sequence[Received[Exposing]], batch: Batch) -> list[Fact]:
    """Add what the facts move to the exposure of their accounts, summed in memory first: one statement, whatever the batch."""
    moved: dict[AccountKey, Components] = {}
    for received in facts:
        fact = received.data
        key = AccountKey(fact.entity, fact.account, fact.currency)
        moved[key] = moved.get(key, domain.NOTHING) + components_moved(fact)
    await queries.add_components(db, moved)
    return []


def components_moved(fact: Exposing) -> Components:
    """
    What one fact adds to the components of its account and currency.

    :raises AmountRefused, CurrencyUnknown: the fact does not carry an amount of its currency.
    """
    match fact:
        case invoice.InvoiceIssued() | invoice.DebitMemoIssued():
            return domain.billed(parse_minor(fact.total, fact.currency))
        case invoice.InvoiceVoided():
            return domain.voided(parse_minor(fact.total, fact.currency))
        case invoice.CreditMemoIssued():
            return domain.memo_issued(parse_minor(fact.total, fact.currency))
        case payment.PaymentApplied():
            return domain.money_applied(parse_minor(fact.amount, fact.currency))
        case payment.CreditApplied():
            return domain.memo_applied(parse_minor(fact.amount, fact.currency))
        case payment.ApplicationReversed():
            given_back = domain.money_given_back if fact.memo is None else domain.memo_given_back
            return given_back(parse_minor(fact.amount, fact.currency))
        case payment.DiscountGranted():
            return domain.discounted(parse_minor(fact.amount, fact.currency))
        case payment.DiscountRevoked():
            return domain.discount_revoked(parse_minor(fact.amount, fact.currency))
        case payment.AdjustmentPosted():
            return domain.written_off(parse_minor(fact.amount, fact.currency))
        case payment.AdjustmentReversed():
            return domain.recovered(parse_minor(fact.amount, fact.currency))
        case payment.OnAccountCredited():
            return domain.put_on_account(parse_minor(fact.amount, fact.currency))
        case payment.ReceiptUnapplied():
            return domain.taken_off_account(parse_minor(fact.amount, fact.currency))


@dataclass(frozen=True, slots=True)
class SetLimit:
    """
    Somebody sets the limit of an account in one currency.

    `if_match` is the caller's If-Match header, the versions he is ready to replace; `set_by` the principal.
    """

    key: AccountKey
    limit_minor: int
    if_match: str | None
    set_by: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit in force: minor units of the currency, and its version, from 1."""

    key: AccountKey
    limit_minor: int
    version: int


class LimitOutdated(Exception):
    """The limit is not in the version that If-Match names: read it again, then decide."""


class LimitVersionMissing(Exception):
    """A limit is set already: replacing it needs If-Match with the version that was read."""


async def set_limit(db: Connection, command: SetLimit, batch: Batch) -> tuple[list[Fact], Limit]:
    """
    Put a limit in force and keep the ones before it; setting what is in force already changes and publishes nothing.

    :raises LimitOutdated: If-Match does not admit the version in force, or somebody else was faster.
    :raises LimitVersionMissing: another limit is in force and there is no If-Match.
    """
    key = command.key
    before = await queries.find_limit(db, key)
    if command.if_match is not None and not _admits(command.if_match, before):
        raise LimitOutdated
    if before is not None and before[0] == command.limit_minor:
        return [], Limit(key, *before)
    if before is not None and command.if_match is None:
        raise LimitVersionMissing
    limit = Limit(key, command.limit_minor, before[1] + 1 if before else 1)
    booked_on = batch.open_on[key.entity]
    added = await queries.add_limit(db, key, limit.limit_minor, limit.version, set_by=command.set_by, booked_on=booked_on, set_at=batch.now)
    if not added:
        raise LimitOutdated
    changed = CreditLimitChanged(
        entity=key.entity,
        account=key.account,
        currency=key.currency,
        new=format_minor(limit.limit_minor, key.currency),
        old=format_minor(before[0], key.currency) if before else None,
    )
    return [Fact(changed, key.entity, f"{key.entity}|{key.account}", booked_on)], limit


def _admits(if_match: str, in_force: tuple[int, int] | None) -> bool:
    """Whether If-Match admits what is in force: strong tags only, `*` admits any (RFC 9110, section 13.1.1)."""
    if in_force is None:
        return False
    tags = [tag.strip() for tag in if_match.split(",")]
    return "*" in tags or f'"{in_force[1]}"' in tags
