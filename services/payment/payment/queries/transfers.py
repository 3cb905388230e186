"""Transfers between accounts: receipts as they stand before, and the receipts that are made of what leaves them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from asyncpg import Record
from chassis.database import Connection

from payment.domain.transfers import TRANSFER


@dataclass(frozen=True, slots=True)
class TransferSource:
    """
    A receipt that money leaves, as it stands.

    `origin_id` is the receipt that came from outside, itself or another. `free_on` is the earliest date since when no less of it was free
    than is now. `settled_minor` of it was applied when the day opened, or transferred since it came; `transfers` is how often that was.
    """

    id: int
    entity: str
    bank_ref: str
    account_id: int
    account: str
    currency: str
    value_on: date
    amount_minor: int
    base_minor: int | None
    origin_id: int
    free_on: date
    settled_minor: int
    transfers: int

    @property
    def receipt(self) -> str:
        """Its id in facts."""
        return f"{self.entity}|{self.bank_ref}"


@dataclass(frozen=True, slots=True)
class NewArrival:
    """A receipt to make of money that leaves another: see `tables.ledger.Receipt`. With `has_clues` it says of its payer what that says."""

    source: TransferSource
    bank_ref: str
    account_id: int
    transfer: str
    amount_minor: int
    base_minor: int | None
    arrived_on: date
    content: bytes
    has_clues: bool


async def load_sources(db: Connection, receipt_ids: Collection[int], day: date, given_before: date) -> dict[int, TransferSource]:
    """Receipts by row id on the open day; of what was given back to them what was booked before `given_before` counts."""
    rows = await db.fetch(
        """
        SELECT receipt.id, receipt.entity, receipt.bank_ref, receipt.account_id, account.account, receipt.currency, receipt.value_on,
            receipt.amount_minor, receipt.base_minor, coalesce(receipt.origin_id, receipt.id) AS origin_id,
            greatest(receipt.value_on, receipt.arrived_on, (
                SELECT max(effective_on) FROM (
                    SELECT effective_on FROM entry
                    WHERE receipt_id = receipt.id AND entry.booked_on < $3
                        AND (rule IN ('on_account', 'pinned') OR (item_id IS NOT NULL AND rule <> 'fx' AND applied_on < entry.booked_on))
                    GROUP BY application, rule, entry.booked_on, effective_on
                    HAVING CASE WHEN application IS NULL THEN sum(amount_minor) > 0 ELSE sum(amount_minor) < 0 END
                ) AS given
            )) AS free_on,
            (receipt.applied_minor + receipt.transferred_minor - coalesce((
                SELECT sum(entry.amount_minor) FROM entry
                WHERE entry.receipt_id = receipt.id AND entry.booked_on = $2 AND entry.item_id IS NOT NULL AND entry.rule <> 'fx'
            ), 0))::bigint AS settled_minor,
            (
                SELECT count(*)::int FROM receipt AS made
                WHERE made.origin_id = coalesce(receipt.origin_id, receipt.id) AND made.from_receipt_id = receipt.id
            ) AS transfers
        FROM receipt JOIN account ON account.id = receipt.account_id
        WHERE receipt.id = ANY($1::bigint[])
        """,
        *(list(receipt_ids), day, given_before),
    )
    return {row["id"]: TransferSource(*row) for row in rows}


async def insert_arrivals(db: Connection, arrivals: Sequence[NewArrival], day: date) -> None:
    """Make receipts of what leaves others, with the value date of the money; those with clues state what the other's remittance does."""
    await db.execute(
        """
        INSERT INTO receipt (entity, bank_ref, account_id, currency, amount_minor, applied_minor, on_account_minor, refunded_minor,
            returned_minor, transferred_minor, pinned_minor, is_live, is_barred, is_bound, value_on, booked_on, identified_on,
            identified_by, method, content, base_minor, stated, from_receipt_id, origin_id, transfer, arrived_on)
        SELECT source.entity, new.bank_ref, new.account_id, source.currency, new.amount_minor, 0, 0, 0,
            0, 0, 0, true, false, false, source.value_on, $10, $10,
            $11, $11, new.content, new.base_minor, CASE WHEN new.has_clues THEN source.stated END, source.id,
            coalesce(source.origin_id, source.id), new.transfer, new.arrived_on
        FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::date[], $8::bytea[], $9::boolean[])
            AS new (source_id, bank_ref, account_id, transfer, amount_minor, base_minor, arrived_on, content, has_clues)
        JOIN receipt AS source ON source.id = new.source_id
        """,
        [one.source.id for one in arrivals],
        [one.bank_ref for one in arrivals],
        [one.account_id for one in arrivals],
        [one.transfer for one in arrivals],
        [one.amount_minor for one in arrivals],
        [one.base_minor for one in arrivals],
        [one.arrived_on for one in arrivals],
        [one.content for one in arrivals],
        [one.has_clues for one in arrivals],
        *(day, TRANSFER),
    )
    if naming := [one.transfer for one in arrivals if one.has_clues]:
        await db.execute(
            """
            INSERT INTO clue (receipt_id, place, digest)
            SELECT receipt.id, clue.place, clue.digest
            FROM receipt JOIN clue ON clue.receipt_id = receipt.from_receipt_id AND clue.place <> 0
            WHERE receipt.transfer = ANY($1::text[])
            """,
            naming,
        )


