"""
A receipt that names documents of several accounts: what is left of it goes where they are, when the day has turned (PAY-11).

It went whole to the first one's account. What of it is free when a day has closed, while its remittance names open documents of others,
is theirs: the payer has said so. What a person keeps and what is bound to an order is left alone, and so is what was transferred already.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final, NamedTuple

from asyncpg import Record
from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact

from payment.domain import REFERENCE
from payment.domain.transfers import Owed, Share, spread, stated_for
from payment.handlers.kept import stated_from_json
from payment.handlers.loading import load_known, named_of_others
from payment.handlers.payers import UNIDENTIFIED
from payment.handlers.transfers import NewTransfer, carry_out
from payment.queries import locks
from payment.queries import transfers as queries

SPREAD: Final = f"{UNIDENTIFIED}|"
"""In the work of a day a receipt to be spread stands under `receipt:|<bank_ref>`: no account has such a name, and no other receipt."""


async def find_receipts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next receipts, as `receipt:|<bank_ref>`, with money left that name open documents of other accounts."""
    found = await queries.find_naming_others(db, entity, day, after.removeprefix(SPREAD) if after.startswith(SPREAD) else "", limit)
    return [f"{SPREAD}{bank_ref}" for bank_ref in found]


async def spread_receipts(db: Connection, entity: str, day: date, names: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Transfer what is free of these receipts to the accounts of the documents they name, and settle these on `day`.

    Work of the turn to `day`: how much goes where follows from what was booked before it, whichever receipts are spread first. Nobody else
    moves anything of the entity meanwhile, so the accounts are locked once it is known which.
    """
    divided = await divide(db, entity, [name.removeprefix(SPREAD) for name in names], day)
    wanted = [
        NewTransfer(one.receipt_id, share.account, share.amount_minor, date.min, REFERENCE, references=share.documents)
        for one in divided
        for share in one.shares
    ]
    if not wanted:
        return []
    touched = {one.account for one in divided} | {one.to_account for one in wanted}
    accounts = await locks.lock_accounts(db, [(entity, account) for account in touched])
    return await carry_out(db, wanted, accounts, batch, given_before=day)


class Divided(NamedTuple):
    """A receipt (row id), the account it stands on, and what of its free money is for others."""

    receipt_id: int
    account: str
    shares: Sequence[Share]


async def divide(db: Connection, entity: str, bank_refs: Collection[str], day: date) -> list[Divided]:
    """Say how receipts are divided when `day` starts, by what was booked before it; those that nothing goes from are left out."""
    receipts = await queries.load_spreadable(db, entity, bank_refs, day) if bank_refs else []
    owed = await _owed_by_others(db, receipts, day) if receipts else {}
    divided = [Divided(row["id"], row["account"], spread(row["free_minor"], owed[row["id"]])) for row in receipts]
    return [one for one in divided if one.shares]


SPREADING: Final = DayWork(find_receipts, spread_receipts)
"""The part of a turning day that divides money among the accounts its remittance names."""


async def _owed_by_others(db: Connection, receipts: Sequence[Record], day: date) -> dict[int, list[Owed]]:
    """By receipt (row id), the open documents of other accounts that its remittance names, in its order, and what it states of them."""
    known = await load_known(db, receipts)
    named = {row["id"]: named_of_others(row, known) for row in receipts}
    open_of = await queries.load_open_of_documents(db, {one.id: day for found in named.values() for one in found})
    owed = {}
    for row in receipts:
        stated = stated_from_json(row["stated"]) if row["stated"] else ()
        owed[row["id"]] = [
            Owed(one.document_no, one.account, open_of[one.id], stated_for(one.document_no, stated))
            for one in named[row["id"]]
            if one.id in open_of
        ]
    return owed
