"""What payers say of their payments apart from the money: kept, and put upon the receipts it is about, whichever came first."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
from chassis.database import Connection
from chassis.entities import Entities
from chassis.service import Batch, Fact, Received
from events.bank import RemittanceAdvised
from events.envelope import Envelope
from events.ingress import check_identifier
from events.invoice import Reason
from money import CurrencyUnknown, scale

from payment.domain import RECEIPT, REFERENCE, digest_of
from payment.handlers.bookings import ACCOUNT, in_order
from payment.handlers.entries import NOT_PROVIDED, Entry
from payment.handlers.lines import read_lines
from payment.handlers.payers import PayersKeptMoving, lock_with, move_receipts
from payment.handlers.settlement import Named, settle_accounts
from payment.queries import advices as queries
from payment.queries import locks, payers
from payment.queries.advices import AdvisedReceipt, NewAdvice, StoredAdvice

CONFLICT: Final = Reason(code="CONFLICT", field="advice_no")
_ROUNDS_MAX: Final = 5
_raw_lines = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class Advice:
    """An advice, checked: the row to keep, what it calls the payment, and the fact it came in."""

    row: NewAdvice
    payment_ref: str
    envelope: Envelope


def read_advice(data: RemittanceAdvised, entities: Entities, envelope: Envelope, day: date) -> Advice | list[Reason]:
    """Return the advice, or every reason why it cannot be recorded on the open day."""
    reasons = entities.reasons_against(data.entity, envelope)
    named = [("advice_no", data.advice_no), ("payment_ref", data.payment_ref), ("customer", data.customer)]
    reasons += [reason for field, value in named if value is not None and (reason := check_identifier(field, value)) is not None]
    if data.payment_ref == NOT_PROVIDED:
        reasons.append(Reason(code="NOT_PROVIDED", field="payment_ref"))
    try:
        scale(data.currency)
    except CurrencyUnknown as unknown:
        return [*reasons, Reason(code=unknown.code, field="currency")]
    lines = read_lines(data.lines, data.currency)
    if isinstance(lines, list) or reasons:
        return reasons + (lines if isinstance(lines, list) else [])
    content = "\0".join((data.payment_ref, data.currency, data.customer or "", lines.content))
    row = NewAdvice(
        entity=data.entity,
        advice_no=data.advice_no,
        payment_ref=digest_of(data.entity, RECEIPT, data.payment_ref),
        currency=data.currency,
        customer=data.customer,
        stated=lines.stated,
        clues=[digest_of(data.entity, REFERENCE, one) for one in lines.numbers],
        booked_on=day,
        content=digest_of(data.entity, "content", content),
    )
    return Advice(row, data.payment_ref, envelope)


async def record_advices(db: Connection, received: Sequence[Received[RemittanceAdvised]], batch: Batch) -> list[Fact]:
    """
    Keep advices, and let the receipts they are about say what they do: these may find a better payer, and are settled afresh.

    The same again changes nothing; another content under the same number is refused as a conflict. One whose money is not here waits.
    """
    accepted: list[tuple[Received[RemittanceAdvised], Advice]] = []
    for one in received:
        advice = read_advice(one.data, batch.entities, one.envelope, batch.open_on.get(one.data.entity, one.booked_on))
        if isinstance(advice, list):
            batch.refuse(one, advice)
        else:
            accepted.append((one, advice))
    if not accepted:
        return []
    rows = [advice.row for _, advice in accepted]
    await locks.lock_names(db, {one.payment_ref for one in rows}, {digest for one in rows for digest in one.clues})
    contents = await queries.find_contents(db, {(one.entity, one.advice_no) for one in rows})
    fresh: list[Advice] = []
    for one, advice in accepted:
        name = advice.row.entity, advice.row.advice_no
        if name not in contents:
            contents[name] = advice.row.content
            fresh.append(advice)
        elif contents[name] != advice.row.content:
            batch.refuse(one, [CONFLICT])
    if not fresh:
        return []
    await queries.insert_advices(db, [one.row for one in fresh])
    return await _reach(db, fresh, batch)


async def _reach(db: Connection, fresh: Sequence[Advice], batch: Batch) -> list[Fact]:
    """Put new advices upon the receipts that are here, and settle the accounts that this changes."""
    receipts = await _lock_receipts(db, fresh)
    advised = await _put_upon(db, receipts, batch.open_on) if receipts else []
    if not advised:
        return []
    open_for_payers = [one.id for one in advised if one.identified_on in (None, batch.open_on[one.entity])]
    movable = await payers.load_movable(db, open_for_payers)
    accounts, moves = await lock_with(db, {(one.entity, one.account) for one in advised}, movable, batch.open_on)
    causes = _causes(fresh, advised)
    bookings = await move_receipts(db, moves, accounts, batch.open_on, causes)
    moved = {move.receipt.id for move in moves}
    changed = {name for move in moves for name in move.touches}
    changed |= {(one.entity, one.account) for one in advised if one.identified_on is not None and one.id not in moved}
    days = {accounts[name]: batch.open_on[name[0]] for name in sorted(changed)}
    return in_order(bookings + await settle_accounts(db, days, causes, Named(), list(days)))


async def _lock_receipts(db: Connection, advices: Sequence[Advice]) -> list[AdvisedReceipt]:
    """
    Return the receipts that advices may be about, their accounts locked.

    What a payment is called is locked already, so none of them comes meanwhile; one may move to another account, hence the second look.
    """
    names = {(one.row.entity, one.payment_ref) for one in advices}
    payment_refs = {one.row.payment_ref for one in advices}
    receipts = await queries.find_receipts(db, names, payment_refs)
    wanted: set[tuple[str, str]] = set()
    for _ in range(_ROUNDS_MAX):
        if {(one.entity, one.account) for one in receipts} <= wanted:
            return receipts
        wanted |= {(one.entity, one.account) for one in receipts}
        await locks.lock_accounts(db, wanted)
        receipts = await queries.find_receipts(db, names, payment_refs)
    raise PayersKeptMoving


async def _put_upon(db: Connection, receipts: Sequence[AdvisedReceipt], open_on: Mapping[str, date]) -> list[AdvisedReceipt]:
    """Let receipts say what all advices about them do, in the order of their numbers; return those that have any."""
    called = {one.id: _payment_refs(one.entity, one.bank_ref, one.payment_ref) for one in receipts}
    stored = await queries.load_advices(db, {digest for digests in called.values() for digest in digests})
    about = {one.id: [advice for advice in stored if _is_about(advice, called[one.id], one.currency, one.booked_on)] for one in receipts}
    advised = [one for one in receipts if about[one.id]]
    if advised:
        await queries.take(db, {advice.id: open_on[advice.entity] for one in advised for advice in about[one.id]})
        said = [(one.id, _joined(about[one.id]), _customer(about[one.id])) for one in advised]
        clues = [(one.id, _numbered(about[one.id])) for one in advised]
        await queries.put_upon(db, said, [(row_id, place, digest) for row_id, places in clues for place, digest in places.items()])
    return advised


async def take_waiting(db: Connection, entries: Sequence[Entry], advised: Collection[bytes], open_on: Mapping[str, date]) -> list[Entry]:
    """
    Return entries with what advices say of them that came before; `advised` are the payments that there are any of.

    The documents these name are locked behind all other names, because what they are is known only now: two batches that do so at once may
    stop each other, and one of them begins again.
    """
    wanted = {digest for one in entries for digest in one.payment_refs}.intersection(advised)
    if not wanted:
        return list(entries)
    stored = await queries.load_advices(db, wanted)
    about = [[one for one in stored if _is_about(one, entry.payment_refs, entry.currency, open_on[entry.entity])] for entry in entries]
    await locks.lock_names(db, (), {digest for advices in about for one in advices for digest in one.clues})
    await queries.take(db, {one.id: open_on[one.entity] for advices in about for one in advices})
    return [_advised(entry, advices) if advices else entry for entry, advices in zip(entries, about, strict=True)]


def _advised(entry: Entry, advices: Sequence[StoredAdvice]) -> Entry:
    said = {"stated": _joined(advices), "advised": tuple(_numbered(advices).values()), "advised_customer": _customer(advices)}
    return msgspec.structs.replace(entry, **said)


def _payment_refs(entity: str, bank_ref: str, payment_ref: bytes | None) -> list[bytes]:
    """What an advice may call a receipt, as `Entry.payment_refs`."""
    digest = digest_of(entity, RECEIPT, bank_ref)
    return [digest] if payment_ref is None else [digest, payment_ref]


def _is_about(advice: StoredAdvice, payment_refs: Collection[bytes], currency: str, booked_on: date) -> bool:
    """Whether an advice is about money: it calls it so, in its currency, and no money of an earlier day has taken it."""
    is_free = advice.taken_on is None or advice.taken_on >= booked_on
    return advice.payment_ref in payment_refs and advice.currency == currency and is_free


def _joined(advices: Iterable[StoredAdvice]) -> str:
    """All their lines, as JSON."""
    return msgspec.json.encode([line for advice in advices for line in _raw_lines(advice.stated)]).decode()


def _customer(advices: Iterable[StoredAdvice]) -> str | None:
    """The payer they give: the first one's."""
    return next((one.customer for one in advices if one.customer is not None), None)


def _numbered(advices: Iterable[StoredAdvice]) -> dict[int, bytes]:
    """The documents they name, each once, at places below zero."""
    digests = list(dict.fromkeys(digest for one in advices for digest in one.clues))
    return {place - len(digests): digest for place, digest in enumerate(digests)}


def _causes(advices: Sequence[Advice], receipts: Sequence[AdvisedReceipt]) -> dict[tuple[str, str], Envelope]:
    """An advice causes what happens to the receipts it is about, and on their accounts."""
    by_payment = {one.row.payment_ref: one.envelope for one in reversed(advices)}
    causes: dict[tuple[str, str], Envelope] = {}
    for one in receipts:
        for digest in _payment_refs(one.entity, one.bank_ref, one.payment_ref):
            if digest in by_payment:
                causes[RECEIPT, f"{one.entity}|{one.bank_ref}"] = by_payment[digest]
                causes.setdefault((ACCOUNT, f"{one.entity}|{one.account}"), by_payment[digest])
    return causes
