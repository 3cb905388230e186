"""Requests to adjust and write off, and their decisions."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE adjustment (
            id text NOT NULL,
            number bigint GENERATED ALWAYS AS IDENTITY,
            entity text NOT NULL,
            customer text NOT NULL,
            account text NOT NULL,
            document_id bigint NOT NULL,
            n integer NOT NULL,
            seq integer NOT NULL,
            kind text NOT NULL,
            reason text NOT NULL,
            asked_minor bigint NOT NULL,
            amount_minor bigint,
            tax_minor bigint,
            status text NOT NULL,
            requested_by text NOT NULL,
            requested_on date NOT NULL,
            expires_on date NOT NULL,
            decided_by text,
            decided_on date,
            posted_minor bigint NOT NULL,
            posted_tax_minor bigint NOT NULL,
            recovered_minor bigint NOT NULL,
            recovered_tax_minor bigint NOT NULL,
            CONSTRAINT pk_adjustment PRIMARY KEY (id),
            CONSTRAINT uq_adjustment_document_id UNIQUE (document_id, n, seq),
            CONSTRAINT fk_adjustment_instalment FOREIGN KEY (document_id, n) REFERENCES instalment (document_id, n),
            CONSTRAINT ck_adjustment_kind
                CHECK (kind IN ('small_balance', 'bad_debt', 'rounding', 'discount_exception', 'fee_waiver', 'settlement')),
            CONSTRAINT ck_adjustment_status
                CHECK (status IN ('pending', 'approved', 'posted', 'recovered', 'rejected', 'expired', 'withdrawn')),
            CONSTRAINT ck_adjustment_amount CHECK (asked_minor > 0 AND amount_minor > 0 AND amount_minor <= asked_minor),
            CONSTRAINT ck_adjustment_approved
                CHECK ((status IN ('approved', 'posted', 'recovered')) = (amount_minor IS NOT NULL AND tax_minor IS NOT NULL)),
            CONSTRAINT ck_adjustment_decided CHECK ((status = 'pending') = (decided_on IS NULL))
        )
        """
    )
    op.execute("CREATE INDEX ix_adjustment_account ON adjustment (entity, account, number)")
    op.execute("CREATE INDEX ix_adjustment_bad_debt ON adjustment (entity, customer, number) WHERE kind = 'bad_debt'")
    op.execute("CREATE INDEX ix_adjustment_status ON adjustment (entity, status, number)")
    op.execute(
        """
        CREATE TABLE adjustment_step (
            adjustment_id text NOT NULL,
            n integer NOT NULL,
            action text NOT NULL,
            by text,
            amount_minor bigint NOT NULL,
            policy_version text,
            limit_minor bigint,
            reason text,
            booked_on date NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_adjustment_step PRIMARY KEY (adjustment_id, n),
            CONSTRAINT fk_adjustment_step_adjustment FOREIGN KEY (adjustment_id) REFERENCES adjustment (id),
            CONSTRAINT ck_adjustment_step_action CHECK (action IN ('requested', 'approved', 'rejected', 'expired', 'withdrawn'))
        )
        """
    )

    op.execute(
        """
        CREATE VIEW chk.adjustment AS
        SELECT adjustment.id AS adjustment, adjustment.entity, document.entity || '|' || document.document_no || '|' || n AS item,
               adjustment.account, document.currency, adjustment.kind, adjustment.status, asked_minor,
               coalesce(amount_minor, 0) AS approved_minor, posted_minor, recovered_minor AS taken_back_minor, requested_by, decided_by
        FROM adjustment JOIN document ON document.id = adjustment.document_id
        """
    )


def downgrade() -> None:
    op.execute("DROP VIEW chk.adjustment")
    op.execute("DROP TABLE adjustment_step")
    op.execute("DROP TABLE adjustment")
