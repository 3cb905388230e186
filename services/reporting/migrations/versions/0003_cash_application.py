"""Discounts, money that left, receipts day by day, suggestions, findings, exchange differences and revaluations."""

from alembic import op

revision = "0003"
down_revision = "0002"

ITEMS_BEFORE = "'invoiced', 'charged', 'credited', 'settled', 'written_off', 'voided'"
ITEMS = "'invoiced', 'charged', 'credited', 'settled', 'discounted', 'written_off', 'voided'"
OTHERS_BEFORE = "'unapplied', 'on_account', 'memo'"
OTHERS = "'unapplied', 'on_account', 'memo', 'reversed', 'refunded'"

TABLES = (
    """
    CREATE TABLE receipt_day (
        receipt text NOT NULL,
        booked_on date NOT NULL,
        entity text NOT NULL,
        currency char(3) NOT NULL,
        value_on date,
        received_minor bigint NOT NULL,
        automatic_minor bigint NOT NULL,
        by_person_minor bigint NOT NULL,
        free_minor bigint NOT NULL,
        CONSTRAINT receipt_day_pkey PRIMARY KEY (receipt, booked_on)
    )
    """,
    "CREATE INDEX receipt_day_came ON receipt_day (entity, booked_on) WHERE value_on IS NOT NULL",
    "CREATE INDEX receipt_day_free ON receipt_day (entity, booked_on) WHERE free_minor <> 0",
    """
    CREATE TABLE suggestion (
        suggestion text NOT NULL,
        entity text NOT NULL,
        currency char(3),
        amount_minor bigint,
        made_on date,
        accepted_on date,
        rejected_on date,
        CONSTRAINT suggestion_pkey PRIMARY KEY (suggestion),
        CONSTRAINT suggestion_made_at_once CHECK ((made_on IS NULL) = (currency IS NULL) AND (made_on IS NULL) = (amount_minor IS NULL))
    )
    """,
    "CREATE INDEX suggestion_made ON suggestion (entity, made_on)",
    """
    CREATE TABLE finding (
        finding text COLLATE "C" NOT NULL,
        entity text NOT NULL,
        kind text NOT NULL,
        found_on date NOT NULL,
        booked_on date NOT NULL,
        receipt text NOT NULL,
        account text NOT NULL,
        currency char(3) NOT NULL,
        amount_minor bigint NOT NULL,
        item text,
        invoice text,
        customer text,
        due_on date,
        until_on date,
        deduction_code text,
        named text[] NOT NULL,
        CONSTRAINT finding_pkey PRIMARY KEY (entity, finding),
        CONSTRAINT finding_kind CHECK (kind IN ('short_payment', 'unearned_discount', 'overpayment'))
    )
    """,
    """
    CREATE TABLE exchange_delta (
        entity text NOT NULL,
        account text COLLATE "C" NOT NULL,
        currency char(3) NOT NULL,
        measure text NOT NULL,
        effective_on date NOT NULL,
        booked_on date NOT NULL,
        delta_minor bigint NOT NULL,
        CONSTRAINT exchange_delta_pkey PRIMARY KEY (entity, effective_on, account, currency, measure, booked_on),
        CONSTRAINT exchange_delta_measure CHECK (measure IN ('realised', 'unrealised'))
    )
    """,
    """
    CREATE TABLE revaluation (
        item text NOT NULL,
        period_end_on date NOT NULL,
        entity text NOT NULL,
        account text NOT NULL,
        item_currency char(3) NOT NULL,
        open_minor bigint NOT NULL,
        currency char(3) NOT NULL,
        carrying_minor bigint NOT NULL,
        revalued_minor bigint NOT NULL,
        rate text NOT NULL,
        rate_on date NOT NULL,
        booked_on date NOT NULL,
        CONSTRAINT revaluation_pkey PRIMARY KEY (item, period_end_on)
    )
    """,
    "CREATE INDEX revaluation_by_period ON revaluation (entity, period_end_on)",
)

VIEWS = (
    """
    CREATE VIEW chk.receipt AS
    SELECT receipt, min(entity) AS entity, min(currency) AS currency, sum(received_minor)::bigint AS received_minor,
        sum(automatic_minor + by_person_minor)::bigint AS applied_minor, sum(free_minor)::bigint AS free_minor
    FROM receipt_day GROUP BY receipt
    """,
    "COMMENT ON COLUMN chk.receipt.free_minor IS 'Neither applied nor on account nor refunded; its payer known or not.'",
    "CREATE VIEW chk.exchange_delta AS SELECT * FROM exchange_delta",
    "CREATE VIEW chk.finding AS SELECT * FROM finding",
)


def upgrade() -> None:
    """Allow the new measures, count discounts as open in the views that outside checkers read, and make the new tables."""
    _allow(ITEMS, OTHERS)
    for statement in TABLES + VIEWS:
        op.execute(statement)


def downgrade() -> None:
    """Allow the old measures only; fails, changing nothing, where there are rows of the new ones."""
    op.execute("DROP VIEW chk.finding, chk.exchange_delta, chk.receipt")
    op.execute("DROP TABLE revaluation, exchange_delta, finding, suggestion, receipt_day")
    _allow(ITEMS_BEFORE, OTHERS_BEFORE)


def _allow(items: str, others: str) -> None:
    for table, measures in (("cube", f"{items}, {others}, 'unidentified'"), ("account_delta", f"{items}, {others}")):
        op.execute(
            f"""
            ALTER TABLE {table} DROP CONSTRAINT {table}_measure, ADD CONSTRAINT {table}_measure CHECK (measure IN ({measures}))
            """
        )
    due_on = f"CASE WHEN measure IN ({items}) THEN due_on END AS due_on"  # The other measures have none.
    op.execute(
        f"""
        CREATE OR REPLACE VIEW chk.balance AS
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
                coalesce(sum(delta_minor) FILTER (WHERE measure IN ({items})), 0)::bigint AS open_minor,
                coalesce(sum(delta_minor) FILTER (WHERE measure = 'unapplied'), 0)::bigint AS unapplied_minor,
                coalesce(sum(delta_minor) FILTER (WHERE measure IN ('on_account', 'memo')), 0)::bigint AS on_account_minor
            FROM account_delta
            GROUP BY entity, account, currency
        ) AS sums
        """
    )
    op.execute(
        f"""
        CREATE OR REPLACE VIEW chk.cube AS
        SELECT entity, currency, measure, {due_on}, effective_on, booked_on, delta_minor FROM cube
        """
    )
    op.execute(
        f"""
        CREATE OR REPLACE VIEW chk.account_delta AS
        SELECT entity, account, currency, measure, {due_on}, effective_on, booked_on, delta_minor FROM account_delta
        """
    )
