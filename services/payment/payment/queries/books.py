"""
The books of accounts: loaded with one statement per table, saved with one statement per table. Accounts are locked before.

Look-ups across tables go by `= ANY(ARRAY(SELECT …))`: each step an index scan, whatever the planner believes of tables that grow quickly.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from asyncpg import Record
from chassis.database import Connection

from payment.domain import Reach

Day: TypeAlias = tuple[int, date]
"""An account (id) and its open day."""
Row: TypeAlias = Record | Mapping[str, Any]
"""A row as it was loaded, or one that is not in its table yet."""


class NewEntry(NamedTuple):
    """
    An entry of the settlement ledger to add; ids are ours. `reason` is given where something is taken back off an item.

    `adjustment_id` is given for an adjustment, `void_id`, the item's document, for a void, `allowance_id`, the receipt, for an allowance.
    """

    account_id: int
    receipt_id: int | None
    memo_id: int | None
    adjustment_id: int | None
    void_id: int | None
    allowance_id: int | None
    item_id: int | None
    application: str | None
    rule: str
    reason: str | None
    amount_minor: int
    applied_on: date
    booked_on: date
    effective_on: date
    is_finished: bool


async def load_entries(db: Connection, days: Sequence[Day]) -> list[Record]:
    """What is booked on the open day of each account and not finished, net of what was taken back the same day."""
    return await db.fetch(
        """
        SELECT entry.account_id, entry.receipt_id, entry.memo_id, entry.adjustment_id, entry.void_id, entry.allowance_id,
            entry.item_id, entry.application, entry.rule, entry.applied_on, entry.effective_on,
            sum(entry.amount_minor)::bigint AS amount_minor
        FROM unnest($1::bigint[], $2::date[]) AS open (account_id, day)
        JOIN entry ON entry.account_id = open.account_id AND entry.booked_on = open.day AND NOT entry.is_finished
        GROUP BY entry.account_id, entry.receipt_id, entry.memo_id, entry.adjustment_id, entry.void_id, entry.allowance_id,
            entry.item_id, entry.application, entry.rule, entry.applied_on, entry.effective_on
        HAVING sum(entry.amount_minor) <> 0
        """,
        [account_id for account_id, _ in days],
        [day for _, day in days],
    )


async def load_memos(db: Connection, days: Sequence[Day], memo_ids: Collection[int]) -> list[Record]:
    """Memos of the accounts with open credit, and these; `given_on` is the latest date at which an earlier day gave credit back to one."""
    return await db.fetch(
        """
        SELECT memo.document_id AS id, memo.account_id, document.entity, document.document_no, document.currency, document.issued_on,
            document.booked_on, memo.names, memo.total_minor, memo.applied_minor, memo.pinned_minor, memo.is_barred,
            (
                SELECT max(effective_on) FROM (
                    SELECT effective_on FROM entry
                    WHERE memo_id = memo.document_id AND applied_on < entry.booked_on AND entry.booked_on < open.day
                    GROUP BY application, entry.booked_on, effective_on HAVING sum(amount_minor) < 0
                ) AS given
            ) AS given_on
        FROM (
            SELECT document_id FROM memo WHERE account_id = ANY($1::bigint[]) AND is_open UNION SELECT unnest($3::bigint[])
        ) AS wanted
        JOIN memo ON memo.document_id = wanted.document_id
        JOIN document ON document.id = memo.document_id
        JOIN unnest($1::bigint[], $2::date[]) AS open (account_id, day) ON open.account_id = memo.account_id
        """,
        [account_id for account_id, _ in days],
        [day for _, day in days],
        list(memo_ids),
    )


async def find_named_items(db: Connection, named: Collection[tuple[int, str, str]]) -> list[Record]:
    """Items, open or not, of the invoices (account id, entity, document number) that memos name."""
    wanted = list(named)
    return await db.fetch(
        """
        SELECT item.id, item.account_id, document.document_no
        FROM unnest($1::bigint[], $2::text[], $3::text[]) AS named (account_id, entity, document_no)
        JOIN document ON document.entity = named.entity AND document.document_no = named.document_no
        JOIN item ON item.document_id = document.id AND item.account_id = named.account_id
        """,
        [one[0] for one in wanted],
        [one[1] for one in wanted],
        [one[2] for one in wanted],
    )


_OPEN = "(item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.allowed_minor - item.voided_minor)"
_ITEM = f"""
    SELECT item.id, item.account_id, item.document_id, document.entity, document.document_no, document.customer, document.currency,
        document.issued_on, document.voided_on, document.void_booked_on, document.terms, document.tax_minor,
        document.total_minor AS document_minor, document.base_currency, item.n, item.due_on, item.total_minor,
        {_OPEN} AS open_minor,
        item.credited_minor, item.adjusted_minor, item.allowed_minor, item.discounted_minor, item.early, item.base_minor
    FROM item JOIN document ON document.id = item.document_id
