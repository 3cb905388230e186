"""The audit trail: one row for every command that was accepted, written in the command's own transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from chassis.database import Connection


async def record(
    db: Connection, *, entity: str, principal: str, action: str, subject: str, detail: Mapping[str, Any], recorded_at: datetime
) -> None:
    """Say that `principal` did `action` to `subject`; `detail` holds types, keys and codes, never names or free text."""
    await db.execute(
        """
        INSERT INTO chassis.audit (entity, principal, action, subject, detail, recorded_at) VALUES ($1, $2, $3, $4, $5::jsonb, $6)
        """,
        entity,
        principal,
        action,
        subject,
        msgspec.json.encode(detail).decode(),
        recorded_at,
    )
