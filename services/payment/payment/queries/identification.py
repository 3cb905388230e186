"""Who may have paid: names of customers in force, and aliases that people have taught and trusted."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from chassis.database import Connection

from payment.domain.aliases import State, state_of
from payment.domain.names import NamedCustomer


@dataclass(frozen=True, slots=True)
class NewName:
    """A customer's name as it is compared, booked on a day."""

    entity: str
    customer: str
    booked_on: date
    name: str


@dataclass(frozen=True, slots=True)
class NewAlias:
    """By what (`kind` and digest) a receipt's payer may be recognised as a customer (`account`); `shown` is a name people can read."""

    entity: str
    kind: str
    digest: bytes
    account: str
    shown: str | None


@dataclass(frozen=True, slots=True)
class StoredAlias:
    """An alias and the latest look at it; `receipt` is the one it was learned from."""

    id: int
    entity: str
    kind: str
    account: str
    shown: str | None
    receipt: str
    learned_by: str
    learned_on: date
    is_linked: bool | None
    decided_by: str | None
    decided_on: date | None
    reason: str | None

    @property
    def state(self) -> State:
        """PENDING, LINKED or UNLINKED."""
        return state_of(self.is_linked)


async def insert_names(db: Connection, names: Collection[NewName]) -> None:
    """
    Keep customers' names as of their booked day, where they are not what they were before it.

    Of several names on one day the greatest counts, whichever came first.
    """
    latest: dict[tuple[str, str, date], str] = {}
    for one in names:
        key = (one.entity, one.customer, one.booked_on)
        latest[key] = max(latest.get(key, ""), one.name)
    rows = sorted((*key, name) for key, name in latest.items())
    if rows:
        await db.execute(
            """
            INSERT INTO customer_name (entity, customer, booked_on, name, name_length)
            SELECT new.entity, new.customer, new.booked_on, new.name, length(new.name)
            FROM unnest($1::text[], $2::text[], $3::date[], $4::text[]) AS new (entity, customer, booked_on, name)
            WHERE new.name IS DISTINCT FROM (
                SELECT earlier.name FROM customer_name AS earlier
                WHERE earlier.entity = new.entity AND earlier.customer = new.customer AND earlier.booked_on < new.booked_on
                ORDER BY earlier.booked_on DESC LIMIT 1
            )
            ON CONFLICT (entity, customer, booked_on) DO UPDATE SET name = excluded.name, name_length = excluded.name_length
            WHERE excluded.name COLLATE "C" > customer_name.name COLLATE "C"
            """,
            [row[0] for row in rows],
            [row[1] for row in rows],
            [row[2] for row in rows],
            [row[3] for row in rows],
        )


async def load_names(db: Connection, entity: str, day: date, shortest: int, longest: int) -> list[NamedCustomer]:
    """Names of an entity's customers in force on a day, of these lengths."""
    rows = await db.fetch(
        """
        SELECT named.customer, named.name
        FROM customer_name AS named
        WHERE named.entity = $1 AND named.booked_on < $2 AND named.name_length BETWEEN $3 AND $4 AND NOT EXISTS (
            SELECT FROM customer_name AS later
            WHERE later.entity = named.entity AND later.customer = named.customer AND later.booked_on < $2
                AND later.booked_on > named.booked_on
        )
        """,
        *(entity, day, shortest, longest),
    )
    return [NamedCustomer(*row) for row in rows]


async def is_known(db: Connection, entity: str, customer: str) -> bool:
    """Whether anything of a customer has come here: a name, or something on its account."""
    known: bool = await db.fetchval(
        """
        SELECT EXISTS (SELECT FROM customer_name WHERE entity = $1 AND customer = $2)
            OR EXISTS (SELECT FROM account WHERE entity = $1 AND account = $2)
        """,
        *(entity, customer),
    )
    return known


async def has_receipt(db: Connection, entity: str, bank_ref: str) -> bool:
    """Whether a receipt with this bank reference is here."""
    found: bool = await db.fetchval("SELECT EXISTS (SELECT FROM receipt WHERE entity = $1 AND bank_ref = $2)", entity, bank_ref)
    return found


async def find_linked(db: Connection, asked: Collection[tuple[bytes, date]]) -> dict[tuple[bytes, date], set[str]]:
    """Which customers an alias (bank account or name, as a digest) is linked to on a day, by what was decided before it."""
    wanted = sorted(asked)
    rows = await db.fetch(
        """
        SELECT asked.digest, asked.day, alias.account
        FROM unnest($1::bytea[], $2::date[]) AS asked (digest, day)
        JOIN alias ON alias.digest = asked.digest
        CROSS JOIN LATERAL (
            SELECT alias_review.is_linked FROM alias_review
            WHERE alias_review.alias_id = alias.id AND alias_review.booked_on < asked.day
            ORDER BY alias_review.id DESC LIMIT 1
        ) AS latest
        WHERE latest.is_linked
        """,
        [digest for digest, _ in wanted],
        [day for _, day in wanted],
    )
    linked: dict[tuple[bytes, date], set[str]] = defaultdict(set)
    for row in rows:
        linked[row["digest"], row["day"]].add(row["account"])
    return dict(linked)


