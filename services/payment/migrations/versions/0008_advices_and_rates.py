"""Remittance advices, references that stand for documents, exchange rates."""

from alembic import op

revision = "0008"
down_revision = "0007"

TABLES = """
CREATE TABLE advice (
    id bigint GENERATED ALWAYS AS IDENTITY,
    entity text NOT NULL,
    advice_no text NOT NULL,
    payment_ref bytea NOT NULL,
    currency char(3) NOT NULL,
    customer text,
    stated jsonb NOT NULL,
    clues bytea[] NOT NULL,
    booked_on date NOT NULL,
    taken_on date,
    content bytea NOT NULL,
    CONSTRAINT advice_pkey PRIMARY KEY (id),
    CONSTRAINT advice_number_key UNIQUE (entity, advice_no)
);
CREATE INDEX advice_by_payment_ref ON advice (payment_ref);

CREATE TABLE document_reference (
    digest bytea NOT NULL,
    document_id bigint NOT NULL,
    position integer NOT NULL,
    is_weak boolean NOT NULL,
    CONSTRAINT document_reference_pkey PRIMARY KEY (digest, document_id),
    CONSTRAINT document_reference_document_id_fkey FOREIGN KEY (document_id) REFERENCES document (id)
);

CREATE TABLE fx_rate (
    entity text NOT NULL,
    currency char(3) NOT NULL,
    type text NOT NULL,
    rate_on date NOT NULL,
    booked_on date NOT NULL,
    rate text NOT NULL,
    said_at timestamptz,
    source text NOT NULL,
    source_id text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT fx_rate_pkey PRIMARY KEY (entity, currency, type, rate_on, booked_on)
);

ALTER TABLE receipt ADD COLUMN advised_customer text;
"""

WITHOUT = """
ALTER TABLE receipt DROP COLUMN advised_customer;
DROP TABLE fx_rate, document_reference, advice;
"""


def upgrade() -> None:
    """Keep what comes with the money or beside it."""
    op.execute(TABLES)


def downgrade() -> None:
    """Forget it; what was applied by it stays applied."""
    op.execute(WITHOUT)
