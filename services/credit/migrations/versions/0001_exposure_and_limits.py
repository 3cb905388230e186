"""Exposure by component, limits by version."""

from alembic import op
from chassis.protocol import protocol_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the protocol's tables, ours, and the views that outside checkers read."""
    op.execute(protocol_sql())
    op.execute(
        """
        CREATE TABLE exposure (
            entity text NOT NULL,
            account text NOT NULL,
            currency char(3) NOT NULL,
            open_minor bigint NOT NULL,
            on_account_minor bigint NOT NULL,
            memo_minor bigint NOT NULL,
            CONSTRAINT exposure_pkey PRIMARY KEY (entity, account, currency)
        ) WITH (fillfactor = 80)
        """
    )
    op.execute(
        """
        CREATE TABLE credit_limit (
            entity text NOT NULL,
            account text NOT NULL,
            currency char(3) NOT NULL,
            version bigint NOT NULL,
            limit_minor bigint NOT NULL,
            set_by text NOT NULL,
            booked_on date NOT NULL,
            set_at timestamptz NOT NULL,
            CONSTRAINT credit_limit_pkey PRIMARY KEY (entity, account, currency, version),
            CONSTRAINT credit_limit_version_from_one CHECK (version >= 1),
            CONSTRAINT credit_limit_limit_not_negative CHECK (limit_minor >= 0)
        )
        """
    )
    op.execute(
        """
        CREATE VIEW chk.exposure AS
        SELECT entity, account, currency,
            coalesce(open_minor, 0) AS open_minor,
            coalesce(on_account_minor, 0) AS on_account_minor,
            coalesce(memo_minor, 0) AS memo_minor,
            coalesce(open_minor - on_account_minor - memo_minor, 0) AS exposure_minor,
            limit_minor
        FROM exposure
        FULL JOIN (
            SELECT DISTINCT ON (entity, account, currency) entity, account, currency, limit_minor FROM credit_limit
            ORDER BY entity, account, currency, version DESC
        ) AS in_force USING (entity, account, currency)
        """
    )


def downgrade() -> None:
    """Leave an empty database."""
    op.execute("DROP SCHEMA chk CASCADE")
    op.execute("DROP SCHEMA chassis CASCADE")
    op.execute("DROP TABLE exposure, credit_limit")
