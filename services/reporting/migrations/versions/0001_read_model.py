"""The read model: items, the delta cube, deltas by account, notices, what closed days leave behind, customer names."""

from alembic import op
from chassis.protocol import protocol_sql

revision = "0001"
down_revision = None

TABLES = (
    """
    CREATE TABLE item (
        item text NOT NULL CONSTRAINT item_pkey PRIMARY KEY,
        entity text NOT NULL,
        account text NOT NULL,
        customer text NOT NULL,
        currency char(3) NOT NULL,
        due_on date NOT NULL,
        issued_on date,
        booked_on date,
        total_minor bigint NOT NULL,
        open_minor bigint NOT NULL,
        is_open boolean NOT NULL,
        folded_at timestamptz,
        CONSTRAINT item_issued_at_once CHECK ((issued_on IS NULL) = (booked_on IS NULL) AND (issued_on IS NULL) = (folded_at IS NULL))
    )
    """,
    "CREATE INDEX item_open_by_account ON item (entity, account, item) WHERE is_open",
    "CREATE INDEX item_by_due ON item (entity, due_on)",
    """
    CREATE TABLE cube (
        entity text NOT NULL,
        currency char(3) NOT NULL,
        measure text NOT NULL,
        due_on date NOT NULL,
        effective_on date NOT NULL,
        booked_on date NOT NULL,
        delta_minor bigint NOT NULL,
        CONSTRAINT cube_pkey PRIMARY KEY (entity, currency, measure, due_on, effective_on, booked_on),
        CONSTRAINT cube_measure CHECK (measure IN ('invoiced', 'credited', 'settled', 'unapplied', 'on_account', 'memo', 'unidentified'))
    )
    """,
    "CREATE INDEX cube_by_day ON cube (entity, greatest(effective_on, booked_on), effective_on)",
    """
    CREATE TABLE account_delta (
        entity text NOT NULL,
        account text NOT NULL,
        currency char(3) NOT NULL,
        measure text NOT NULL,
        due_on date NOT NULL,
        effective_on date NOT NULL,
        booked_on date NOT NULL,
        delta_minor bigint NOT NULL,
        CONSTRAINT account_delta_pkey PRIMARY KEY (entity, account, currency, measure, due_on, effective_on, booked_on),
        CONSTRAINT account_delta_measure CHECK (measure IN ('invoiced', 'credited', 'settled', 'unapplied', 'on_account', 'memo'))
    )
    """,
    "CREATE INDEX account_delta_by_day ON account_delta (entity, greatest(effective_on, booked_on))",
    """
    CREATE TABLE closing (
        entity text NOT NULL,
        closed_on date NOT NULL,
        currency char(3) NOT NULL,
        measure text NOT NULL,
        due_on date NOT NULL,
        sum_minor bigint NOT NULL,
        CONSTRAINT closing_pkey PRIMARY KEY (entity, closed_on, currency, measure, due_on),
        CONSTRAINT closing_measure CHECK (measure IN ('open', 'unapplied', 'on_account', 'memo', 'unidentified'))
    )
    """,
    """
    CREATE TABLE account_closing (
        entity text NOT NULL,
        currency char(3) NOT NULL,
        account text COLLATE "C" NOT NULL,
        current_minor bigint NOT NULL,
        to_30_minor bigint NOT NULL,
        to_60_minor bigint NOT NULL,
        to_90_minor bigint NOT NULL,
        over_90_minor bigint NOT NULL,
        unapplied_minor bigint NOT NULL,
        on_account_minor bigint NOT NULL,
        memo_minor bigint NOT NULL,
        CONSTRAINT account_closing_pkey PRIMARY KEY (entity, currency, account)
    )
    """,
    """
    CREATE INDEX account_closing_by_open ON account_closing
    (entity, currency, (current_minor + to_30_minor + to_60_minor + to_90_minor + over_90_minor) DESC, account)
    """,
    """
    CREATE INDEX account_closing_by_overdue ON account_closing
    (entity, currency, (to_30_minor + to_60_minor + to_90_minor + over_90_minor) DESC, account)
    """,
    """
    CREATE TABLE notice (
        entity text NOT NULL,
        account text NOT NULL,
        currency char(3) NOT NULL,
        noticed_on date NOT NULL,
        notice text NOT NULL,
        level integer NOT NULL,
        booked_on date NOT NULL,
        CONSTRAINT notice_pkey PRIMARY KEY (entity, account, currency, noticed_on, notice),
        CONSTRAINT notice_level CHECK (level >= 1)
    )
    """,
    """
    CREATE TABLE customer (
        entity text NOT NULL,
        customer text NOT NULL,
        name text NOT NULL,
        CONSTRAINT customer_pkey PRIMARY KEY (entity, customer)
    )
    """,
)

DUE_ON = "CASE WHEN measure IN ('invoiced', 'credited', 'settled') THEN due_on END AS due_on"  # The other measures have none.

VIEWS = (
    "CREATE VIEW chk.item AS SELECT item, entity, account, currency, open_minor FROM item",
    """
    CREATE VIEW chk.balance AS
    SELECT
        entity,
        account,
        currency,
        open_minor,
        unapplied_minor,
        on_account_minor,
        open_minor - unapplied_minor - on_account_minor AS balance_minor
    FROM (
        SELECT
            entity,
            account,
            currency,
            coalesce(sum(delta_minor) FILTER (WHERE measure IN ('invoiced', 'credited', 'settled')), 0)::bigint AS open_minor,
            coalesce(sum(delta_minor) FILTER (WHERE measure = 'unapplied'), 0)::bigint AS unapplied_minor,
            coalesce(sum(delta_minor) FILTER (WHERE measure IN ('on_account', 'memo')), 0)::bigint AS on_account_minor
        FROM account_delta
        GROUP BY entity, account, currency
    ) AS sums
    """,
    "COMMENT ON COLUMN chk.balance.on_account_minor IS 'On-account money and the open credit of memos together.'",
    f"""
    CREATE VIEW chk.cube AS
    SELECT entity, currency, measure, {DUE_ON}, effective_on, booked_on, delta_minor FROM cube
    """,
    f"""
    CREATE VIEW chk.account_delta AS
    SELECT entity, account, currency, measure, {DUE_ON}, effective_on, booked_on, delta_minor FROM account_delta
    """,
    "CREATE VIEW chk.notice AS SELECT notice, entity, account, currency, noticed_on, level, booked_on FROM notice",
    r"""
    CREATE VIEW chk.visible AS
    SELECT regexp_replace(item, '\|[^|]*$', '') AS document, item, folded_at FROM item WHERE folded_at IS NOT NULL
    """,
)


def upgrade() -> None:
    """Make the protocol's tables, then ours."""
    op.execute(protocol_sql())
    for statement in TABLES + VIEWS:
        op.execute(statement)


def downgrade() -> None:
    """Drop what upgrade made."""
    op.execute("DROP SCHEMA chk CASCADE")
    op.execute("DROP TABLE customer, notice, account_closing, closing, account_delta, cube, item")
    op.execute("DROP SCHEMA chassis CASCADE")
