"""Suggestions, aliases, names of customers, and what people wrote about payments that are not placed."""

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = """
CREATE TABLE receipt_text (
    receipt_id bigint NOT NULL,
    debtor_name text,
    remittance text,
    name_digest bytea,
    CONSTRAINT receipt_text_pkey PRIMARY KEY (receipt_id),
    CONSTRAINT receipt_text_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt (id)
);

CREATE TABLE customer_name (
    entity text NOT NULL,
    customer text NOT NULL,
    booked_on date NOT NULL,
    name text NOT NULL,
    name_length integer NOT NULL,
    CONSTRAINT customer_name_pkey PRIMARY KEY (entity, customer, booked_on)
);
CREATE INDEX customer_name_by_length ON customer_name (entity, name_length);

CREATE TABLE identification (
    id bigint GENERATED ALWAYS AS IDENTITY,
    receipt_id bigint NOT NULL,
    account text NOT NULL,
    reason text NOT NULL,
    decided_by text NOT NULL,
    booked_on date NOT NULL,
    CONSTRAINT identification_pkey PRIMARY KEY (id),
    CONSTRAINT identification_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt (id)
);
CREATE INDEX identification_of ON identification (receipt_id);

CREATE TABLE alias (
    id bigint GENERATED ALWAYS AS IDENTITY,
    entity text NOT NULL,
    kind text NOT NULL,
    digest bytea NOT NULL,
    account text NOT NULL,
    shown text,
    receipt_id bigint NOT NULL,
    learned_by text NOT NULL,
    learned_on date NOT NULL,
    CONSTRAINT alias_pkey PRIMARY KEY (id),
    CONSTRAINT alias_taught_once UNIQUE (entity, kind, digest, account),
    CONSTRAINT alias_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt (id),
    CONSTRAINT alias_kind_known CHECK (kind IN ('bank_account', 'name'))
);
CREATE INDEX alias_by_digest ON alias (digest);

CREATE TABLE alias_review (
    id bigint GENERATED ALWAYS AS IDENTITY,
    alias_id bigint NOT NULL,
    is_linked boolean NOT NULL,
    decided_by text NOT NULL,
    reason text NOT NULL,
    booked_on date NOT NULL,
    CONSTRAINT alias_review_pkey PRIMARY KEY (id),
    CONSTRAINT alias_review_alias_id_fkey FOREIGN KEY (alias_id) REFERENCES alias (id)
);
CREATE INDEX alias_review_of ON alias_review (alias_id, id);

CREATE TABLE suggestion (
    number bigint GENERATED ALWAYS AS IDENTITY,
    suggestion text NOT NULL,
    entity text NOT NULL,
    receipt_id bigint NOT NULL,
    account text NOT NULL,
    rule text NOT NULL,
    score_bps integer NOT NULL,
    items text[] NOT NULL,
    parts jsonb NOT NULL,
    free_minor bigint NOT NULL,
    policy_version text NOT NULL,
    state text NOT NULL,
    made_on date NOT NULL,
    decided_on date,
    decided_by text,
    reason text,
    CONSTRAINT suggestion_pkey PRIMARY KEY (number),
    CONSTRAINT suggestion_name_key UNIQUE (suggestion),
    CONSTRAINT suggestion_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt (id),
    CONSTRAINT suggestion_state_known CHECK (state IN ('made', 'accepted', 'rejected')),
    CONSTRAINT suggestion_score_is_a_part CHECK (score_bps BETWEEN 0 AND 10000),
    CONSTRAINT suggestion_decided_by_somebody CHECK (
        (state = 'made') = (decided_on IS NULL) AND (decided_on IS NULL) = (decided_by IS NULL) AND (decided_by IS NULL) = (reason IS NULL)
    )
);
CREATE INDEX suggestion_of_receipt ON suggestion (receipt_id);
CREATE INDEX suggestion_by_state ON suggestion (entity, state, number);

CREATE INDEX item_open_total ON item (total_minor) WHERE is_open;
"""

WITHOUT = """
DROP INDEX item_open_total;
DROP TABLE suggestion, alias_review, alias, identification, customer_name, receipt_text;
"""


def upgrade() -> None:
    """Keep what suggestions are made from, and what people decided about them."""
    op.execute(TABLES)


def downgrade() -> None:
    """Forget it all; what was applied stays applied."""
    op.execute(WITHOUT)
