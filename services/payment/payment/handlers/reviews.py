"""What people make of suggestions: accepted, whole or in part, or rejected; each is a fact (PAY-06)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from chassis.database import Connection
from chassis.service import Batch, Fact
from events.invoice import Reason
from events.payment import SuggestionAccepted, SuggestionRejected
from money import AmountRefused, parse_minor

from payment.domain.books import MEMO, RECEIPT, Source
from payment.domain.suggestions import ALREADY_PAID, Share, Suggestion, shares_of
from payment.handlers.bookings import in_order
from payment.handlers.decisions import NewDecision, decide
from payment.handlers.identification import give_to
from payment.handlers.suggestions import find_matches, load_scoring
from payment.queries import locks, made
from payment.queries import suggestions as queries
from payment.queries.made import NewSuggestion, StoredSuggestion
from payment.queries.suggestions import FreeReceipt


class SuggestionUnknown(Exception):
    """There is no such suggestion."""


class SuggestionDecided(Exception):
    """Somebody has decided about this suggestion already."""


class SuggestionGone(Exception):
    """What this suggestion was about has changed since; look again."""


class NothingToApply(Exception):
    """The item is paid already: the money is to be refunded or kept, not applied."""


class AcceptanceRefused(Exception):
    """The suggestion cannot be taken like this."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(reasons)
        self.reasons = reasons


class Wanted(NamedTuple):
    """So much of an item of a suggestion, as a person wrote it."""

    item: str
    amount: str


@dataclass(frozen=True, slots=True)
class _Open:
    """A suggestion that is made now, of a receipt, under a policy."""

    receipt: FreeReceipt
    suggestion: Suggestion
    policy_version: str


async def accept_suggestion(
    db: Connection, name: str, wanted: Sequence[Wanted] | None, reason: str, principal: str, batch: Batch
) -> tuple[list[Fact], StoredSuggestion]:
    """
    Apply the money of a suggestion that is made still, all of it or what is `wanted`; a receipt without a payer is given to it first.

    :raises SuggestionUnknown, SuggestionDecided, SuggestionGone, NothingToApply, AcceptanceRefused: see there.
    """
    before = await _find_open(db, name, batch)
    if before.suggestion.rule == ALREADY_PAID:
        raise NothingToApply
    entity, account = before.receipt.entity, before.suggestion.account
    accounts = await locks.lock_accounts(db, {(entity, before.receipt.account), (entity, account)})
    found = await _find_open(db, name, batch)  # Again, now that nobody else moves the money or the items.
    receipt = found.receipt
    if receipt.account != before.receipt.account:
        raise SuggestionGone
    shares = shares_of(found.suggestion) if wanted is None else _read(found, wanted)
    bookings = [] if receipt.is_identified else await give_to(db, receipt, account, reason, principal, accounts, batch)
    accepted = SuggestionAccepted(
        entity=entity,
        suggestion=name,
        receipt=receipt.receipt,
        account=account,
        accepted_by=principal,
        items=list(dict.fromkeys(one.item for one in shares)),
    )
    facts = [*in_order(bookings), Fact(accepted, entity, f"{entity}|{account}", batch.open_on[entity])]
    stored = await _keep(db, found, "accepted", reason, principal, batch)
    return facts + await decide(db, [_decision(one, receipt, reason, principal) for one in shares], batch), stored


async def reject_suggestion(db: Connection, name: str, reason: str, principal: str, batch: Batch) -> tuple[list[Fact], StoredSuggestion]:
    """
    Refuse a suggestion: nothing about just its items is suggested for the receipt again.

    :raises SuggestionUnknown, SuggestionDecided, SuggestionGone: see there.
    """
    found = await _find_open(db, name, batch)
    entity, receipt = found.receipt.entity, found.receipt
    await locks.lock_accounts(db, {(entity, receipt.account)})
    found = await _find_open(db, name, batch)
    stored = await _keep(db, found, "rejected", reason, principal, batch)
    rejected = SuggestionRejected(
        entity=entity,
        suggestion=name,
        receipt=receipt.receipt,
        rejected_by=principal,
        reason=reason,
        account=receipt.account if receipt.is_identified else None,
    )
    return [Fact(rejected, entity, f"{entity}|{receipt.account}", batch.open_on[entity])], stored


