"""Requests for credit memos above their maker's limit, and the dispute a memo answers."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE document ADD COLUMN dispute text")
    op.execute(
        """
        CREATE TABLE credit_memo_request (
            id text NOT NULL,
            number bigint GENERATED ALWAYS AS IDENTITY,
            entity text NOT NULL,
            document_no text NOT NULL,
            customer text NOT NULL,
            account text NOT NULL,
            currency char(3) NOT NULL,
            total_minor bigint NOT NULL,
            draft jsonb NOT NULL,
            content_hash bytea NOT NULL,
            status text NOT NULL,
            requested_by text NOT NULL,
            requested_on date NOT NULL,
            expires_on date NOT NULL,
            decided_by text,
            decided_on date,
            CONSTRAINT pk_credit_memo_request PRIMARY KEY (id),
            CONSTRAINT ck_credit_memo_request_status CHECK (status IN ('pending', 'approved', 'rejected', 'expired', 'withdrawn')),
            CONSTRAINT ck_credit_memo_request_decided CHECK ((status = 'pending') = (decided_on IS NULL)),
            CONSTRAINT ck_credit_memo_request_checker CHECK (status NOT IN ('approved', 'rejected') OR decided_by <> requested_by),
            CONSTRAINT ck_credit_memo_request_hash CHECK (octet_length(content_hash) = 32)
        )
        """
    )
    op.execute("CREATE INDEX ix_credit_memo_request_status ON credit_memo_request (entity, status, number)")
    op.execute("CREATE INDEX ix_credit_memo_request_expiry ON credit_memo_request (entity, account, expires_on) WHERE status = 'pending'")
    op.execute("CREATE INDEX ix_credit_memo_request_document ON credit_memo_request (entity, document_no)")
    op.execute("CREATE UNIQUE INDEX uq_credit_memo_request_pending ON credit_memo_request (entity, document_no) WHERE status = 'pending'")
    op.execute(
        """
        CREATE TABLE credit_memo_request_step (
            credit_memo_request_id text NOT NULL,
            n integer NOT NULL,
            action text NOT NULL,
            by text,
            amount_minor bigint NOT NULL,
            policy_version text,
            limit_minor bigint,
            reason text,
            booked_on date NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_credit_memo_request_step PRIMARY KEY (credit_memo_request_id, n),
            CONSTRAINT fk_credit_memo_request_step_request FOREIGN KEY (credit_memo_request_id) REFERENCES credit_memo_request (id),
            CONSTRAINT ck_credit_memo_request_step_action
                CHECK (action IN ('requested', 'approved', 'rejected', 'expired', 'withdrawn'))
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE credit_memo_request_step")
    op.execute("DROP TABLE credit_memo_request")
    op.execute("ALTER TABLE document DROP COLUMN dispute")
