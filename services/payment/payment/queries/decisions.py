"""What people decide about money and credit: what they decide about as it stands, and their decisions, only ever added to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from chassis.database import Connection

from payment.domain import MEMO, RECEIPT, Source
from payment.domain.hand import Applied, Held, Owed


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision to keep; exactly one of `receipt_id` and `memo_id` is given."""

    decision: str
    account_id: int
    receipt_id: int | None
    memo_id: int | None
    item_id: int | None
    kind: str
    amount_minor: int
    effective_on: date
    reason: str
    decided_by: str


OF_SOURCE: Final[Mapping[str, str]] = {
    RECEIPT: "entry.receipt_id = (SELECT id FROM receipt WHERE entity = $2 AND bank_ref = $3)",
    MEMO: "entry.memo_id = (SELECT id FROM document WHERE entity = $2 AND document_no = $3)",
}
"""The entries of a receipt or a memo, by kind of source: its entity is $2, its number $3."""


async def find_held(db: Connection, sources: Collection[Source]) -> dict[Source, Held]:
    """Receipts and memos as they stand; those that are not here are left out."""
    named = [(one.kind, *one.id.split("|", 1)) for one in sources]
    rows = await db.fetch(
        """
        SELECT $4::text AS kind, receipt.id, receipt.account_id, receipt.entity, receipt.bank_ref AS number, account.account,
            receipt.identified_on IS NOT NULL AS is_identified, receipt.currency,
            receipt.amount_minor - receipt.applied_minor - receipt.refunded_minor - receipt.returned_minor - receipt.transferred_minor
                AS free_minor,
            receipt.pinned_minor, receipt.is_barred, receipt.returned_on IS NOT NULL AS is_returned, receipt.value_on AS since_on,
            CASE WHEN receipt.is_bound THEN receipt.deposit_for END AS bound_to
        FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (kind, entity, number)
        JOIN receipt ON wanted.kind = $4 AND receipt.entity = wanted.entity AND receipt.bank_ref = wanted.number
        JOIN account ON account.id = receipt.account_id
        UNION ALL
        SELECT $5::text, memo.document_id, memo.account_id, document.entity, document.document_no, document.account,
            true, document.currency, memo.total_minor - memo.applied_minor, memo.pinned_minor, memo.is_barred, false, document.issued_on,
            NULL
        FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (kind, entity, number)
        JOIN document ON wanted.kind = $5 AND document.entity = wanted.entity AND document.document_no = wanted.number
        JOIN memo ON memo.document_id = document.id
        """,
        [kind for kind, _, _ in named],
        [entity for _, entity, _ in named],
        [number for _, _, number in named],
        RECEIPT,
        MEMO,
    )
    held = [
        Held(
            row_id=row["id"],
            account_id=row["account_id"],
            source=Source(row["kind"], f"{row['entity']}|{row['number']}"),
            account=row["account"],
            is_identified=row["is_identified"],
            currency=row["currency"],
            free_minor=row["free_minor"],
            pinned_minor=row["pinned_minor"],
            is_barred=row["is_barred"],
            is_returned=row["is_returned"],
            since_on=row["since_on"],
            bound_to=row["bound_to"],
        )
        for row in rows
    ]
    return {one.source: one for one in held}


async def find_owed(db: Connection, items: Collection[str]) -> dict[str, Owed]:
    """Items, by their ids in facts (`entity|document_no|n`), as they stand; those that are not here are left out."""
    named = [(entity, number, int(n)) for entity, number, n in (one.split("|") for one in items)]
    rows = await db.fetch(
        """
        SELECT item.id, document.entity, document.document_no, item.n, document.account, document.currency,
            item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.allowed_minor - item.voided_minor
                AS open_minor
        FROM unnest($1::text[], $2::text[], $3::int[]) AS wanted (entity, document_no, n)
        JOIN document ON document.entity = wanted.entity AND document.document_no = wanted.document_no
        JOIN item ON item.document_id = document.id AND item.n = wanted.n
        """,
        [entity for entity, _, _ in named],
        [number for _, number, _ in named],
        [n for _, _, n in named],
    )
    owed = {f"{row['entity']}|{row['document_no']}|{row['n']}": row for row in rows}
    return {item: Owed(row["id"], item, row["account"], row["currency"], row["open_minor"]) for item, row in owed.items()}


