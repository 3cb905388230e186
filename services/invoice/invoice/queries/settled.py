"""What is settled of items and memos: the sums of their movements."""

from collections.abc import Mapping

from chassis.database import Connection

from invoice.domain import Settled


async def add_settled(db: Connection, changes: Mapping[str, Settled]) -> None:
    """Add to what is settled of each item or memo, in minor units; the first mention of one makes its row."""
    subjects = sorted(changes)
    await db.execute(
        """
        INSERT INTO settled (subject, settled_minor, credited_minor, adjusted_minor, discounted_minor)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
        ON CONFLICT (subject) DO UPDATE SET
            settled_minor = settled.settled_minor + excluded.settled_minor,
            credited_minor = settled.credited_minor + excluded.credited_minor,
            adjusted_minor = settled.adjusted_minor + excluded.adjusted_minor,
            discounted_minor = settled.discounted_minor + excluded.discounted_minor
        """,
        subjects,
        [changes[subject].applied_minor for subject in subjects],
        [changes[subject].credited_minor for subject in subjects],
        [changes[subject].adjusted_minor for subject in subjects],
        [changes[subject].discounted_minor for subject in subjects],
    )
