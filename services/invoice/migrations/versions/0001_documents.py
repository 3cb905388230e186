"""Documents, their instalments, and how much of each the settlement ledger has settled."""

from alembic import op
from chassis.protocol import protocol_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(protocol_sql())
    op.execute(
        """
        CREATE TABLE document (
            id bigint GENERATED ALWAYS AS IDENTITY,
            entity text NOT NULL,
            document_no text NOT NULL,
            kind text NOT NULL,
            type text NOT NULL,
            customer text NOT NULL,
            account text NOT NULL,
            currency char(3) NOT NULL,
            issued_on date NOT NULL,
            total_minor bigint NOT NULL,
            tax_minor bigint,
            ref_document_no text,
            reason text,
            document_status text NOT NULL,
            content_hash bytea NOT NULL,
            source text,
            source_id text,
            booked_on date NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_document PRIMARY KEY (id),
            CONSTRAINT uq_document_entity UNIQUE (entity, document_no),
            CONSTRAINT ck_document_kind CHECK (kind IN ('invoice', 'credit_memo')),
            CONSTRAINT ck_document_status CHECK (document_status IN ('issued')),
            CONSTRAINT ck_document_total CHECK (total_minor > 0),
            CONSTRAINT ck_document_hash CHECK (octet_length(content_hash) = 32)
        )
        """
    )
    op.execute("CREATE INDEX ix_document_account ON document (entity, account, document_no)")
    op.execute(
        """
        CREATE TABLE instalment (
            document_id bigint NOT NULL,
            n integer NOT NULL,
            due_on date NOT NULL,
            amount_minor bigint NOT NULL,
            CONSTRAINT pk_instalment PRIMARY KEY (document_id, n),
            CONSTRAINT fk_instalment_document FOREIGN KEY (document_id) REFERENCES document (id),
            CONSTRAINT ck_instalment_n CHECK (n >= 1),
            CONSTRAINT ck_instalment_amount CHECK (amount_minor > 0)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE settled (
            subject text NOT NULL,
            settled_minor bigint NOT NULL,
            CONSTRAINT pk_settled PRIMARY KEY (subject)
        )
        """
    )
    op.execute(
        """
        CREATE VIEW chk.document AS
        SELECT entity, entity || '|' || document_no AS document, kind, account, currency, total_minor, booked_on
        FROM document
        """
    )
    op.execute(
        """
        CREATE VIEW chk.item AS
        SELECT item.item, item.entity, item.account, item.currency, item.total_minor,
               item.total_minor - coalesce(settled.settled_minor, 0) AS open_minor
        FROM (
            SELECT entity || '|' || document_no || '|' || n AS item, entity, account, currency, amount_minor AS total_minor
            FROM document JOIN instalment ON instalment.document_id = document.id
        ) AS item
        LEFT JOIN settled ON settled.subject = item.item
        """
    )
    op.execute(
        """
        CREATE VIEW chk.memo AS
        SELECT memo.memo, memo.entity, memo.account, memo.currency, memo.total_minor,
               memo.total_minor - coalesce(settled.settled_minor, 0) AS remaining_minor
        FROM (
            SELECT entity || '|' || document_no AS memo, entity, account, currency, total_minor FROM document WHERE kind = 'credit_memo'
        ) AS memo
        LEFT JOIN settled ON settled.subject = memo.memo
        """
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA chk CASCADE")
    op.execute("DROP TABLE settled")
    op.execute("DROP TABLE instalment")
    op.execute("DROP TABLE document")
    op.execute("DROP SCHEMA chassis CASCADE")
