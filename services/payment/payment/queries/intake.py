"""What comes in, as it came: receipts with their clues, documents, bank accounts of customers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from types import MappingProxyType
from typing import Final

import msgspec
from chassis.database import Connection

from payment.queries.books import ReceiptMove


class NewReceipt(msgspec.Struct, frozen=True, gc=False):
    """
    A receipt to keep; `clues` are digests by place, `identified_by` None while nobody is known to have paid it.

    `id` was drawn for it (`number_receipts`), `stated` is JSON. The rest is as in `tables.ledger.Receipt`.
    """

    id: int
    entity: str
    bank_ref: str
    account_id: int
    account: str
    currency: str
    amount_minor: int
    value_on: date
    booked_on: date
    identified_by: str | None
    method: str
    content: bytes
    clues: Mapping[int, bytes]
    base_minor: int | None = None
    stated: str | None = None
    payment_ref: bytes | None = None
    received_currency: str | None = None
    received_minor: int | None = None
    advised_customer: str | None = None
    deposit_for: str | None = None

    @property
    def identified_on(self) -> date | None:
        """The booked day, unless nobody is known to have paid it."""
        return None if self.identified_by is None else self.booked_on

    @property
    def is_bound(self) -> bool:
        """Whether it is a deposit: of a new one nothing is drawn down."""
        return self.deposit_for is not None


@dataclass(frozen=True, slots=True)
class NewDocument:
    """An invoice, debit memo or credit memo to keep."""

    entity: str
    document_no: str
    kind: str
    account: str
    customer: str
    currency: str
    issued_on: date
    booked_on: date
    digest: bytes
    terms: str | None
    total_minor: int
    tax_minor: int | None
    base_currency: str | None


@dataclass(frozen=True, slots=True)
class NewItem:
    """An instalment to keep; `early` are its discount terms as JSON, `base_minor` its total in the entity's currency if that is another."""

    document_id: int
    account_id: int
    n: int
    due_on: date
    total_minor: int
    early: str | None
    base_minor: int | None


@dataclass(frozen=True, slots=True)
class NewMemo:
    """The credit of a memo to keep, and the invoice it names."""

    document_id: int
    account_id: int
    names: str | None
    total_minor: int


@dataclass(frozen=True, slots=True)
class ListedBankAccount:
    """One bank account of a customer's list, or, with an empty digest, an empty list."""

    entity: str
    customer: str
    booked_on: date
    content: bytes
    digest: bytes


async def find_contents(
    db: Connection, names: Collection[tuple[str, str]], payment_refs: Collection[bytes]
) -> tuple[dict[tuple[str, str], bytes], set[bytes]]:
    """What the receipts (entity, bank reference) that are already here said, as digests; and which of these payments have an advice."""
    rows = await db.fetch(
        """
        SELECT receipt.entity, receipt.bank_ref, receipt.content
        FROM unnest($1::text[], $2::text[]) AS wanted (entity, bank_ref)
        JOIN receipt ON receipt.entity = wanted.entity AND receipt.bank_ref = wanted.bank_ref
        UNION ALL
        SELECT NULL, NULL, payment_ref FROM advice WHERE payment_ref = ANY($3::bytea[])
        """,
        [entity for entity, _ in names],
        [bank_ref for _, bank_ref in names],
        list(payment_refs),
    )
    contents = {(row["entity"], row["bank_ref"]): row["content"] for row in rows if row["entity"] is not None}
    return contents, {row["content"] for row in rows if row["entity"] is None}


_KEPT: Final = (
    "id",
    "entity",
    "bank_ref",
    "account_id",
    "currency",
    "amount_minor",
    "value_on",
    "booked_on",
    "identified_by",
    "method",
    "content",
    "base_minor",
    "stated",
    "payment_ref",
    "received_currency",
    "received_minor",
    "advised_customer",
    "deposit_for",
    "identified_on",
    "is_bound",
)
_kept_of: Final = attrgetter(*_KEPT)


async def number_receipts(db: Connection, n: int) -> list[int]:
    """Draw row ids for so many receipts, so that they can be spoken of before they are kept."""
    rows = await db.fetch("SELECT nextval((SELECT pg_get_serial_sequence('receipt', 'id')::regclass)) FROM generate_series(1, $1)", n)
    return [row[0] for row in rows]