async def find_recognisable(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """The next names `receipt:<bank_ref>` of unidentified receipts with a bank account or name that was linked before a day."""
    rows = await db.fetch(
        """
        SELECT account.account
        FROM receipt JOIN account ON account.id = receipt.account_id
        LEFT JOIN clue ON clue.receipt_id = receipt.id AND clue.place = 0
        LEFT JOIN receipt_text ON receipt_text.receipt_id = receipt.id
        WHERE receipt.entity = $1 AND receipt.identified_on IS NULL AND receipt.is_live AND account.account COLLATE "C" > $3 AND EXISTS (
            SELECT FROM alias JOIN alias_review ON alias_review.alias_id = alias.id
            WHERE alias.digest IN (clue.digest, receipt_text.name_digest) AND alias_review.is_linked AND alias_review.booked_on < $2
        )
        ORDER BY account.account COLLATE "C" LIMIT $4
        """,
        *(entity, day, after, limit),
    )
    return [row["account"] for row in rows]


async def load_signs(db: Connection, receipt_ids: Collection[int]) -> dict[int, dict[str, bytes]]:
    """By what the payers of receipts may be recognised: digests of the debtor's bank account and name, by kind."""
    rows = await db.fetch(
        """
        SELECT receipt_id, 'bank_account' AS kind, digest FROM clue WHERE receipt_id = ANY($1::bigint[]) AND place = 0
        UNION ALL
        SELECT receipt_id, 'name', name_digest FROM receipt_text WHERE receipt_id = ANY($1::bigint[]) AND name_digest IS NOT NULL
        """,
        list(receipt_ids),
    )
    signs: dict[int, dict[str, bytes]] = defaultdict(dict)
    for row in rows:
        signs[row["receipt_id"]][row["kind"]] = row["digest"]
    return signs


async def find_taught(db: Connection, digests: Collection[bytes], day: date) -> dict[bytes, set[str]]:
    """Which customers aliases were taught for before a day that nobody has unlinked."""
    rows = await db.fetch(
        """
        SELECT alias.digest, alias.account
        FROM alias
        WHERE alias.digest = ANY($1::bytea[]) AND alias.learned_on < $2 AND coalesce((
            SELECT alias_review.is_linked FROM alias_review
            WHERE alias_review.alias_id = alias.id AND alias_review.booked_on < $2 ORDER BY alias_review.id DESC LIMIT 1
        ), true)
        """,
        *(list(digests), day),
    )
    taught: dict[bytes, set[str]] = defaultdict(set)
    for row in rows:
        taught[row["digest"]].add(row["account"])
    return taught


async def insert_identification(db: Connection, receipt_id: int, account: str, reason: str, decided_by: str, booked_on: date) -> None:
    """Write down that a person said who paid a receipt."""
    await db.execute(
        "INSERT INTO identification (receipt_id, account, reason, decided_by, booked_on) VALUES ($1, $2, $3, $4, $5)",
        *(receipt_id, account, reason, decided_by, booked_on),
    )


async def insert_aliases(db: Connection, aliases: Sequence[NewAlias], receipt_id: int, learned_by: str, learned_on: date) -> list[int]:
    """Keep aliases to be looked at; return the ids of those that are new."""
    rows = await db.fetch(
        """
        INSERT INTO alias (entity, kind, digest, account, shown, receipt_id, learned_by, learned_on)
        SELECT entity, kind, digest, account, shown, $6, $7, $8
        FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[]) AS new (entity, kind, digest, account, shown)
        ON CONFLICT (entity, kind, digest, account) DO NOTHING
        RETURNING id
        """,
        [one.entity for one in aliases],
        [one.kind for one in aliases],
        [one.digest for one in aliases],
        [one.account for one in aliases],
        [one.shown for one in aliases],
        *(receipt_id, learned_by, learned_on),
    )
    return [row["id"] for row in rows]


_ALIAS = """
    SELECT alias.id, alias.entity, alias.kind, alias.account, alias.shown, receipt.entity || '|' || receipt.bank_ref AS receipt,
        alias.learned_by, alias.learned_on, latest.is_linked, latest.decided_by, latest.booked_on AS decided_on, latest.reason
    FROM alias JOIN receipt ON receipt.id = alias.receipt_id
    LEFT JOIN LATERAL (
        SELECT * FROM alias_review WHERE alias_review.alias_id = alias.id ORDER BY alias_review.id DESC LIMIT 1
    ) AS latest ON true
"""


async def find_alias(db: Connection, id_: int) -> StoredAlias | None:
    """One alias."""
    row = await db.fetchrow(f"{_ALIAS} WHERE alias.id = $1", id_)
    return None if row is None else StoredAlias(*row)


async def lock_alias(db: Connection, id_: int) -> StoredAlias | None:
    """One alias that is about to be decided about; a second decision waits here."""
    await db.execute("SELECT FROM alias WHERE id = $1 FOR UPDATE", id_)
    return await find_alias(db, id_)


async def list_aliases(db: Connection, entity: str, state: str | None, after: int, limit: int) -> list[StoredAlias]:
    """The next aliases of an entity, in the order they were learned."""
    rows = await db.fetch(
        f"""
        {_ALIAS}
        WHERE alias.entity = $1 AND alias.id > $3 AND (
            $2::text IS NULL
            OR $2 = CASE WHEN latest.is_linked IS NULL THEN 'PENDING' WHEN latest.is_linked THEN 'LINKED' ELSE 'UNLINKED' END
        )
        ORDER BY alias.id LIMIT $4
        """,
        *(entity, state, after, limit),
    )
    return [StoredAlias(*row) for row in rows]


async def insert_review(db: Connection, id_: int, is_linked: bool, decided_by: str, reason: str, booked_on: date) -> None:
    """Write down what somebody decided about an alias."""
    await db.execute(
        "INSERT INTO alias_review (alias_id, is_linked, decided_by, reason, booked_on) VALUES ($1, $2, $3, $4, $5)",
        *(id_, is_linked, decided_by, reason, booked_on),
    )
