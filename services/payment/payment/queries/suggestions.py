"""Money that nothing has placed, what it may be for, and what was suggested, accepted and rejected."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from asyncpg import Record
from chassis.database import Connection

from payment.domain.suggestions import OpenCredit, Owed

FIRST_ITEMS_MAX: Final = 31
"""Of the open items of an account as many are read for a receipt that names nothing: what a cover looks at, and one more."""
ALL_ITEMS_MAX: Final = 20_000
"""Of the open items of an account as many are read for a receipt that names something."""
EQUAL_ITEMS_MAX: Final = 10
CREDITS_MAX: Final = 15

_FREE: Final = (
    "(receipt.amount_minor - receipt.applied_minor - receipt.refunded_minor - receipt.returned_minor - receipt.transferred_minor)"
)
_OPEN: Final = (
    "(item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.allowed_minor - item.voided_minor)"
)
_ITEM: Final = "document.entity || '|' || document.document_no || '|' || item.n AS item, document.document_no, item.n, document.account"
_DUE_ORDER: Final = 'item.due_on, document.document_no COLLATE "C", item.n'


@dataclass(frozen=True, slots=True)
class FreeReceipt:
    """
    A receipt with money that nothing has placed: unidentified, unapplied or on-account.

    `account` is a name like `receipt:<bank_ref>` while unidentified. `debtor_name` and `remittance` are personal data. A deposit that
    `is_bound` is for what bears its order.
    """

    id: int
    entity: str
    bank_ref: str
    account_id: int
    account: str
    currency: str
    free_minor: int
    value_on: date
    booked_on: date
    is_identified: bool
    debtor_name: str | None
    remittance: str | None
    is_bound: bool

    @property
    def receipt(self) -> str:
        """Its id in facts."""
        return f"{self.entity}|{self.bank_ref}"


_RECEIPT: Final = f"""
    SELECT receipt.id, receipt.entity, receipt.bank_ref, receipt.account_id, account.account, receipt.currency, {_FREE} AS free_minor,
        receipt.value_on, receipt.booked_on, receipt.identified_on IS NOT NULL AS is_identified, receipt_text.debtor_name,
        receipt_text.remittance, receipt.is_bound
    FROM receipt JOIN account ON account.id = receipt.account_id LEFT JOIN receipt_text ON receipt_text.receipt_id = receipt.id
    WHERE receipt.is_live
"""


async def find_suggestable(db: Connection, entity: str, day: date, closed_since: date, after: str, limit: int) -> list[str]:
    """
    The next names of accounts with money of an earlier day than `day` that something may be found for.

    Without open items that is only money that came or found its payer since `closed_since`: what was paid twice is found then or never.
    """
    rows = await db.fetch(
        """
        SELECT account.account
        FROM account
        WHERE account.entity = $1 AND account.account COLLATE "C" > $4 AND EXISTS (
            SELECT FROM receipt
            WHERE receipt.account_id = account.id AND receipt.is_live AND NOT receipt.is_bound AND receipt.booked_on < $2 AND (
                receipt.identified_on IS NULL OR receipt.identified_on >= $3
                OR EXISTS (SELECT FROM item WHERE item.account_id = receipt.account_id AND item.is_open)
            )
        )
        ORDER BY account.account COLLATE "C" LIMIT $5
        """,
        *(entity, day, closed_since, after, limit),
    )
    return [row["account"] for row in rows]


async def load_free_of_accounts(db: Connection, entity: str, accounts: Sequence[str], day: date) -> list[FreeReceipt]:
    """Receipts of accounts with money that nothing has placed nor an order waits for, which came and found their payer before `day`."""
    rows = await db.fetch(
        f"""
        {_RECEIPT} AND account.entity = $1 AND account.account = ANY($2::text[]) AND receipt.booked_on < $3
            AND (receipt.identified_on IS NULL OR receipt.identified_on < $3) AND NOT receipt.is_bound
        ORDER BY receipt.bank_ref COLLATE "C"
        """,
        *(entity, list(accounts), day),
    )
    return [FreeReceipt(*row) for row in rows]


async def list_free(
    db: Connection, entity: str, *, account: str | None = None, is_identified: bool | None = None, after: int = 0, limit: int
) -> list[FreeReceipt]:
    """The next receipts of an entity, or of an account, with money that nothing has placed, in the order they came."""
    rows = await db.fetch(
        f"""
        {_RECEIPT} AND receipt.entity = $1 AND ($2::text IS NULL OR account.account = $2)
            AND ($3::boolean IS NULL OR (receipt.identified_on IS NOT NULL) = $3) AND receipt.id > $4
        ORDER BY receipt.id LIMIT $5
        """,
        *(entity, account, is_identified, after, limit),
    )
    return [FreeReceipt(*row) for row in rows]


async def find_free(db: Connection, entity: str, bank_ref: str) -> FreeReceipt | None:
    """One receipt, if it has money that nothing has placed."""
    row = await db.fetchrow(f"{_RECEIPT} AND receipt.entity = $1 AND receipt.bank_ref = $2", entity, bank_ref)
    return None if row is None else FreeReceipt(*row)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about a receipt: one of the accounts whose items it may pay. `most_minor` is the most an item of a cover may be."""

    receipt_id: int
    account_id: int
    currency: str
    free_minor: int
    most_minor: int


