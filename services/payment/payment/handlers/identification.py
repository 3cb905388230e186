"""Who may have paid: recommended to people, identified by a person, and from then on by what that person taught (PAY-11)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact
from policies.customers import load_accounts

from payment.domain import Payer, digest_of
from payment.domain.aliases import ALIAS, BY_NAME, Objection, State, objection_to, owner_of
from payment.domain.books import PERSON
from payment.domain.names import normalise_name
from payment.domain.payers import ADVICE
from payment.domain.recommended import RECOMMENDED_MAX, lengths_alike, recommend
from payment.domain.scores import Scoring, format_score
from payment.handlers.bookings import Booking, in_order
from payment.handlers.entries import Entry
from payment.handlers.payers import UNIDENTIFIED, Move, move_receipts
from payment.handlers.settlement import Named, settle_accounts
from payment.queries import identification as queries
from payment.queries import locks, payers, texts
from payment.queries.identification import NewAlias, StoredAlias
from payment.queries.locks import Account
from payment.queries.suggestions import FreeReceipt, find_free
from payment.queries.texts import NewText


class ReceiptUnknown(Exception):
    """The entity has no receipt with this bank reference."""


class PayerKnown(Exception):
    """The payer of this receipt is known already, or its money is gone."""


class CustomerUnknown(Exception):
    """Nothing of this customer has come here."""


class AliasUnknown(Exception):
    """There is no alias of this number."""


class AliasRefused(Exception):
    """This person may not decide so about this alias: see `objection`."""

    def __init__(self, objection: Objection) -> None:
        super().__init__(objection)
        self.objection = objection


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A customer who may have paid a receipt, the account it settles under, how likely, and why: codes with figures."""

    customer: str
    account: str
    score_bps: int
    reasons: tuple[str, ...]


def digest_of_name(entity: str, name: str | None) -> bytes | None:
    """Return what stands for a debtor's name, as it is compared; None where it says nothing."""
    normalised = normalise_name(name or "")
    return digest_of(entity, BY_NAME, normalised) if normalised else None


async def keep_texts(db: Connection, entries: Sequence[Entry], ids: Mapping[tuple[str, str], int]) -> None:
    """Keep what people read of new receipts (row ids by name), until a day turns after their money was placed."""
    telling = [one for one in entries if one.debtor_name or one.remittance]
    await texts.keep(
        db, [NewText(ids[one.name], one.debtor_name, one.remittance, digest_of_name(one.entity, one.debtor_name)) for one in telling]
    )


async def recognise(
    db: Connection, entries: Sequence[Entry], paid_by: Sequence[Payer | None], open_on: Mapping[str, date]
) -> list[Payer | None]:
    """
    Return the payers of new receipts: also those whom an alias in force recognises.

    What a document, a list of bank accounts or the entry itself says stands above an alias; what an advice says does not, because it may
    come later.
    """
    asked = {
        place: (one.entity, [sign for sign in (one.bank_account, digest_of_name(one.entity, one.debtor_name)) if sign])
        for place, (one, payer) in enumerate(zip(entries, paid_by, strict=True))
        if payer is None or payer.by == ADVICE
    }
    owners = await find_aliases_owners(db, asked, open_on) if any(signs for _, signs in asked.values()) else {}
    return [Payer(owners[place], ALIAS) if place in owners else payer for place, payer in enumerate(paid_by)]


async def recommend_payers(
    db: Connection, entity: str, receipts: Sequence[FreeReceipt], day: date, scoring: Scoring
) -> dict[int, list[Recommendation]]:
    """
    Return who may have paid receipts (by row id), the most likely first, by what was booked before `day`.

    By the debtor's name, as far as it is alike enough to a customer's; and by what somebody has taught and nobody has distrusted, which
    counts just so much until it identifies by itself.
    """
    names = {one.id: name for one in receipts if (name := normalise_name(one.debtor_name or ""))}
    scores: dict[int, dict[str, int]] = defaultdict(dict)
    reasons: dict[tuple[int, str], list[str]] = defaultdict(list)
    if names:
        lengths = [lengths_alike(name, scoring.recommended_bps) for name in names.values()]
        customers = await queries.load_names(db, entity, day, min(least for least, _ in lengths), max(most for _, most in lengths))
        for receipt_id, name in names.items():
            for one in recommend(name, customers, scoring.recommended_bps):
                scores[receipt_id][one.customer] = one.score_bps
                reasons[receipt_id, one.customer].append(f"NAME={format_score(one.score_bps)}")
    signs = await queries.load_signs(db, [one.id for one in receipts])
    taught = await queries.find_taught(db, {digest for kinds in signs.values() for digest in kinds.values()}, day) if signs else {}
    for receipt_id, kinds in signs.items():
        for kind, digest in sorted(kinds.items()):
            for customer in sorted(taught.get(digest, ())):
                scores[receipt_id][customer] = max(scores[receipt_id].get(customer, 0), scoring.recommended_bps)
                reasons[receipt_id, customer].append(f"ALIAS={kind}")
    accounts = await load_accounts(db, [(entity, customer) for of in scores.values() for customer in of], {entity: day})
    return {
        receipt_id: [
            Recommendation(customer, accounts[entity, customer], score_bps, tuple(reasons[receipt_id, customer]))
            for customer, score_bps in sorted(of.items(), key=lambda one: (-one[1], one[0]))[:RECOMMENDED_MAX]
        ]
        for receipt_id, of in scores.items()
    }


