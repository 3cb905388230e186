"""
What a closed day left to be looked at: items that payments name and leave open, money left over. Columns: `tables.findings`.

Entries that are finished settled all they touch: see `domain.finished`. Nothing here commits.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from typing import Final, NamedTuple

from asyncpg import Record
from chassis.database import Connection

from payment.queries.overdue import OPEN

SHORT_PAYMENT: Final = "short_payment"
UNEARNED_DISCOUNT: Final = "unearned_discount"
OVERPAYMENT: Final = "overpayment"
RATE_MISSING: Final = "rate_missing"
KINDS: Final = (SHORT_PAYMENT, UNEARNED_DISCOUNT, OVERPAYMENT, RATE_MISSING)


class Paid(NamedTuple):
    """An item and a receipt (row ids) that names it and paid part of it; it counts from `effective_on`."""

    item_id: int
    receipt_id: int
    effective_on: date


@dataclass(frozen=True, slots=True)
class NewFinding:
    """Something found, by row ids; `named` are the documents that money left over had named."""

    entity: str
    kind: str
    account_id: int
    receipt_id: int | None
    item_id: int | None
    amount_minor: int
    found_on: date
    until_on: date | None = None
    deduction_code: str | None = None
    named: Sequence[str] = ()


async def find_accounts(db: Connection, entity: str, day: date, closed_on: date, after: str, limit: int) -> list[str]:
    """
    Return the next accounts, sorted and greater than `after`, where something may be found when `day` opens.

    Money that names something was placed or left over on `closed_on`, or a discount's time is over.
    """
    rows = await db.fetch(
        """
        (
            SELECT account.account COLLATE "C" AS account FROM account
            WHERE account.entity = $1 AND account.account COLLATE "C" > $4 AND EXISTS (
                SELECT FROM entry
                WHERE entry.account_id = account.id AND entry.booked_on = $3 AND NOT entry.is_finished AND entry.receipt_id IS NOT NULL
                    AND entry.rule IN ('on_account', 'person', 'reference')
            )
            ORDER BY account.account COLLATE "C" LIMIT $5
        )
        UNION
        (
            SELECT account.account COLLATE "C" FROM account
            WHERE account.entity = $1 AND account.account COLLATE "C" > $4
                AND EXISTS (SELECT FROM discount_window WHERE discount_window.account_id = account.id AND discount_window.until_on < $2)
            ORDER BY account.account COLLATE "C" LIMIT $5
        )
        ORDER BY account LIMIT $5
        """,
        *(entity, day, closed_on, after, limit),
    )
    return [row["account"] for row in rows]


async def find_paid(db: Connection, entity: str, accounts: Sequence[str], closed_on: date) -> list[Paid]:
    """
    Return the open items of these accounts that money naming them was placed on, with the latest such receipt by its value date.

    A deposit is drawn down, however little of an item it is.
    """
    rows = await db.fetch(
        """
        SELECT DISTINCT ON (paid.item_id) paid.item_id, paid.receipt_id, paid.effective_on
        FROM (
            SELECT entry.item_id, entry.receipt_id, entry.effective_on
            FROM account JOIN entry ON entry.account_id = account.id
            WHERE account.entity = $1 AND account.account = ANY($2::text[]) AND entry.booked_on = $3 AND entry.applied_on = $3
                AND NOT entry.is_finished AND entry.receipt_id IS NOT NULL AND entry.rule IN ('person', 'reference')
            GROUP BY entry.item_id, entry.receipt_id, entry.effective_on HAVING sum(entry.amount_minor) > 0
        ) AS paid
        JOIN item ON item.id = paid.item_id AND item.is_open
        JOIN receipt ON receipt.id = paid.receipt_id AND NOT receipt.is_bound
        ORDER BY paid.item_id, receipt.value_on DESC, receipt.bank_ref COLLATE "C" DESC, paid.effective_on DESC
        """,
        *(entity, list(accounts), closed_on),
    )
    return [Paid(*row) for row in rows]


async def wait_for_window(db: Connection, waiting: Sequence[tuple[int, date]]) -> None:
    """Look at items (row id) again when the last day on which they can earn a discount is over."""
    if waiting:
        await db.execute(
            """
            INSERT INTO discount_window (item_id, account_id, until_on)
            SELECT item.id, item.account_id, waiting.until_on
            FROM unnest($1::bigint[], $2::date[]) AS waiting (item_id, until_on) JOIN item ON item.id = waiting.item_id
            ON CONFLICT (item_id) DO NOTHING
            """,
            [item_id for item_id, _ in waiting],
            [until_on for _, until_on in waiting],
        )


async def close_windows(db: Connection, entity: str, accounts: Sequence[str], day: date) -> list[Paid]:
    """
    Forget the items of these accounts that cannot earn a discount any more on `day`; return those that are open.

    With the latest receipt, by its value date, that paid in time and still stands.
    """
    rows = await db.fetch(
        """
        WITH over AS (
            DELETE FROM discount_window USING account
            WHERE account.id = discount_window.account_id AND account.entity = $1 AND account.account = ANY($2::text[])
                AND discount_window.until_on < $3
            RETURNING discount_window.item_id, discount_window.until_on
        )
        SELECT DISTINCT ON (paid.item_id) paid.item_id, paid.receipt_id, paid.effective_on
        FROM (
            SELECT entry.item_id, entry.receipt_id, over.until_on,
                min(entry.effective_on) FILTER (WHERE entry.amount_minor > 0) AS effective_on
            FROM over JOIN item ON item.id = over.item_id AND item.is_open
            JOIN entry ON entry.item_id = over.item_id AND entry.receipt_id IS NOT NULL AND entry.rule IN ('person', 'reference')
            GROUP BY entry.item_id, entry.receipt_id, over.until_on, entry.application HAVING sum(entry.amount_minor) > 0
        ) AS paid
        JOIN receipt ON receipt.id = paid.receipt_id AND NOT receipt.is_bound
        WHERE paid.effective_on <= paid.until_on
        ORDER BY paid.item_id, receipt.value_on DESC, receipt.bank_ref COLLATE "C" DESC, paid.effective_on DESC
        """,
        *(entity, list(accounts), day),
    )
    return [Paid(*row) for row in rows]


async def load_part_paid(db: Connection, paid: Sequence[Paid]) -> list[Record]:
    """
    Read items and the receipts that paid part of them, but those that were told of already.

    `own_minor` is what stands of the receipt on the item, with what it was allowed to keep back; `document_own_minor` on all of the
    document, of which `document_open_minor` is open.
    """
    return await db.fetch(
        f"""
        SELECT item.id AS item_id, item.account_id, item.n, item.due_on, item.total_minor, {OPEN} AS open_minor, item.early,
            item.credited_minor + item.adjusted_minor AS relieved_minor, item.discounted_minor, document.document_no, document.customer,
            document.account, document.currency, receipt.id AS receipt_id, receipt.bank_ref, receipt.stated, asked.effective_on,
            own.own_minor, own.document_own_minor, whole.document_open_minor
        FROM unnest($1::bigint[], $2::bigint[], $3::date[]) AS asked (item_id, receipt_id, effective_on)
        JOIN item ON item.id = asked.item_id
        JOIN document ON document.id = item.document_id
        JOIN receipt ON receipt.id = asked.receipt_id
        CROSS JOIN LATERAL (
            SELECT array_agg(item.id) AS item_ids, sum({OPEN})::bigint AS document_open_minor FROM item WHERE document_id = document.id
        ) AS whole
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor) FILTER (WHERE entry.item_id = asked.item_id), 0)::bigint AS own_minor,
                coalesce(sum(amount_minor), 0)::bigint AS document_own_minor
            FROM entry
            WHERE entry.item_id = ANY(whole.item_ids) AND receipt.id IN (entry.receipt_id, entry.allowance_id) AND entry.rule <> 'fx'
        ) AS own
        WHERE NOT EXISTS (SELECT FROM finding WHERE finding.item_id = asked.item_id AND finding.receipt_id = asked.receipt_id)
        ORDER BY document.account COLLATE "C", item.due_on, document.document_no COLLATE "C", item.n
        """,
        [one.item_id for one in paid],
        [one.receipt_id for one in paid],
        [one.effective_on for one in paid],
    )


async def find_left_over(db: Connection, entity: str, accounts: Sequence[str], closed_on: date) -> list[Record]:
    """
    Return the receipts of these accounts of which money became on-account on a day, beyond what a person keeps there.

    What is left of a deposit is bound to its order: it is nothing that was paid too much.
    """
    return await db.fetch(
        """
        SELECT receipt.id, receipt.bank_ref, receipt.account_id, account.account, receipt.currency, receipt.is_bound,
            moved.minor AS amount_minor
        FROM (
            SELECT receipt_id, (
                coalesce(sum(minor) FILTER (WHERE rule = 'on_account'), 0) - greatest(0, sum(minor) FILTER (WHERE rule = 'pinned'))
            )::bigint AS minor
            FROM (
                SELECT entry.receipt_id, entry.rule, sum(entry.amount_minor)::bigint AS minor
                FROM account JOIN entry ON entry.account_id = account.id
                WHERE account.entity = $1 AND account.account = ANY($2::text[]) AND entry.booked_on = $3 AND NOT entry.is_finished
                    AND entry.receipt_id IS NOT NULL AND entry.item_id IS NULL AND entry.rule IN ('on_account', 'pinned')
                GROUP BY entry.receipt_id, entry.rule
            ) AS ruled
            GROUP BY receipt_id
        ) AS moved
        JOIN receipt ON receipt.id = moved.receipt_id
        JOIN account ON account.id = receipt.account_id
        WHERE moved.minor > 0 AND NOT receipt.is_bound
        ORDER BY account.account COLLATE "C", receipt.bank_ref COLLATE "C"
        """,
        *(entity, list(accounts), closed_on),
    )


async def insert(db: Connection, found: Sequence[NewFinding]) -> None:
    """Keep findings; each is told once."""
    if found:
        await db.copy_records_to_table("finding", columns=_COLUMNS, records=[astuple(one) for one in found])


_COLUMNS: Final = tuple(field.name for field in fields(NewFinding))


async def list_findings(
    db: Connection, entity: str, *, kind: str | None, account: str | None, before: int | None, limit: int
) -> list[Record]:
    """Return findings of an entity whose id is less than `before`, the newest first, at most `limit`."""
    arguments: list[object] = [entity, limit]
    conditions = ["finding.entity = $1"]
    whose = "finding.account_id = (SELECT id FROM account WHERE account.entity = $1 AND account.account = ${})"
    for condition, wanted in (("finding.kind = ${}", kind), (whose, account), ("finding.id < ${}", before)):
        if wanted is not None:  # A text of its own for every set of filters, so that each finds its index.
            arguments.append(wanted)
            conditions.append(condition.format(len(arguments)))
    return await db.fetch(
        f"""
        SELECT finding.id, finding.entity, finding.kind, account.account, finding.amount_minor, finding.found_on, finding.until_on,
            finding.deduction_code, finding.named, receipt.bank_ref, document.document_no, document.customer, item.n, item.due_on,
            coalesce(document.currency, receipt.currency) AS currency, {OPEN} AS open_minor
        FROM finding JOIN account ON account.id = finding.account_id
        LEFT JOIN receipt ON receipt.id = finding.receipt_id
        LEFT JOIN item ON item.id = finding.item_id
        LEFT JOIN document ON document.id = item.document_id
        WHERE {" AND ".join(conditions)}
        ORDER BY finding.id DESC LIMIT $2
        """,
        *arguments,
    )