async def load_first_items(db: Connection, asked: Sequence[Asked]) -> dict[int, list[Owed]]:
    """Open items by receipt: those that need exactly its money, then those that need less, the first due first."""
    rows = await db.fetch(
        f"""
        SELECT asked.receipt_id, one.*
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])
            AS asked (receipt_id, account_id, currency, free_minor, most_minor)
        CROSS JOIN LATERAL (
            SELECT {_ITEM}, item.due_on, {_OPEN} AS minor
            FROM item JOIN document ON document.id = item.document_id
            WHERE item.account_id = asked.account_id AND item.is_open AND document.currency = asked.currency
                AND {_OPEN} <= asked.most_minor
            ORDER BY {_OPEN} = asked.free_minor DESC, {_DUE_ORDER}
            LIMIT $6
        ) AS one
        """,
        [one.receipt_id for one in asked],
        [one.account_id for one in asked],
        [one.currency for one in asked],
        [one.free_minor for one in asked],
        [one.most_minor for one in asked],
        FIRST_ITEMS_MAX,
    )
    found: dict[int, list[Owed]] = defaultdict(list)
    for row in rows:
        found[row["receipt_id"]].append(_owed(row))
    return found


async def load_all_items(db: Connection, accounts: Collection[tuple[int, str]]) -> dict[tuple[int, str], list[Owed]]:
    """Open items of accounts (row id, currency), the first due first."""
    rows = await db.fetch(
        f"""
        SELECT asked.account_id, asked.currency, one.*
        FROM unnest($1::bigint[], $2::text[]) AS asked (account_id, currency)
        CROSS JOIN LATERAL (
            SELECT {_ITEM}, item.due_on, {_OPEN} AS minor
            FROM item JOIN document ON document.id = item.document_id
            WHERE item.account_id = asked.account_id AND item.is_open AND document.currency = asked.currency
            ORDER BY {_DUE_ORDER}
            LIMIT $3
        ) AS one
        """,
        *_unzipped(accounts),
        ALL_ITEMS_MAX,
    )
    return _by_account(rows)


async def load_closed_items(db: Connection, accounts: Collection[tuple[int, str]], since: date) -> dict[tuple[int, str], list[Owed]]:
    """
    Items of accounts (row id, currency) that money has settled since a booked day, at what they were billed, the latest due first.

    What was paid is found by account before anything is joined: joined, the planner may look at it once for every document of the entity.
    """
    rows = await db.fetch(
        f"""
        SELECT asked.account_id, asked.currency, one.*
        FROM unnest($1::bigint[], $2::text[]) AS asked (account_id, currency)
        CROSS JOIN LATERAL (
            SELECT {_ITEM}, item.due_on, item.total_minor AS minor
            FROM item JOIN document ON document.id = item.document_id
            WHERE item.id = ANY(ARRAY(
                SELECT entry.item_id FROM entry
                WHERE entry.account_id = asked.account_id AND entry.booked_on >= $3 AND entry.receipt_id IS NOT NULL
                    AND entry.item_id IS NOT NULL AND entry.rule <> 'fx'
                GROUP BY entry.item_id HAVING sum(entry.amount_minor) > 0
            )) AND NOT item.is_open AND document.currency = asked.currency
            ORDER BY item.due_on DESC, document.document_no COLLATE "C", item.n
            LIMIT $4
        ) AS one
        """,
        *_unzipped(accounts),
        since,
        ALL_ITEMS_MAX,
    )
    return _by_account(rows)


async def find_paid_by(db: Connection, receipt_ids: Collection[int]) -> dict[int, set[str]]:
    """Items that receipts have paid a part of themselves."""
    rows = await db.fetch(
        """
        SELECT entry.receipt_id, document.entity || '|' || document.document_no || '|' || item.n AS item
        FROM entry JOIN item ON item.id = entry.item_id JOIN document ON document.id = item.document_id
        WHERE entry.receipt_id = ANY($1::bigint[]) AND entry.rule <> 'fx'
        GROUP BY entry.receipt_id, document.entity, document.document_no, item.n HAVING sum(entry.amount_minor) <> 0
        """,
        list(receipt_ids),
    )
    return _sets(rows)


