"""Who may have paid: recommended to people, identified by a person, and from then on by what that person taught (PAY-11)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact

from payment.domain import Payer, digest_of
from payment.domain.aliases import ALIAS, BY_NAME, Objection, State, objection_to
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
    """A customer who may have paid a receipt, how likely, and why: codes with figures."""

    customer: str
    score_bps: int
    reasons: tuple[str, ...]


def digest_of_name(entity: str, name: str | None) -> bytes | None:
    """Return what stands for a debtor's name, as it is compared; None where it says nothing."""
    normalised = normalise_name(name or "")
    return digest_of(entity, BY_NAME, normalised) if normalised else None


async def keep_texts(db: Connection, entries: Sequence[Entry]) -> None:
    """Keep what people read of new receipts, until a day turns after their money was placed."""
    await texts.keep(
        db,
        [
            NewText(one.entity, one.bank_ref, one.debtor_name, one.remittance, digest_of_name(one.entity, one.debtor_name))
            for one in entries
        ],
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
        place: ([sign for sign in (one.bank_account, digest_of_name(one.entity, one.debtor_name)) if sign], open_on[one.entity])
        for place, (one, payer) in enumerate(zip(entries, paid_by, strict=True))
        if payer is None or payer.by == ADVICE
    }
    owners = await find_aliases_owners(db, asked) if any(signs for signs, _ in asked.values()) else {}
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
            for account in sorted(taught.get(digest, ())):
                scores[receipt_id][account] = max(scores[receipt_id].get(account, 0), scoring.recommended_bps)
                reasons[receipt_id, account].append(f"ALIAS={kind}")
    return {
        receipt_id: [
            Recommendation(customer, score_bps, tuple(reasons[receipt_id, customer]))
            for customer, score_bps in sorted(of.items(), key=lambda one: (-one[1], one[0]))[:RECOMMENDED_MAX]
        ]
        for receipt_id, of in scores.items()
    }


async def identify_by_person(
    db: Connection, entity: str, bank_ref: str, customer: str, reason: str, principal: str, batch: Batch, *, learn: bool
) -> tuple[list[Fact], list[int]]:
    """
    Give a receipt without a payer to the customer whom a person names, as of its own value date, and settle the account.

    With `learn` the debtor's bank account and name are kept to be looked at by somebody else; the ids of the new ones are returned.

    :raises ReceiptUnknown, PayerKnown, CustomerUnknown: see there.
    """
    if not await queries.is_known(db, entity, customer):
        raise CustomerUnknown
    names = {(entity, f"{UNIDENTIFIED}{bank_ref}"), (entity, customer)}
    accounts = await locks.lock_accounts(db, names)
    receipt = await find_free(db, entity, bank_ref)
    if receipt is None or receipt.is_identified:
        raise PayerKnown if receipt or await queries.has_receipt(db, entity, bank_ref) else ReceiptUnknown
    bookings = await give_to(db, receipt, customer, reason, principal, accounts, batch)
    aliases = await _learn(db, receipt, customer, principal, batch.open_on[entity]) if learn else []
    days = {accounts[entity, customer]: batch.open_on[entity]}
    return in_order(bookings + await settle_accounts(db, days, {}, Named())), aliases


async def give_to(
    db: Connection,
    receipt: FreeReceipt,
    customer: str,
    reason: str,
    principal: str,
    accounts: Mapping[tuple[str, str], Account],
    batch: Batch,
) -> list[Booking]:
    """Give a receipt without a payer to a customer because a person says so, both accounts locked; settling is the caller's."""
    (movable,) = await payers.find_unidentified(db, receipt.entity, [receipt.account])
    await queries.insert_identification(db, receipt.id, customer, reason, principal, batch.open_on[receipt.entity])
    return await move_receipts(db, [Move(movable, Payer(customer, PERSON), ())], accounts, batch.open_on, {})


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


async def find_aliases_owners(db: Connection, asked: Mapping[int, tuple[Collection[bytes], date]]) -> dict[int, str]:
    """
    Return whom the aliases in force identify: by any number, given digests and a day.

    A bank account and a name that are linked to different accounts identify nobody.
    """
    owners = await queries.find_alias_owners(db, {(digest, day) for digests, day in asked.values() for digest in digests})
    found = {number: {owners[digest, day] for digest in digests if (digest, day) in owners} for number, (digests, day) in asked.items()}
    return {number: accounts.pop() for number, accounts in found.items() if len(accounts) == 1}


async def identify_by_alias(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Give receipts without a payer to the accounts that aliases in force from `day` on identify, and settle them on it.

    Work of the turn to `day`, because aliases count from the next opening. Their own value dates stay.
    """
    await locks.lock_accounts(db, [(entity, account) for account in accounts])
    receipts = await payers.find_unidentified(db, entity, accounts)
    signs = await queries.load_signs(db, [one.id for one in receipts]) if receipts else {}
    owners = await find_aliases_owners(db, {receipt_id: (kinds.values(), day) for receipt_id, kinds in signs.items()}) if signs else {}
    moves = [Move(one, Payer(owners[one.id], ALIAS), ()) for one in receipts if one.id in owners]
    if not moves:
        return []
    known = await locks.lock_accounts(db, {(entity, move.payer.account) for move in moves})
    bookings = await move_receipts(db, moves, known, {entity: day}, {})
    return in_order(bookings + await settle_accounts(db, dict.fromkeys(known.values(), day), {}, Named()))


IDENTIFYING: Final = DayWork(queries.find_recognisable, identify_by_alias)
"""The part of a turning day in which aliases that were linked find the receipts that wait for them."""