async def _find_open(db: Connection, name: str, batch: Batch) -> _Open:
    """Compute the suggestions of a receipt and find the one of this name among them."""
    entity, _, rest = name.partition("|")
    receipt = await queries.find_free(db, entity, rest.rpartition("|")[0])
    found = None if receipt is None else await _find_among(db, receipt, name, batch)
    stored = await made.find_suggestion(db, name)  # Read last: what has become of it while we looked is told.
    if stored is not None and stored.state != "made":
        raise SuggestionDecided
    if found is None:
        raise SuggestionUnknown if stored is None else SuggestionGone
    return found


async def _find_among(db: Connection, receipt: FreeReceipt, name: str, batch: Batch) -> _Open | None:
    open_on = batch.open_on[receipt.entity]
    scoring = await load_scoring(db, receipt.entity, open_on)
    found = await find_matches(db, receipt.entity, [receipt], open_on + timedelta(days=1), scoring)
    return next((_Open(receipt, one, scoring.version) for one in found[receipt.id].suggestions if one.id == name), None)


def _read(found: _Open, wanted: Sequence[Wanted]) -> list[Share]:
    """Read what somebody wants of a suggestion: items of it, each once, no more of them than suggested, nor of the money than is free."""
    most = {one.item: one.amount_minor for one in found.suggestion.parts if one.amount_minor > 0}
    reasons: list[Reason] = []
    shares: list[Share] = []
    for place, (item, amount) in enumerate(wanted):
        if item not in most:
            reasons.append(Reason(code="ITEM_NOT_SUGGESTED", field=f"items[{place}].item"))
        elif item in (one.item for one in wanted[:place]):
            reasons.append(Reason(code="ITEM_REPEATED", field=f"items[{place}].item"))
        try:
            minor = parse_minor(amount, found.receipt.currency)
        except AmountRefused as refused:
            reasons.append(Reason(code=refused.code, field=f"items[{place}].amount"))
            continue
        if minor <= 0:
            reasons.append(Reason(code="AMOUNT_NOT_POSITIVE", field=f"items[{place}].amount"))
        elif minor > most.get(item, minor):
            reasons.append(Reason(code="MORE_THAN_SUGGESTED", field=f"items[{place}].amount"))
        shares.append(Share(item, minor))
    if not reasons and sum(one.amount_minor for one in shares) > found.receipt.free_minor:
        reasons.append(Reason(code="MORE_THAN_FREE", field="items"))
    if reasons:
        raise AcceptanceRefused(reasons)
    return shares


def _decision(share: Share, receipt: FreeReceipt, reason: str, principal: str) -> NewDecision:
    """Apply as early as can be: money and credit held since an earlier day count from the open day anyway."""
    source = Source(RECEIPT, receipt.receipt) if share.memo is None else Source(MEMO, share.memo)
    return NewDecision("apply", source, share.amount_minor, receipt.value_on, reason, principal, share.item)


async def _keep(db: Connection, found: _Open, state: str, reason: str, principal: str, batch: Batch) -> StoredSuggestion:
    """Keep a suggestion with what was decided about it, whether it had been told or not."""
    entity, name = found.receipt.entity, found.suggestion.id
    day = batch.open_on[entity]
    new = NewSuggestion(found.receipt.id, found.suggestion, found.receipt.free_minor, found.policy_version)
    await made.insert_made(db, entity, [new], day)
    await made.decide(db, name, state, day, principal, reason)
    stored = await made.find_suggestion(db, name)
    assert stored is not None, "it was just kept"
    return stored
