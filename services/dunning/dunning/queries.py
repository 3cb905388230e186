"""
Every SQL statement of the dunning service.

Accounts are compared by code point (`COLLATE "C"`), as Python sorts them, so that chunks and letters are the same on every server.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from asyncpg import Record
from chassis.database import Connection

from dunning.domain import Item, Notice, Procedure, due_on_last


class ItemMove(NamedTuple):
    """What facts add to the open amount of one item; the rest is the item's identity, the same in each of its facts."""

    item: str
    entity: str
    account: str
    currency: str
    due_on: date
    open_minor: int


async def add_to_items(db: Connection, moves: Sequence[ItemMove]) -> None:
    """Add to the open amounts of items, opening those not yet seen; `moves` are sorted by item, each item once."""
    await db.execute(
        """
        INSERT INTO item AS kept (item, entity, account, currency, due_on, open_minor, is_open)
        SELECT *, open_minor > 0 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::bigint[])
            AS moved (item, entity, account, currency, due_on, open_minor)
        ON CONFLICT (item) DO UPDATE SET
            open_minor = kept.open_minor + excluded.open_minor,
            is_open = kept.open_minor + excluded.open_minor > 0
        """,
        *_columns(moves, 6),
    )


# The conditions of `domain.judge` on dates and levels, as an index can answer them: one range per level of the procedure.
_DUE: Final = """
    FROM unnest($2::date[]) WITH ORDINALITY AS step (due_on_last, level)
    JOIN item ON item.entity = $1 AND item.is_open AND item.level = step.level - 1 AND item.due_on <= step.due_on_last
        AND (item.last_noticed_on IS NULL OR item.last_noticed_on <= $3)
"""


async def find_accounts_due(db: Connection, entity: str, procedure: Procedure, noticed_on: date, after: str, limit: int) -> list[str]:
    """Return the next accounts with an item due for a notice of a day, sorted, greater than `after`."""
    rows = await db.fetch(
        f"""
        SELECT DISTINCT account COLLATE "C" AS account {_DUE}
        WHERE account COLLATE "C" > $4 ORDER BY account COLLATE "C" LIMIT $5
        """,
        entity,
        due_on_last(procedure, noticed_on),
        noticed_on - timedelta(days=procedure.interval_days),
        after,
        limit,
    )
    return [row["account"] for row in rows]


async def load_due_items(db: Connection, entity: str, procedure: Procedure, noticed_on: date, accounts: Sequence[str]) -> list[Item]:
    """Return the items of accounts that are due for a notice of a day, in no order."""
    rows = await db.fetch(
        f"""
        SELECT item.item, item.entity, item.account, item.currency, item.due_on, item.open_minor, item.level, item.last_noticed_on
        {_DUE} WHERE item.account = any($4::text[])
        """,
        entity,
        due_on_last(procedure, noticed_on),
        noticed_on - timedelta(days=procedure.interval_days),
        accounts,
    )
    return [Item(*row) for row in rows]


async def save_notices(db: Connection, notices: Sequence[Notice], procedure_version: str, channel: str, decided_at: datetime) -> None:
    """Keep notices and their items, in the order given."""
    await db.execute(
        """
        INSERT INTO notice (notice, entity, account, currency, noticed_on, level, total_minor, procedure_version, channel, decided_at)
        SELECT notice, entity, account, currency, noticed_on, level, total_minor, $8, $9, $10
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::integer[], $7::bigint[]) WITH ORDINALITY
            AS sent (notice, entity, account, currency, noticed_on, level, total_minor, place)
        ORDER BY place
        """,
        *_columns([(n.notice, n.entity, n.account, n.currency, n.noticed_on, n.level, n.total_minor) for n in notices], 7),
        procedure_version,
        channel,
        decided_at,
    )
    await db.execute(
        """
        INSERT INTO notice_item (notice_id, item_id, level, open_minor)
        SELECT notice.id, item.id, noticed.level, noticed.open_minor
        FROM unnest($1::text[], $2::text[], $3::integer[], $4::bigint[]) AS noticed (notice, item, level, open_minor)
        JOIN notice USING (notice) JOIN item USING (item)
        """,
        *_columns([(n.notice, one.item, one.level, one.open_minor) for n in notices for one in n.items], 4),
    )


async def raise_levels(db: Connection, notices: Sequence[Notice], noticed_on: date) -> None:
    """Give the items of notices the level they have reached."""
    await db.execute(
        """
        UPDATE item SET level = noticed.level, last_noticed_on = $3
        FROM unnest($1::text[], $2::integer[]) AS noticed (item, level) WHERE item.item = noticed.item
        """,
        *_columns([(one.item, one.level) for notice in notices for one in notice.items], 2),
        noticed_on,
    )


async def read_notices(db: Connection, entity: str, account: str | None, after: int, limit: int) -> list[Record]:
    """Return the next notices of an entity, or of one of its accounts, in the order they were sent."""
    rows: list[Record] = await db.fetch(
        """
        SELECT id, notice, account, currency, noticed_on, level, total_minor, procedure_version, channel FROM notice
        WHERE entity = $1 AND ($2::text IS NULL OR account = $2) AND id > $3 ORDER BY id LIMIT $4
        """,
        entity,
        account,
        after,
        limit,
    )
    return rows


async def read_noticed_items(db: Connection, notice_ids: Sequence[int]) -> list[Record]:
    """Return the items of notices, by notice, then due date and item."""
    rows: list[Record] = await db.fetch(
        """
        SELECT notice_id, item.item, notice_item.level, item.due_on, notice_item.open_minor
        FROM notice_item JOIN item ON item.id = item_id
        WHERE notice_id = any($1::bigint[]) ORDER BY notice_id, item.due_on, item.item COLLATE "C"
        """,
        notice_ids,
    )
    return rows


async def read_open_items(db: Connection, entity: str, account: str, after: int, limit: int) -> list[Record]:
    """Return the next open items of an account, in the order they were first heard of."""
    rows: list[Record] = await db.fetch(
        """
        SELECT id, item, currency, due_on, open_minor, level, last_noticed_on FROM item
        WHERE entity = $1 AND account = $2 AND is_open AND id > $3 ORDER BY id LIMIT $4
        """,
        entity,
        account,
        after,
        limit,
    )
    return rows


async def read_complete_up_to(db: Connection, entity: str) -> date | None:
    """Return the last closed day of an entity here, or None before its first day."""
    closed_on: date | None = await db.fetchval("SELECT open_on - 1 FROM chassis.day WHERE entity = $1", entity)
    return closed_on


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Turn rows into the arrays that unnest takes, `width` of them even where there is no row."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