"""


async def load_items(db: Connection, item_ids: Collection[int], document_ids: Collection[int]) -> list[Record]:
    """These items, and those of these invoices that are open or adjusted."""
    return await db.fetch(
        f"""
        {_ITEM} WHERE item.id = ANY($1::bigint[])
            OR (item.document_id = ANY($2::bigint[]) AND (item.is_open OR item.adjusted_minor > 0))
        """,
        list(item_ids),
        list(document_ids),
    )


async def load_items_within(
    db: Connection, wanted: Mapping[tuple[int, str], Reach], besides: Mapping[tuple[int, str], int]
) -> list[Record]:
    """
    The open items of accounts (id) and currencies within what is wanted of them, and some more.

    The oldest ones go as far as `oldest_minor` and what is given `besides` reach together. Currencies are compared last: joined by them,
    the planner may look at every document of the entity.
    """
    whole = {account_id for (account_id, _), reach in wanted.items() if reach.is_all}
    oldest = [(*of, reach.oldest_minor + besides.get(of, 0)) for of, reach in wanted.items() if reach.oldest_minor]
    amounts = [(account_id, minor) for (account_id, _), reach in wanted.items() for minor in reach.amounts]
    return await db.fetch(
        f"""
        {_ITEM} WHERE item.id = ANY(ARRAY(
            SELECT item.id FROM item WHERE item.account_id = ANY($1::bigint[]) AND item.is_open
            UNION
            SELECT item.id FROM unnest($2::bigint[], $3::bigint[]) AS wanted (account_id, minor)
            JOIN item ON item.account_id = wanted.account_id AND item.is_open AND {_OPEN} = wanted.minor
            UNION
            SELECT owed.id FROM (
                SELECT item.id, item.account_id, document.currency, {_OPEN} AS open_minor, sum({_OPEN}) OVER (
                    PARTITION BY item.account_id, document.currency ORDER BY item.due_on, document.document_no COLLATE "C", item.n
                ) AS minor_up_to
                FROM item JOIN document ON document.id = item.document_id
                WHERE item.account_id = ANY($4::bigint[]) AND item.is_open
            ) AS owed
            JOIN unnest($4::bigint[], $5::text[], $6::bigint[]) AS wanted (account_id, currency, minor)
                ON wanted.account_id = owed.account_id AND wanted.currency = owed.currency
            WHERE owed.minor_up_to - owed.open_minor < wanted.minor
        ))
        """,
        list(whole),
        [account_id for account_id, _ in amounts],
        [minor for _, minor in amounts],
        [account_id for account_id, _, _ in oldest],
        [currency for _, currency, _ in oldest],
        [minor for _, _, minor in oldest],
    )


async def load_standing(db: Connection, days: Sequence[Day], *, adjustments_only: bool = False) -> list[Record]:
    """
    What entries of earlier days add up to on items (id, open day), by application and effective date, in the order of the dates.

    Also what adds up to nothing over all dates: until the last of them it stood. A void leaves nothing to ask for.
    """
    return await db.fetch(
        f"""
        SELECT entry.item_id, entry.receipt_id, entry.memo_id, entry.adjustment_id, entry.allowance_id, entry.application, entry.rule,
            entry.applied_on, entry.effective_on, sum(entry.amount_minor)::bigint AS amount_minor
        FROM unnest($1::bigint[], $2::date[]) AS open (item_id, day)
        JOIN entry ON entry.item_id = open.item_id AND entry.booked_on < open.day
            AND {"entry.adjustment_id IS NOT NULL" if adjustments_only else "entry.void_id IS NULL AND entry.rule <> 'fx'"}
        GROUP BY entry.item_id, entry.receipt_id, entry.memo_id, entry.adjustment_id, entry.allowance_id, entry.application, entry.rule,
            entry.applied_on, entry.effective_on
        HAVING sum(entry.amount_minor) <> 0
        ORDER BY entry.effective_on
        """,
        [item_id for item_id, _ in days],
        [day for _, day in days],
    )


async def load_receipts(db: Connection, days: Sequence[Day], receipt_ids: Collection[int], resting: Collection[int] = ()) -> list[Record]:
    """
    Receipts of the accounts with money left, and these; `given_on` is the latest date as of which an earlier day gave money back to one, or
    put it on-account. Of accounts that are `resting` those only with money that is not on-account, or that may name something.
    """
    return await db.fetch(
        """
        SELECT receipt.id, receipt.account_id, account.account, receipt.entity, receipt.bank_ref, receipt.currency, receipt.amount_minor,
            receipt.applied_minor, receipt.on_account_minor, receipt.refunded_minor, receipt.returned_minor, receipt.transferred_minor,
            receipt.arrived_on, receipt.pinned_minor,
            receipt.is_barred, receipt.base_minor, receipt.stated, receipt.returned_on, receipt.return_booked_on, receipt.value_on,
            receipt.identified_on, receipt.is_bound, receipt.deposit_for,
            CASE WHEN receipt.identified_on < open.day THEN (
                SELECT max(effective_on) FROM (
                    SELECT effective_on FROM entry
                    WHERE receipt_id = receipt.id AND entry.booked_on < open.day
                        AND (rule = 'on_account' OR (item_id IS NOT NULL AND rule <> 'fx' AND applied_on < entry.booked_on))
                    GROUP BY application, entry.booked_on, effective_on
                    HAVING CASE WHEN application IS NULL THEN sum(amount_minor) > 0 ELSE sum(amount_minor) < 0 END
                ) AS given
            ) END AS given_on
        FROM (
            SELECT id FROM receipt WHERE account_id = ANY($4::bigint[]) AND is_live
            UNION
            SELECT id FROM receipt WHERE account_id = ANY($5::bigint[]) AND is_live AND (
                applied_minor + on_account_minor + refunded_minor + returned_minor + transferred_minor < amount_minor
                OR EXISTS (SELECT FROM clue WHERE clue.receipt_id = receipt.id AND clue.place <> 0)
            )
            UNION
            SELECT unnest($3::bigint[])
        ) AS wanted
        JOIN receipt ON receipt.id = wanted.id
        JOIN account ON account.id = receipt.account_id
        JOIN unnest($1::bigint[], $2::date[]) AS open (account_id, day) ON open.account_id = receipt.account_id
        """,
        [account_id for account_id, _ in days],
        [day for _, day in days],
        list(receipt_ids),
        [account_id for account_id, _ in days if account_id not in resting],
        [account_id for account_id, _ in days if account_id in resting],
    )


async def find_finished_by_document(db: Connection, document_ids: Collection[int]) -> list[Record]:
    """Accounts and booked days where one of these invoices is part of what was finished."""
    return await db.fetch(
        """
        SELECT DISTINCT account_id, booked_on FROM entry
        WHERE is_finished AND item_id = ANY(ARRAY(SELECT id FROM item WHERE document_id = ANY($1::bigint[])))
        """,
        list(document_ids),
    )


async def find_finished_by_clue(db: Connection, digests: Collection[bytes]) -> list[Record]:
    """Accounts and booked days where a receipt that names one of these document numbers is part of what was finished."""
    return await db.fetch(
        """
        SELECT DISTINCT account_id, booked_on FROM entry
        WHERE is_finished AND receipt_id = ANY(ARRAY(SELECT receipt_id FROM clue WHERE digest = ANY($1::bytea[])))
        """,
        list(digests),
    )


async def reopen(db: Connection, days: Sequence[Day]) -> None:
    """Let the accounts' open day be settled as a whole again."""
    if days:
        await db.execute(
            """
            UPDATE entry SET is_finished = false
            FROM unnest($1::bigint[], $2::date[]) AS open (account_id, day)
            WHERE entry.account_id = open.account_id AND entry.booked_on = open.day AND entry.is_finished
            """,
            [account_id for account_id, _ in days],
            [day for _, day in days],
        )


