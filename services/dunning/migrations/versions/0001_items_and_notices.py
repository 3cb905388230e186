"""Items with their dunning level, notices with their items."""

from alembic import op
from chassis.protocol import protocol_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the protocol's tables, ours, and the views that outside checkers read."""
    op.execute(protocol_sql())
    _make_item()
    _make_notice()
    op.execute("CREATE VIEW chk.item AS SELECT item, entity, account, currency, open_minor, level, last_noticed_on FROM item")
    op.execute(
        """
        CREATE VIEW chk.notice AS
        SELECT notice, entity, account, currency, noticed_on, notice.level, total_minor,
            array_agg(item.item ORDER BY item.item COLLATE "C") AS items, cast(sum(open_minor_noticed) AS bigint) AS items_minor
        FROM notice
        JOIN (SELECT notice_id, item_id, open_minor AS open_minor_noticed FROM notice_item) AS noticed ON noticed.notice_id = notice.id
        JOIN (SELECT id AS item_id, item FROM item) AS item USING (item_id)
        GROUP BY notice.id
        """
    )


def downgrade() -> None:
    """Leave an empty database."""
    op.execute("DROP SCHEMA chk CASCADE")
    op.execute("DROP SCHEMA chassis CASCADE")
    op.execute("DROP TABLE notice_item, notice, item")


def _make_item() -> None:
    op.execute(
        """
        CREATE TABLE item (
            id bigint GENERATED ALWAYS AS IDENTITY,
            item text NOT NULL,
            entity text NOT NULL,
            account text NOT NULL,
            currency char(3) NOT NULL,
            due_on date NOT NULL,
            open_minor bigint NOT NULL,
            is_open boolean NOT NULL,
            level integer NOT NULL DEFAULT 0,
            last_noticed_on date,
            CONSTRAINT item_pkey PRIMARY KEY (id),
            CONSTRAINT item_item_key UNIQUE (item),
            CONSTRAINT item_open_is_positive CHECK (is_open = (open_minor > 0)),
            CONSTRAINT item_level_by_notice CHECK (level >= 0 AND (level = 0) = (last_noticed_on IS NULL))
        ) WITH (fillfactor = 80)
        """
    )
    op.execute("CREATE INDEX item_due ON item (entity, level, due_on) WHERE is_open")
    op.execute("CREATE INDEX item_by_account ON item (entity, account, id) WHERE is_open")


def _make_notice() -> None:
    op.execute(
        """
        CREATE TABLE notice (
            id bigint GENERATED ALWAYS AS IDENTITY,
            notice text NOT NULL,
            entity text NOT NULL,
            account text NOT NULL,
            currency char(3) NOT NULL,
            noticed_on date NOT NULL,
            level integer NOT NULL,
            total_minor bigint NOT NULL,
            procedure_version text NOT NULL,
            channel text NOT NULL,
            decided_at timestamptz NOT NULL,
            CONSTRAINT notice_pkey PRIMARY KEY (id),
            CONSTRAINT notice_notice_key UNIQUE (notice),
            CONSTRAINT notice_worth_sending CHECK (level >= 1 AND total_minor > 0)
        )
        """
    )
    op.execute("CREATE INDEX notice_by_entity ON notice (entity, id)")
    op.execute("CREATE INDEX notice_by_account ON notice (entity, account, id)")
    op.execute(
        """
        CREATE TABLE notice_item (
            notice_id bigint NOT NULL,
            item_id bigint NOT NULL,
            level integer NOT NULL,
            open_minor bigint NOT NULL,
            CONSTRAINT notice_item_pkey PRIMARY KEY (notice_id, item_id),
            CONSTRAINT notice_item_notice_id_fkey FOREIGN KEY (notice_id) REFERENCES notice (id),
            CONSTRAINT notice_item_item_id_fkey FOREIGN KEY (item_id) REFERENCES item (id),
            CONSTRAINT notice_item_worth_sending CHECK (level >= 1 AND open_minor > 0)
        )
        """
    )