_NAMES_OTHERS: Final = """
    JOIN document ON document.id = known.document_id AND document.kind <> 'memo' AND document.currency = receipt.currency
        AND document.account <> account.account
    JOIN item ON item.document_id = document.id
    WHERE item.is_open OR EXISTS (SELECT FROM entry WHERE entry.item_id = item.id AND entry.booked_on = $2)
"""
"""Of documents known by a clue: those of other accounts that were open when the day began; what was paid of them since counts as open."""

_SPREADABLE: Final = """
    FROM receipt JOIN account ON account.id = receipt.account_id
    WHERE receipt.entity = $1 AND receipt.is_live AND receipt.identified_on < $2 AND receipt.origin_id IS NULL
        AND receipt.returned_on IS NULL AND NOT receipt.is_bound
        AND NOT EXISTS (SELECT FROM decision WHERE decision.receipt_id = receipt.id AND decision.booked_on = $2)
"""
"""Receipts whose free money may go to other accounts when a day begins: no deposits, and nothing anybody has decided about since."""


async def find_naming_others(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """The next bank references of receipts with money left whose remittance names documents of other accounts, open when the day began."""
    rows = await db.fetch(
        f"""
        SELECT receipt.bank_ref {_SPREADABLE} AND receipt.bank_ref COLLATE "C" > $3 AND (
            EXISTS (
                SELECT FROM clue JOIN LATERAL (
                    SELECT document.id AS document_id FROM document WHERE document.digest = clue.digest
                    UNION ALL
                    SELECT reference.document_id FROM document_reference AS reference
                    WHERE reference.digest = clue.digest AND NOT reference.is_weak
                ) AS known ON clue.receipt_id = receipt.id {_NAMES_OTHERS}
            )
        )
        ORDER BY receipt.bank_ref COLLATE "C" LIMIT $4
        """,
        *(entity, day, after, limit),
    )
    return [row["bank_ref"] for row in rows]


async def load_spreadable(db: Connection, entity: str, bank_refs: Collection[str], day: date) -> list[Record]:
    """Those receipts, by bank reference, with what of each was free for rules when the day began, and what its remittance states."""
    return await db.fetch(
        f"""
        SELECT receipt.id, receipt.bank_ref, account.account, receipt.currency, receipt.stated,
            (receipt.amount_minor - receipt.applied_minor - receipt.refunded_minor - receipt.returned_minor - receipt.transferred_minor
                - receipt.pinned_minor + coalesce((
                    SELECT sum(entry.amount_minor) FROM entry
                    WHERE entry.receipt_id = receipt.id AND entry.booked_on = $2 AND entry.item_id IS NOT NULL AND entry.rule <> 'fx'
                ), 0))::bigint AS free_minor
        {_SPREADABLE} AND receipt.bank_ref = ANY($3::text[])
        ORDER BY receipt.bank_ref COLLATE "C"
        """,
        *(entity, day, list(bank_refs)),
    )


async def load_open_of_documents(db: Connection, days: Mapping[int, date]) -> dict[int, int]:
    """What was open of documents (row id) when a day of theirs began; those of which nothing was, or that came later, are left out."""
    rows = await db.fetch(
        """
        SELECT document_id, sum(open_minor)::bigint AS open_minor FROM (
            SELECT item.document_id,
                item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.allowed_minor - item.voided_minor
                + coalesce((
                    SELECT sum(entry.amount_minor) FROM entry
                    WHERE entry.item_id = item.id AND entry.booked_on = open.day AND entry.rule <> 'fx'
                ), 0) AS open_minor
            FROM unnest($1::bigint[], $2::date[]) AS open (document_id, day)
            JOIN document ON document.id = open.document_id AND document.booked_on < open.day
            JOIN item ON item.document_id = document.id
        ) AS opening
        GROUP BY document_id HAVING sum(open_minor) > 0
        """,
        *(list(days), list(days.values())),
    )
    return {row["document_id"]: row["open_minor"] for row in rows}


async def read_transfers(db: Connection, receipt_id: int) -> list[Record]:
    """What was transferred of a receipt (row id), in the order it was; who decided it, or nobody did."""
    return await db.fetch(
        """
        SELECT made.transfer, made.entity, made.bank_ref, account.account, made.currency, made.amount_minor, made.arrived_on,
            made.booked_on, decision.reason, decision.decided_by
        FROM receipt AS source
        JOIN receipt AS made ON made.origin_id = coalesce(source.origin_id, source.id) AND made.from_receipt_id = source.id
        JOIN account ON account.id = made.account_id
        JOIN decision ON decision.decision = made.transfer
        WHERE source.id = $1 ORDER BY made.id
        """,
        receipt_id,
    )