async def find_applied(db: Connection, application: str, source: Source) -> Applied | None:
    """An application of a receipt or a memo as it stands, by its id in facts."""
    entity, _, number = source.id.partition("|")
    row = await db.fetchrow(
        f"""
        SELECT document.document_no, item.n, document.account, document.currency, sum(entry.amount_minor)::bigint AS minor,
            (array_agg(entry.effective_on ORDER BY entry.id))[1] AS effective_on, min(entry.applied_on) AS applied_on,
            min(entry.rule) AS rule
        FROM entry JOIN item ON item.id = entry.item_id JOIN document ON document.id = item.document_id
        WHERE {OF_SOURCE[source.kind]} AND entry.application = $1 AND entry.rule <> 'fx'
        GROUP BY document.document_no, item.n, document.account, document.currency
        """,
        *(application, entity, number),
    )
    if row is None:
        return None
    item = f"{entity}|{row['document_no']}|{row['n']}"
    return Applied(
        application, source, item, *(row[name] for name in ("account", "currency", "minor", "effective_on", "applied_on", "rule"))
    )


async def count_decisions(db: Connection, account_ids: Collection[int]) -> dict[int, int]:
    """How many decisions there are about accounts (row id); those without any are left out."""
    rows = await db.fetch(
        "SELECT account_id, count(*) AS n FROM decision WHERE account_id = ANY($1::bigint[]) GROUP BY account_id", list(account_ids)
    )
    return {row["account_id"]: row["n"] for row in rows}


async def insert_decisions(db: Connection, decisions: Sequence[DecisionRow], booked_on: date) -> None:
    """
    Keep decisions, numbered in their order, and mark the accounts, receipts and memos they are about.

    A deposit that is released is bound no more, also for the rest of the day: what it names counts for the day as a whole.
    """
    await db.execute(
        """
        INSERT INTO decision (decision, account_id, receipt_id, memo_id, item_id, kind, amount_minor, effective_on, reason, decided_by,
            booked_on)
        SELECT decision, account_id, receipt_id, memo_id, item_id, kind, amount_minor, effective_on, reason, decided_by, $11
        FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::date[], $9::text[],
            $10::text[]) WITH ORDINALITY
            AS new (decision, account_id, receipt_id, memo_id, item_id, kind, amount_minor, effective_on, reason, decided_by, place)
        ORDER BY place
        """,
        [one.decision for one in decisions],
        [one.account_id for one in decisions],
        [one.receipt_id for one in decisions],
        [one.memo_id for one in decisions],
        [one.item_id for one in decisions],
        [one.kind for one in decisions],
        [one.amount_minor for one in decisions],
        [one.effective_on for one in decisions],
        [one.reason for one in decisions],
        [one.decided_by for one in decisions],
        booked_on,
    )
    await db.execute(
        "UPDATE account SET decided_on = $2 WHERE id = ANY($1::bigint[])", sorted({one.account_id for one in decisions}), booked_on
    )
    barred = {(one.receipt_id, one.memo_id): one.kind == "unapply" for one in decisions if one.kind in ("unapply", "release")}
    await _bar(db, "receipt", "id", [(receipt_id, is_barred) for (receipt_id, _), is_barred in barred.items() if receipt_id is not None])
    await _bar(db, "memo", "document_id", [(memo_id, is_barred) for (_, memo_id), is_barred in barred.items() if memo_id is not None])
    if released := [one.receipt_id for one in decisions if one.kind == "release" and one.receipt_id is not None]:
        await db.execute("UPDATE receipt SET is_bound = false WHERE id = ANY($1::bigint[]) AND is_bound", released)


async def _bar(db: Connection, table: str, column: str, barred: Sequence[tuple[int, bool]]) -> None:
    if barred:
        await db.execute(
            f"""
            UPDATE {table} SET is_barred = told.is_barred
            FROM unnest($1::bigint[], $2::boolean[]) AS told (id, is_barred) WHERE {table}.{column} = told.id
            """,
            [id_ for id_, _ in barred],
            [is_barred for _, is_barred in barred],
        )