async def insert_entries(db: Connection, entries: Sequence[NewEntry]) -> None:
    """Add to the settlement ledger."""
    if entries:
        await db.copy_records_to_table("entry", columns=NewEntry._fields, records=entries)


class ItemMove(NamedTuple):
    """What moves of an item (row id): by money, by memos, adjusted, void, allowed, and of that by discount."""

    id: int
    settled_minor: int
    credited_minor: int
    adjusted_minor: int
    voided_minor: int
    allowed_minor: int
    discounted_minor: int


class MemoMove(NamedTuple):
    """What moves of a memo (row id)."""

    id: int
    applied_minor: int
    pinned_minor: int


class ReceiptMove(NamedTuple):
    """What moves of a receipt (row id), by disposition; pinned money is on-account too."""

    id: int
    applied_minor: int = 0
    on_account_minor: int = 0
    refunded_minor: int = 0
    returned_minor: int = 0
    transferred_minor: int = 0
    pinned_minor: int = 0

    @property
    def gone_minor(self) -> int:
        """What of it is not there any more; on-account money is."""
        return self.applied_minor + self.refunded_minor + self.returned_minor + self.transferred_minor


async def add_to_items(db: Connection, moved: Sequence[ItemMove]) -> None:
    """Add to what items are settled, credited, adjusted, voided and allowed."""
    if moved:
        await db.execute(
            """
            UPDATE item SET settled_minor = settled_minor + moved.settled, credited_minor = credited_minor + moved.credited,
                adjusted_minor = adjusted_minor + moved.adjusted, voided_minor = voided_minor + moved.voided,
                allowed_minor = allowed_minor + moved.allowed, discounted_minor = discounted_minor + moved.discounted,
                is_open = settled_minor + moved.settled + credited_minor + moved.credited + adjusted_minor + moved.adjusted
                    + voided_minor + moved.voided + allowed_minor + moved.allowed < total_minor
            FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
                AS moved (id, settled, credited, adjusted, voided, allowed, discounted)
            WHERE item.id = moved.id
            """,
            *map(list, zip(*moved, strict=True)),
        )


