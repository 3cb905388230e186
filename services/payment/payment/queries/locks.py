"""Locks, in the order in which they are to be taken: names, then accounts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

from chassis.database import Connection

NAMES_LOCKED_ONE_BY_ONE: Final = 4_000
"""Above this many names a transaction locks all names at once: the server's lock table is finite."""
_ALL_NAMES: Final = 0


@dataclass(frozen=True, slots=True)
class Account:
    """An account's row; `id` is ours, `decided_on` the last booked day on which a person decided something about it."""

    id: int
    entity: str
    account: str
    decided_on: date | None = None

    @property
    def key(self) -> str:
        """The key of its facts."""
        return f"{self.entity}|{self.account}"


async def lock_names(db: Connection, brought: Collection[bytes], looked_for: Collection[bytes] = ()) -> None:
    """
    Lock document numbers and bank references, known or not, by their digests, until the transaction ends.

    Who brings a document locks its number, who brings a receipt all numbers it may name, as `looked_for`; both look only then, or they miss
    each other. Those who look for the same need not wait for one another: many a remittance says nothing but "invoice".
    """
    of_brought = {int.from_bytes(digest[:8], "big", signed=True) for digest in brought}
    keys = sorted(of_brought | {int.from_bytes(digest[:8], "big", signed=True) for digest in looked_for})
    if len(keys) > NAMES_LOCKED_ONE_BY_ONE:
        await db.execute("SELECT pg_advisory_xact_lock($1::bigint)", _ALL_NAMES)
        return
    await db.execute(
        """
        SELECT CASE WHEN is_shared THEN pg_advisory_xact_lock_shared(name)::text ELSE pg_advisory_xact_lock(name)::text END
        FROM unnest($1::bigint[], $2::boolean[]) AS wanted (name, is_shared)
        """,
        [_ALL_NAMES, *keys],
        [True, *(key not in of_brought for key in keys)],
    )


async def lock_accounts(db: Connection, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], Account]:
    """Lock accounts (entity, account) in sorted order, making the rows of new ones; no money of theirs moves but by us from here on."""
    wanted = sorted(set(names))
    found = await _lock_known_accounts(db, wanted)
    if len(found) < len(wanted):
        missing = [name for name in wanted if name not in found]
        await db.execute(
            """
            INSERT INTO account (entity, account) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (entity, account) DO NOTHING
            """,
            [entity for entity, _ in missing],
            [account for _, account in missing],
        )
        found |= await _lock_known_accounts(db, missing)
    return found


async def _lock_known_accounts(db: Connection, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], Account]:
    rows = await db.fetch(
        """
        SELECT account.id, account.entity, account.account, account.decided_on
        FROM unnest($1::text[], $2::text[]) AS wanted (entity, account)
        JOIN account ON account.entity = wanted.entity AND account.account = wanted.account
        ORDER BY account.entity COLLATE "C", account.account COLLATE "C"
        FOR UPDATE OF account
        """,
        [entity for entity, _ in names],
        [account for _, account in names],
    )
    return {(row["entity"], row["account"]): Account(*row) for row in rows}
