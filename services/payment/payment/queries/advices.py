"""Remittance advices: kept, found by what they call the payment, and put upon receipts. Columns: `tables.intake.Advice`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from chassis.database import Connection


@dataclass(frozen=True, slots=True)
class NewAdvice:
    """An advice to keep; `stated` is JSON, `clues` are digests of the documents it names, in their order."""

    entity: str
    advice_no: str
    payment_ref: bytes
    currency: str
    customer: str | None
    stated: str
    clues: Sequence[bytes]
    booked_on: date
    content: bytes


@dataclass(frozen=True, slots=True)
class StoredAdvice:
    """An advice that is here; `taken_on` is the booked day on which the first money of it was, None while it waits for some."""

    id: int
    entity: str
    advice_no: str
    payment_ref: bytes
    currency: str
    customer: str | None
    stated: str
    clues: Sequence[bytes]
    taken_on: date | None


@dataclass(frozen=True, slots=True)
class AdvisedReceipt:
    """A receipt that an advice may be about; `identified_on` is None while nobody is known to have paid it."""

    id: int
    entity: str
    bank_ref: str
    payment_ref: bytes | None
    currency: str
    account: str
    booked_on: date
    identified_on: date | None


async def find_contents(db: Connection, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
    """What the advices (entity, number) that are already here said, as digests."""
    rows = await db.fetch(
        """
        SELECT advice.entity, advice.advice_no, advice.content
        FROM unnest($1::text[], $2::text[]) AS wanted (entity, advice_no)
        JOIN advice ON advice.entity = wanted.entity AND advice.advice_no = wanted.advice_no
        """,
        [entity for entity, _ in names],
        [advice_no for _, advice_no in names],
    )
    return {(row["entity"], row["advice_no"]): row["content"] for row in rows}


async def insert_advices(db: Connection, advices: Sequence[NewAdvice]) -> None:
    """Keep advices, none of them taken by any money."""
    await db.executemany(
        """
        INSERT INTO advice (entity, advice_no, payment_ref, currency, customer, stated, clues, booked_on, content)
        VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::bytea[], $8, $9)
        """,
        [
            (
                one.entity,
                one.advice_no,
                one.payment_ref,
                one.currency,
                one.customer,
                one.stated,
                list(one.clues),
                one.booked_on,
                one.content,
            )
            for one in advices
        ],
    )


async def load_advices(db: Connection, payment_refs: Collection[bytes]) -> list[StoredAdvice]:
    """All advices of these payments, in the order of their numbers."""
    rows = await db.fetch(
        """
        SELECT id, entity, advice_no, payment_ref, currency, customer, stated, clues, taken_on
        FROM advice WHERE payment_ref = ANY($1::bytea[]) ORDER BY advice_no COLLATE "C"
        """,
        list(payment_refs),
    )
    return [StoredAdvice(*row) for row in rows]


async def find_receipts(db: Connection, names: Collection[tuple[str, str]], payment_refs: Collection[bytes]) -> list[AdvisedReceipt]:
    """Receipts by their natural keys (entity, bank reference), and by the payer's reference."""
    rows = await db.fetch(
        """
        SELECT receipt.id, receipt.entity, receipt.bank_ref, receipt.payment_ref, receipt.currency, account.account, receipt.booked_on,
            receipt.identified_on
        FROM receipt JOIN account ON account.id = receipt.account_id
        WHERE receipt.id = ANY(ARRAY(
            SELECT receipt.id FROM unnest($1::text[], $2::text[]) AS wanted (entity, bank_ref)
            JOIN receipt ON receipt.entity = wanted.entity AND receipt.bank_ref = wanted.bank_ref
            UNION SELECT id FROM receipt WHERE payment_ref = ANY($3::bytea[])
        ))
        ORDER BY receipt.id
        """,
        [entity for entity, _ in names],
        [bank_ref for _, bank_ref in names],
        list(payment_refs),
    )
    return [AdvisedReceipt(*row) for row in rows]


async def take(db: Connection, advices: Mapping[int, date]) -> None:
    """Note on which booked day money first took these advices (id)."""
    await db.execute(
        """
        UPDATE advice SET taken_on = taken.day
        FROM unnest($1::bigint[], $2::date[]) AS taken (id, day)
        WHERE advice.id = taken.id AND advice.taken_on IS NULL
        """,
        list(advices),
        list(advices.values()),
    )


async def put_upon(db: Connection, said: Sequence[tuple[int, str, str | None]], clues: Sequence[tuple[int, int, bytes]]) -> None:
    """Let receipts (id, stated as JSON, customer) say what their advices do; `clues` are (id, place below zero, digest)."""
    await db.execute(
        """
        UPDATE receipt SET stated = said.stated::jsonb, advised_customer = said.customer
        FROM unnest($1::bigint[], $2::text[], $3::text[]) AS said (id, stated, customer)
        WHERE receipt.id = said.id
        """,
        [one[0] for one in said],
        [one[1] for one in said],
        [one[2] for one in said],
    )
    await db.execute("DELETE FROM clue WHERE receipt_id = ANY($1::bigint[]) AND place < 0", [one[0] for one in said])
    await db.execute(
        "INSERT INTO clue (receipt_id, place, digest) SELECT * FROM unnest($1::bigint[], $2::int[], $3::bytea[])",
        [one[0] for one in clues],
        [one[1] for one in clues],
        [one[2] for one in clues],
    )