async def add_to_memos(db: Connection, moved: Sequence[MemoMove]) -> None:
    """Add to what of memos is applied and pinned."""
    if moved:
        await db.execute(
            """
            UPDATE memo SET applied_minor = applied_minor + moved.applied, pinned_minor = pinned_minor + moved.pinned,
                is_open = applied_minor + moved.applied < total_minor
            FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS moved (id, applied, pinned)
            WHERE memo.document_id = moved.id
            """,
            *map(list, zip(*moved, strict=True)),
        )


async def add_to_receipts(db: Connection, moved: Sequence[ReceiptMove]) -> None:
    """Add to the dispositions of receipts."""
    if moved:
        await db.execute(
            """
            UPDATE receipt SET applied_minor = applied_minor + moved.applied, on_account_minor = on_account_minor + moved.on_account,
                refunded_minor = refunded_minor + moved.refunded, returned_minor = returned_minor + moved.returned,
                transferred_minor = transferred_minor + moved.transferred, pinned_minor = pinned_minor + moved.pinned,
                is_live = applied_minor + moved.applied + refunded_minor + moved.refunded + returned_minor + moved.returned
                    + transferred_minor + moved.transferred < amount_minor
            FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
                AS moved (id, applied, on_account, refunded, returned, transferred, pinned)
            WHERE receipt.id = moved.id
            """,
            *map(list, zip(*moved, strict=True)),
        )