async def insert_receipts(db: Connection, receipts: Sequence[NewReceipt], spent: Mapping[int, ReceiptMove] = MappingProxyType({})) -> None:
    """Keep receipts, with what moved of them by row id (of others nothing is spent), and what they say about their payers."""
    if not receipts:
        return
    moves = [spent.get(one.id) or ReceiptMove(one.id) for one in receipts]
    await db.copy_records_to_table(
        "receipt",
        columns=(*_KEPT, *ReceiptMove._fields[1:], "is_live", "is_barred"),
        records=[(*_kept_of(one), *move[1:], move.gone_minor < one.amount_minor, False) for one, move in zip(receipts, moves, strict=True)],
    )
    clues = [(one.id, place, digest) for one in receipts for place, digest in one.clues.items()]
    if clues:
        await db.copy_records_to_table("clue", columns=("receipt_id", "place", "digest"), records=clues)


async def insert_documents(db: Connection, documents: Sequence[NewDocument]) -> dict[tuple[str, str], int]:
    """Keep documents; return their ids by (entity, number). Raises UniqueViolationError for a number that is taken."""
    if not documents:
        return {}
    rows = await db.fetch(
        """
        INSERT INTO document (entity, document_no, kind, account, customer, currency, issued_on, booked_on, digest, terms, total_minor,
            tax_minor, base_currency)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[], $8::date[], $9::bytea[],
            $10::text[], $11::bigint[], $12::bigint[], $13::text[])
        RETURNING id, entity, document_no
        """,
        [one.entity for one in documents],
        [one.document_no for one in documents],
        [one.kind for one in documents],
        [one.account for one in documents],
        [one.customer for one in documents],
        [one.currency for one in documents],
        [one.issued_on for one in documents],
        [one.booked_on for one in documents],
        [one.digest for one in documents],
        [one.terms for one in documents],
        [one.total_minor for one in documents],
        [one.tax_minor for one in documents],
        [one.base_currency for one in documents],
    )
    return {(row["entity"], row["document_no"]): row["id"] for row in rows}


async def insert_items(db: Connection, items: Sequence[NewItem]) -> None:
    """Keep instalments, open unless they are of nothing."""
    if items:
        await db.execute(
            """
            INSERT INTO item (document_id, account_id, n, due_on, total_minor, settled_minor, credited_minor, adjusted_minor, voided_minor,
                allowed_minor, discounted_minor, is_open, early, base_minor)
            SELECT document_id, account_id, n, due_on, total_minor, 0, 0, 0, 0, 0, 0, total_minor > 0, early::jsonb, base_minor
            FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::date[], $5::bigint[], $6::text[], $7::bigint[])
                AS new (document_id, account_id, n, due_on, total_minor, early, base_minor)
            """,
            [one.document_id for one in items],
            [one.account_id for one in items],
            [one.n for one in items],
            [one.due_on for one in items],
            [one.total_minor for one in items],
            [one.early for one in items],
            [one.base_minor for one in items],
        )


async def insert_memos(db: Connection, memos: Sequence[NewMemo]) -> None:
    """Keep the credit of memos, all of it open; one of nothing has none."""
    if memos:
        await db.execute(
            """
            INSERT INTO memo (document_id, account_id, names, total_minor, applied_minor, pinned_minor, is_open, is_barred)
            SELECT document_id, account_id, names, total_minor, 0, 0, total_minor > 0, false
            FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[]) AS new (document_id, account_id, names, total_minor)
            """,
            [one.document_id for one in memos],
            [one.account_id for one in memos],
            [one.names for one in memos],
            [one.total_minor for one in memos],
        )


async def insert_bank_accounts(db: Connection, listed: Collection[ListedBankAccount]) -> None:
    """Keep customers' lists of bank accounts; the same list twice is there once."""
    rows = sorted(listed, key=lambda one: (one.entity, one.customer, one.booked_on, one.content, one.digest))
    if rows:
        await db.execute(
            """
            INSERT INTO bank_account (entity, customer, booked_on, content, digest)
            SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::bytea[], $5::bytea[]) ON CONFLICT DO NOTHING
            """,
            [one.entity for one in rows],
            [one.customer for one in rows],
            [one.booked_on for one in rows],
            [one.content for one in rows],
            [one.digest for one in rows],
        )