async def identify_by_person(
    db: Connection, entity: str, bank_ref: str, customer: str, reason: str, principal: str, batch: Batch, *, learn: bool
) -> tuple[list[Fact], str, list[int]]:
    """
    Give a receipt without a payer to the account of the customer whom a person names, as of its own value date, and settle it.

    Returns the facts, the account and, with `learn`, the ids of what is new: the debtor's bank account and name are kept to be looked at by
    somebody else.

    :raises ReceiptUnknown, PayerKnown, CustomerUnknown: see there.
    """
    if not await queries.is_known(db, entity, customer):
        raise CustomerUnknown
    account = (await load_accounts(db, [(entity, customer)], batch.open_on))[entity, customer]
    names = {(entity, f"{UNIDENTIFIED}{bank_ref}"), (entity, account)}
    accounts = await locks.lock_accounts(db, names)
    receipt = await find_free(db, entity, bank_ref)
    if receipt is None or receipt.is_identified:
        raise PayerKnown if receipt or await queries.has_receipt(db, entity, bank_ref) else ReceiptUnknown
    bookings = await give_to(db, receipt, account, reason, principal, accounts, batch)
    aliases = await _learn(db, receipt, customer, principal, batch.open_on[entity]) if learn else []
    days = {accounts[entity, account]: batch.open_on[entity]}
    return in_order(bookings + await settle_accounts(db, days, {}, Named())), account, aliases


async def give_to(
    db: Connection,
    receipt: FreeReceipt,
    account: str,
    reason: str,
    principal: str,
    accounts: Mapping[tuple[str, str], Account],
    batch: Batch,
) -> list[Booking]:
    """Give a receipt without a payer to an account because a person says so, both locked; settling is the caller's."""
    (movable,) = await payers.find_unidentified(db, receipt.entity, [receipt.account])
    await queries.insert_identification(db, receipt.id, account, reason, principal, batch.open_on[receipt.entity])
    return await move_receipts(db, [Move(movable, Payer(account, PERSON), ())], accounts, batch.open_on, {})


async def _learn(db: Connection, receipt: FreeReceipt, customer: str, principal: str, day: date) -> list[int]:
    signs = (await queries.load_signs(db, [receipt.id])).get(receipt.id, {})
    shown = {BY_NAME: normalise_name(receipt.debtor_name or "")}
    aliases = [NewAlias(receipt.entity, kind, digest, customer, shown.get(kind)) for kind, digest in sorted(signs.items())]
    return await queries.insert_aliases(db, aliases, receipt.id, principal, day) if aliases else []


async def review_alias(db: Connection, alias: int, wanted: State, principal: str, reason: str, batch: Batch) -> StoredAlias:
    """
    Trust an alias (LINKED) or do not (UNLINKED); it counts from the next opening. Publishes nothing.

    :raises AliasUnknown, AliasRefused: see there.
    """
    stored = await queries.lock_alias(db, alias)
    if stored is None:
        raise AliasUnknown
    objection = objection_to(wanted, stored.state, stored.learned_by, principal)
    if objection is not None:
        raise AliasRefused(objection)
    await queries.insert_review(db, alias, wanted == "LINKED", principal, reason, batch.open_on[stored.entity])
    reviewed = await queries.find_alias(db, alias)
    assert reviewed is not None, "it is locked"
    return reviewed


async def find_aliases_owners(
    db: Connection, asked: Mapping[int, tuple[str, Collection[bytes]]], days: Mapping[str, date]
) -> dict[int, str]:
    """
    Return the accounts that the aliases in force on the entity's day identify: by any number, given an entity and digests.

    Aliases linked to several customers of one account mean it. A bank account and a name that are linked to different accounts identify
    nobody.
    """
    wanted = {(digest, days[entity]) for entity, digests in asked.values() for digest in digests}
    linked = await queries.find_linked(db, wanted)
    signs = {
        number: [(entity, customers) for digest in digests if (customers := linked.get((digest, days[entity])))]
        for number, (entity, digests) in asked.items()
    }
    named = {(entity, customer) for of in signs.values() for entity, customers in of for customer in customers}
    account_of = await load_accounts(db, named, days)
    owners = {}
    for number, of in signs.items():
        by_sign = [owner_of(account_of[entity, customer] for customer in customers) for entity, customers in of]
        owner = owner_of(one for one in by_sign if one is not None)
        if owner is not None:
            owners[number] = owner
    return owners


async def identify_by_alias(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Give receipts without a payer to the accounts that aliases in force from `day` on identify, and settle them on it.

    Work of the turn to `day`, because aliases count from the next opening. Their own value dates stay.
    """
    await locks.lock_accounts(db, [(entity, account) for account in accounts])
    receipts = await payers.find_unidentified(db, entity, accounts)
    signs = await queries.load_signs(db, [one.id for one in receipts]) if receipts else {}
    asked = {receipt_id: (entity, kinds.values()) for receipt_id, kinds in signs.items()}
    owners = await find_aliases_owners(db, asked, {entity: day}) if asked else {}
    moves = [Move(one, Payer(owners[one.id], ALIAS), ()) for one in receipts if one.id in owners]
    if not moves:
        return []
    known = await locks.lock_accounts(db, {(entity, move.payer.account) for move in moves})
    bookings = await move_receipts(db, moves, known, {entity: day}, {})
    return in_order(bookings + await settle_accounts(db, dict.fromkeys(known.values(), day), {}, Named()))


IDENTIFYING: Final = DayWork(queries.find_recognisable, identify_by_alias)
"""The part of a turning day in which aliases that were linked find the receipts that wait for them."""
