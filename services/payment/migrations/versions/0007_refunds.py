"""Refunds that are asked for and decided about, returns matched with their receipts, and lists of receipts."""

from alembic import op

revision = "0007"
down_revision = "0006"

TABLES = """
CREATE TABLE refund (
    id bigint GENERATED ALWAYS AS IDENTITY,
    refund text NOT NULL,
    entity text NOT NULL,
    receipt_id bigint NOT NULL,
    amount_minor bigint NOT NULL,
    reason text NOT NULL,
    status text NOT NULL,
    requested_by text NOT NULL,
    requested_on date NOT NULL,
    requested_at timestamptz NOT NULL,
    expires_on date NOT NULL,
    decided_by text,
    decided_on date,
    decided_at timestamptz,
    decided_why text,
    policy_version text,
    limit_minor bigint,
    CONSTRAINT refund_pkey PRIMARY KEY (id),
    CONSTRAINT refund_name_key UNIQUE (refund),
    CONSTRAINT refund_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt (id),
    CONSTRAINT refund_of_something CHECK (amount_minor > 0),
    CONSTRAINT refund_status_known CHECK (status IN ('pending', 'approved', 'rejected', 'withdrawn', 'expired')),
    CONSTRAINT refund_decided_once CHECK (
        (status = 'pending') = (decided_on IS NULL) AND (decided_on IS NULL) = (decided_at IS NULL)
        AND (decided_by IS NOT NULL) = (status IN ('approved', 'rejected', 'withdrawn'))
    ),
    CONSTRAINT refund_four_eyes CHECK ((decided_by = requested_by) = (status = 'withdrawn')),
    CONSTRAINT refund_approved_by_a_limit CHECK (
        (status = 'approved') = (policy_version IS NOT NULL) AND (policy_version IS NULL) = (limit_minor IS NULL)
    )
);
CREATE INDEX refund_by_entity ON refund (entity, id);
CREATE INDEX refund_by_receipt ON refund (receipt_id);
CREATE INDEX refund_pending ON refund (entity, expires_on) WHERE status = 'pending';

ALTER TABLE bank_return
    ADD COLUMN receipt_id bigint,
    ADD COLUMN reason text,
    ADD COLUMN reversed_by text,
    ADD CONSTRAINT bank_return_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt (id),
    ADD CONSTRAINT bank_return_of_receipt_key UNIQUE (receipt_id),
    ADD CONSTRAINT bank_return_said_by_somebody CHECK ((reason IS NULL) = (reversed_by IS NULL));
CREATE INDEX bank_return_by_entity ON bank_return (entity, id);
CREATE INDEX receipt_by_account ON receipt (account_id, id);

CREATE VIEW chk.refund AS
SELECT refund.refund, refund.entity, receipt.entity || '|' || receipt.bank_ref AS receipt, receipt.currency, refund.amount_minor,
    refund.status, refund.requested_by, refund.decided_by
FROM refund JOIN receipt ON receipt.id = refund.receipt_id;
"""

WITHOUT = """
DROP VIEW chk.refund;
DROP INDEX receipt_by_account, bank_return_by_entity;
ALTER TABLE bank_return DROP COLUMN receipt_id, DROP COLUMN reason, DROP COLUMN reversed_by;
DROP TABLE refund;
"""


def upgrade() -> None:
    """Make the table that refunds are asked for in, and let returns say which receipt they undid."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take the requests away; refunds that were made stay in the settlement ledger."""
    op.execute(WITHOUT)
