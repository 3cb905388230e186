"""Who pays: documents by the digest of their number, bank accounts in force, receipts that may change hands today."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from chassis.database import Connection


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """
    A document found by the digest of its number, or of a reference that stands for it.

    `position` is its place among all that the reference stands for, `is_weak` as in `tables.intake.DocumentReference`.
    """

    id: int
    document_no: str
    kind: str
    account: str
    currency: str
    position: int = 0
    is_weak: bool = False


@dataclass(frozen=True, slots=True)
class MovableReceipt:
    """
    A receipt whose payer is not settled for good: unidentified, or identified on the open day.

    `account` is where it is now, a name like `receipt:<bank_ref>` while unidentified.
    """

    id: int
    entity: str
    bank_ref: str
    account: str
    currency: str
    amount_minor: int
    value_on: date
    method: str
    identified_by: str | None
    advised_customer: str | None
    deposit_for: str | None

    @property
    def receipt(self) -> str:
        """Its id in facts."""
        return f"{self.entity}|{self.bank_ref}"


_MOVABLE = """
    SELECT receipt.id, receipt.entity, receipt.bank_ref, account.account, receipt.currency, receipt.amount_minor, receipt.value_on,
        receipt.method, receipt.identified_by, receipt.advised_customer, receipt.deposit_for
    FROM receipt JOIN account ON account.id = receipt.account_id
        AND receipt.returned_on IS NULL AND receipt.origin_id IS NULL
        AND NOT EXISTS (SELECT FROM decision WHERE decision.receipt_id = receipt.id)
"""
"""What the bank took back goes nowhere any more; what a person decided about, and what was transferred, stays where it is."""


async def find_documents(db: Connection, digests: Collection[bytes]) -> dict[bytes, list[KnownDocument]]:
    """
    Known documents by the digest of their number or of another reference that stands for them.

    More than one of a number where numbers differ in case only.
    """
    rows = await db.fetch(
        """
        SELECT digest, id, document_no, kind, account, currency, 0, false FROM document WHERE digest = ANY($1::bytea[])
        UNION ALL
        SELECT reference.digest, document.id, document.document_no, document.kind, document.account, document.currency,
            reference.position, reference.is_weak
        FROM document_reference AS reference JOIN document ON document.id = reference.document_id
        WHERE reference.digest = ANY($1::bytea[])
        """,
        list(digests),
    )
    found = defaultdict(list)
    for digest, *document in rows:
        found[digest].append(KnownDocument(*document))
    return found


async def find_bank_account_owners(db: Connection, asked: Collection[tuple[bytes, date]]) -> dict[tuple[bytes, date], str]:
    """
    Which customer pays from a bank account, by (digest, day): by the lists booked before the day.

    Of a customer's lists the latest booked counts, within one day the one with the greatest content. Where several customers list one bank
    account, the list booked latest wins, then the lower customer number.
    """
    wanted = list(asked)
    rows = await db.fetch(
        """
        SELECT DISTINCT ON (asked.digest, asked.day) asked.digest, asked.day, listed.customer
        FROM unnest($1::bytea[], $2::date[]) AS asked (digest, day)
        JOIN bank_account AS listed ON listed.digest = asked.digest AND listed.booked_on < asked.day
        WHERE NOT EXISTS (
            SELECT FROM bank_account AS later
            WHERE later.entity = listed.entity AND later.customer = listed.customer AND later.booked_on < asked.day
                AND (later.booked_on, later.content) > (listed.booked_on, listed.content)
        )
        ORDER BY asked.digest, asked.day, listed.booked_on DESC, listed.customer COLLATE "C"
        """,
        [digest for digest, _ in wanted],
        [day for _, day in wanted],
    )
    return {(row["digest"], row["day"]): row["customer"] for row in rows}


async def find_movable(db: Connection, digests: Collection[bytes], days: Mapping[str, date]) -> list[MovableReceipt]:
    """
    Receipts that name one of these document numbers and may still change hands on the open day of their entity.

    What a person has said about a payer stands above what comes later.
    """
    rows = await db.fetch(
        f"""
        {_MOVABLE} JOIN unnest($2::text[], $3::date[]) AS open (entity, day) ON open.entity = receipt.entity
        WHERE receipt.id = ANY(ARRAY(SELECT receipt_id FROM clue WHERE digest = ANY($1::bytea[])))
            AND (receipt.identified_on IS NULL OR receipt.identified_on = open.day) AND receipt.identified_by IS DISTINCT FROM 'person'
        ORDER BY receipt.id
        """,
        list(digests),
        list(days),
        list(days.values()),
    )
    return [MovableReceipt(*row) for row in rows]


async def load_movable(db: Connection, ids: Collection[int]) -> list[MovableReceipt]:
    """The same receipts again, now that their accounts are locked."""
    rows = await db.fetch(
        f"""
        {_MOVABLE} WHERE receipt.id = ANY($1::bigint[]) AND receipt.identified_by IS DISTINCT FROM 'person' ORDER BY receipt.id
        """,
        list(ids),
    )
    return [MovableReceipt(*row) for row in rows]


async def find_unidentified(db: Connection, entity: str, accounts: Sequence[str]) -> list[MovableReceipt]:
    """Receipts without a payer that stand under these account names."""
    rows = await db.fetch(
        f"{_MOVABLE} WHERE account.entity = $1 AND account.account = ANY($2::text[]) AND receipt.identified_on IS NULL ORDER BY receipt.id",
        entity,
        list(accounts),
    )
    return [MovableReceipt(*row) for row in rows]


async def load_clues(db: Connection, receipt_ids: Collection[int]) -> dict[int, dict[int, bytes]]:
    """What receipts say about their payers: digests by place, by receipt."""
    rows = await db.fetch("SELECT receipt_id, place, digest FROM clue WHERE receipt_id = ANY($1::bigint[])", list(receipt_ids))
    clues: dict[int, dict[int, bytes]] = defaultdict(dict)
    for row in rows:
        clues[row["receipt_id"]][row["place"]] = row["digest"]
    return clues


async def find_newly_known(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """The next names `receipt:<bank_ref>` of unidentified receipts that came from a bank account listed on an earlier day."""
    rows = await db.fetch(
        """
        SELECT account.account
        FROM receipt JOIN account ON account.id = receipt.account_id JOIN clue ON clue.receipt_id = receipt.id AND clue.place = 0
        WHERE receipt.entity = $1 AND receipt.identified_on IS NULL AND receipt.returned_on IS NULL AND account.account COLLATE "C" > $3
            AND EXISTS (SELECT FROM bank_account WHERE bank_account.digest = clue.digest AND bank_account.booked_on < $2)
        ORDER BY account.account COLLATE "C" LIMIT $4
        """,
        entity,
        day,
        after,
        limit,
    )
    return [row["account"] for row in rows]


async def move_receipts(db: Connection, moves: Sequence[tuple[int, int, str, date]]) -> None:
    """Give receipts (id) to accounts (id), identified by something on a day."""
    await db.execute(
        """
        UPDATE receipt SET account_id = moved.account_id, identified_by = moved.identified_by, identified_on = moved.identified_on
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::date[]) AS moved (id, account_id, identified_by, identified_on)
        WHERE receipt.id = moved.id
        """,
        [one[0] for one in moves],
        [one[1] for one in moves],
        [one[2] for one in moves],
        [one[3] for one in moves],
    )