async def find_barred(db: Connection, receipt_ids: Collection[int]) -> dict[int, set[str]]:
    """Items that a person took receipts off, and has neither put them back on nor released them since."""
    rows = await db.fetch(
        """
        SELECT taken.receipt_id, document.entity || '|' || document.document_no || '|' || item.n AS item
        FROM decision AS taken JOIN item ON item.id = taken.item_id JOIN document ON document.id = item.document_id
        WHERE taken.receipt_id = ANY($1::bigint[]) AND taken.kind = 'unapply' AND NOT EXISTS (
            SELECT FROM decision AS later
            WHERE later.receipt_id = taken.receipt_id AND later.id > taken.id
                AND (later.kind = 'release' OR later.kind = 'apply' AND later.item_id = taken.item_id)
        )
        """,
        list(receipt_ids),
    )
    return _sets(rows)


async def load_credits(db: Connection, accounts: Collection[tuple[int, str]]) -> dict[tuple[int, str], list[OpenCredit]]:
    """What is open of the credit memos of accounts (row id, currency), by number."""
    rows = await db.fetch(
        """
        SELECT asked.account_id, asked.currency, one.*
        FROM unnest($1::bigint[], $2::text[]) AS asked (account_id, currency)
        CROSS JOIN LATERAL (
            SELECT document.entity || '|' || document.document_no AS memo, document.account,
                memo.total_minor - memo.applied_minor - memo.pinned_minor AS minor
            FROM memo JOIN document ON document.id = memo.document_id
            WHERE memo.account_id = asked.account_id AND memo.is_open AND document.currency = asked.currency
                AND memo.applied_minor + memo.pinned_minor < memo.total_minor
            ORDER BY document.document_no COLLATE "C"
            LIMIT $3
        ) AS one
        """,
        *_unzipped(accounts),
        CREDITS_MAX,
    )
    found: dict[tuple[int, str], list[OpenCredit]] = defaultdict(list)
    for row in rows:
        found[row["account_id"], row["currency"]].append(OpenCredit(row["memo"], row["account"], row["minor"]))
    return found


async def find_equal_items(db: Connection, entity: str, receipts: Sequence[FreeReceipt]) -> dict[int, list[Owed]]:
    """By receipt, the first due items of any account of the entity that are open as a whole and need exactly its money."""
    rows = await db.fetch(
        f"""
        SELECT asked.receipt_id, one.*
        FROM unnest($2::bigint[], $3::text[], $4::bigint[]) AS asked (receipt_id, currency, free_minor)
        CROSS JOIN LATERAL (
            SELECT {_ITEM}, item.due_on, item.total_minor AS minor
            FROM item JOIN document ON document.id = item.document_id
            WHERE item.is_open AND item.total_minor = asked.free_minor AND {_OPEN} = asked.free_minor
                AND document.entity = $1 AND document.currency = asked.currency
            ORDER BY {_DUE_ORDER}
            LIMIT $5
        ) AS one
        """,
        entity,
        [one.id for one in receipts],
        [one.currency for one in receipts],
        [one.free_minor for one in receipts],
        EQUAL_ITEMS_MAX,
    )
    found: dict[int, list[Owed]] = defaultdict(list)
    for row in rows:
        found[row["receipt_id"]].append(_owed(row))
    return found


async def find_accounts(db: Connection, entity: str, names: Collection[str]) -> dict[str, int]:
    """The row ids of accounts, those that are there."""
    rows = await db.fetch("SELECT account, id FROM account WHERE entity = $1 AND account = ANY($2::text[])", entity, list(names))
    return {row["account"]: row["id"] for row in rows}


def _unzipped(accounts: Collection[tuple[int, str]]) -> tuple[list[int], list[str]]:
    wanted = sorted(accounts)
    return [account_id for account_id, _ in wanted], [currency for _, currency in wanted]


def _by_account(rows: Sequence[Record]) -> dict[tuple[int, str], list[Owed]]:
    found: dict[tuple[int, str], list[Owed]] = defaultdict(list)
    for row in rows:
        found[row["account_id"], row["currency"]].append(_owed(row))
    return found


def _owed(row: Record) -> Owed:
    return Owed(row["item"], row["document_no"], row["n"], row["account"], row["due_on"], row["minor"])


def _sets(rows: Sequence[Record]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        found[row["receipt_id"]].add(row["item"])
    return found
