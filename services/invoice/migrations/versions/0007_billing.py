"""Billing schedules and consolidated bills."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE billing_schedule (
            id bigint GENERATED ALWAYS AS IDENTITY,
            entity text NOT NULL,
            schedule_no text NOT NULL,
            kind text NOT NULL,
            customer text NOT NULL,
            account text NOT NULL,
            currency char(3) NOT NULL,
            number_prefix text NOT NULL,
            version integer NOT NULL,
            judged_through date,
            next_on date,
            stopped_on date,
            booked_on date NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_billing_schedule PRIMARY KEY (id),
            CONSTRAINT uq_billing_schedule_entity UNIQUE (entity, schedule_no),
            CONSTRAINT ck_billing_schedule_kind CHECK (kind IN ('recurring', 'milestones')),
            CONSTRAINT ck_billing_schedule_stopped CHECK (stopped_on IS NULL OR next_on IS NULL)
        )
        """
    )
    op.execute("CREATE INDEX ix_billing_schedule_account ON billing_schedule (entity, account, next_on)")
    op.execute("CREATE UNIQUE INDEX uq_billing_schedule_prefix ON billing_schedule (entity, number_prefix) WHERE stopped_on IS NULL")
    op.execute(
        """
        CREATE TABLE billing_version (
            schedule_id bigint NOT NULL,
            version integer NOT NULL,
            plan jsonb NOT NULL,
            decided_by text NOT NULL,
            booked_on date NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_billing_version PRIMARY KEY (schedule_id, version),
            CONSTRAINT fk_billing_version_billing_schedule FOREIGN KEY (schedule_id) REFERENCES billing_schedule (id),
            CONSTRAINT ck_billing_version_version CHECK (version >= 1)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE billing_occurrence (
            schedule_id bigint NOT NULL,
            n integer NOT NULL,
            occurrence_on date NOT NULL,
            version integer NOT NULL,
            document_no text NOT NULL,
            status text NOT NULL,
            reasons jsonb,
            booked_on date NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_billing_occurrence PRIMARY KEY (schedule_id, n),
            CONSTRAINT fk_billing_occurrence_billing_version FOREIGN KEY (schedule_id, version)
                REFERENCES billing_version (schedule_id, version),
            CONSTRAINT ck_billing_occurrence_n CHECK (n >= 1),
            CONSTRAINT ck_billing_occurrence_status CHECK (status IN ('billed', 'refused')),
            CONSTRAINT ck_billing_occurrence_reasons CHECK ((status = 'refused') = (reasons IS NOT NULL))
        )
        """
    )
    op.execute(
        """
        CREATE TABLE bill (
            id bigint GENERATED ALWAYS AS IDENTITY,
            entity text NOT NULL,
            bill_no text NOT NULL,
            customer text NOT NULL,
            account text NOT NULL,
            currency char(3) NOT NULL,
            issued_on date NOT NULL,
            through_on date NOT NULL,
            due_on date,
            total_minor bigint NOT NULL,
            payment_reference text NOT NULL,
            replaced_by text,
            content_hash bytea NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_bill PRIMARY KEY (id),
            CONSTRAINT uq_bill_entity UNIQUE (entity, bill_no),
            CONSTRAINT uq_bill_payment_reference UNIQUE (entity, payment_reference),
            CONSTRAINT ck_bill_total CHECK (total_minor > 0),
            CONSTRAINT ck_bill_hash CHECK (octet_length(content_hash) = 32)
        )
        """
    )
    op.execute("CREATE INDEX ix_bill_account ON bill (entity, account, bill_no)")
    op.execute(
        """
        CREATE TABLE bill_document (
            bill_id bigint NOT NULL,
            document_id bigint NOT NULL,
            amount_minor bigint NOT NULL,
            is_live boolean NOT NULL,
            CONSTRAINT pk_bill_document PRIMARY KEY (bill_id, document_id),
            CONSTRAINT fk_bill_document_bill FOREIGN KEY (bill_id) REFERENCES bill (id),
            CONSTRAINT fk_bill_document_document FOREIGN KEY (document_id) REFERENCES document (id),
            CONSTRAINT ck_bill_document_amount CHECK (amount_minor > 0)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX uq_bill_document_live ON bill_document (document_id) WHERE is_live")


def downgrade() -> None:
    op.execute("DROP TABLE bill_document")
    op.execute("DROP TABLE bill")
    op.execute("DROP TABLE billing_occurrence")
    op.execute("DROP TABLE billing_version")
    op.execute("DROP TABLE billing_schedule")
