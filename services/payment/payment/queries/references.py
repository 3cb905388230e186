"""References that stand for documents: kept, and looked up for receipts that have no payer. Columns: `tables.intake.DocumentReference`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from chassis.database import Connection


@dataclass(frozen=True, slots=True)
class NewReference:
    """A reference, as a digest, that stands for a document: at which `position` among all it stands for."""

    entity: str
    document_no: str
    digest: bytes
    position: int
    is_weak: bool


async def insert_references(db: Connection, references: Sequence[NewReference]) -> set[tuple[str, str]]:
    """
    Keep references; return which of the documents (entity, number) are here.

    What is said again changes nothing, but that a reference is not weak where anything says so, and has its first position.
    """
    if not references:
        return set()
    firm = {
        (one.entity, one.document_no, one.digest): one
        for one in sorted(references, key=lambda one: (one.is_weak, one.position), reverse=True)
    }
    rows = [firm[key] for key in sorted(firm)]
    found = await db.fetch(
        """
        WITH said AS (
            SELECT said.digest, document.id AS document_id, said.position, said.is_weak, document.entity, document.document_no
            FROM unnest($1::text[], $2::text[], $3::bytea[], $4::int[], $5::boolean[])
                AS said (entity, document_no, digest, position, is_weak)
            JOIN document ON document.entity = said.entity AND document.document_no = said.document_no
        ), kept AS (
            INSERT INTO document_reference (digest, document_id, position, is_weak)
            SELECT digest, document_id, position, is_weak FROM said
            ON CONFLICT (digest, document_id) DO UPDATE SET position = excluded.position, is_weak = excluded.is_weak
            WHERE (excluded.is_weak, excluded.position) < (document_reference.is_weak, document_reference.position)
        )
        SELECT DISTINCT entity, document_no FROM said
        """,
        [one.entity for one in rows],
        [one.document_no for one in rows],
        [one.digest for one in rows],
        [one.position for one in rows],
        [one.is_weak for one in rows],
    )
    return {(row["entity"], row["document_no"]) for row in found}


async def find_accounts_naming(db: Connection, digests: Collection[bytes]) -> set[int]:
    """Accounts (id) that have receipts that name one of these."""
    rows = await db.fetch(
        "SELECT DISTINCT account_id FROM receipt WHERE id = ANY(ARRAY(SELECT receipt_id FROM clue WHERE digest = ANY($1::bytea[])))",
        list(digests),
    )
    return {row["account_id"] for row in rows}


async def find_named_weakly(db: Connection, entity: str, after: str, limit: int) -> list[str]:
    """The next names `receipt:<bank_ref>` of receipts without a payer all of whose weak references stand for documents of one account."""
    rows = await db.fetch(
        """
        SELECT account.account
        FROM receipt
        JOIN account ON account.id = receipt.account_id
        CROSS JOIN LATERAL (
            SELECT count(DISTINCT document.account) AS accounts
            FROM clue
            JOIN document_reference AS reference ON reference.digest = clue.digest AND reference.is_weak
            JOIN document ON document.id = reference.document_id
            WHERE clue.receipt_id = receipt.id
        ) AS named
        WHERE receipt.entity = $1 AND receipt.identified_on IS NULL AND receipt.returned_on IS NULL
            AND account.account COLLATE "C" > $2 AND named.accounts = 1
        ORDER BY account.account COLLATE "C" LIMIT $3
        """,
        entity,
        after,
        limit,
    )
    return [row["account"] for row in rows]
