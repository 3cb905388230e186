"""What a document says beyond its total: terms, discounts, components, references; and voids."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE document
            ADD goods_minor bigint,
            ADD freight_minor bigint NOT NULL DEFAULT 0,
            ADD charges_minor bigint NOT NULL DEFAULT 0,
            ADD terms text,
            ADD policy_version text,
            ADD discount jsonb,
            ADD refs jsonb,
            ADD project jsonb,
            ADD assignment jsonb,
            ADD valued_currency char(3),
            ADD valued_minor bigint,
            ADD fx_rate text,
            ADD fx_rate_on date,
            ADD fx_type text,
            ADD origin text,
            ADD origin_id text,
            DROP CONSTRAINT ck_document_kind,
            DROP CONSTRAINT ck_document_status,
            DROP CONSTRAINT ck_document_total,
            ADD CONSTRAINT ck_document_kind CHECK (kind IN ('invoice', 'debit_memo', 'credit_memo')),
            ADD CONSTRAINT ck_document_status CHECK (document_status IN ('issued', 'voided')),
            ADD CONSTRAINT ck_document_total CHECK (total_minor >= 0)
        """
    )
    op.execute("UPDATE document SET goods_minor = total_minor - coalesce(tax_minor, 0)")
    op.execute(
        """
        ALTER TABLE document
            ALTER goods_minor SET NOT NULL,
            ALTER freight_minor DROP DEFAULT,
            ALTER charges_minor DROP DEFAULT,
            ADD CONSTRAINT ck_document_components
                CHECK (goods_minor + freight_minor + charges_minor + coalesce(tax_minor, 0) = total_minor)
        """
    )
    op.execute("CREATE INDEX ix_document_ref ON document (entity, ref_document_no) WHERE ref_document_no IS NOT NULL")
    op.execute(
        """
        ALTER TABLE instalment
            DROP CONSTRAINT ck_instalment_amount,
            ADD CONSTRAINT ck_instalment_amount CHECK (amount_minor >= 0)
        """
    )
    op.execute(
        """
        CREATE TABLE void (
            document_id bigint NOT NULL,
            reason text,
            replaced_by text,
            effective_on date NOT NULL,
            booked_on date NOT NULL,
            source text,
            source_id text,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_void PRIMARY KEY (document_id),
            CONSTRAINT fk_void_document FOREIGN KEY (document_id) REFERENCES document (id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE early_void (
            entity text NOT NULL,
            document_no text NOT NULL,
            customer text NOT NULL,
            reason text,
            effective_on date,
            replaced_by text,
            source text,
            source_id text,
            source_type text,
            booked_on date NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_early_void PRIMARY KEY (entity, document_no, customer)
        )
        """
    )
    _view_of_items("CASE document_status WHEN 'voided' THEN 0 ELSE amount_minor END")


def _view_of_items(billed: str) -> None:
    """Show every item with what it was billed, less its void; the columns stay as they are."""
    op.execute(
        f"""
        CREATE OR REPLACE VIEW chk.item AS
        SELECT item.item, item.entity, item.account, item.currency, item.total_minor,
               item.total_minor - coalesce(settled.settled_minor, 0) AS open_minor
        FROM (
            SELECT entity || '|' || document_no || '|' || n AS item, entity, account, currency, {billed} AS total_minor
            FROM document JOIN instalment ON instalment.document_id = document.id
        ) AS item
        LEFT JOIN settled ON settled.subject = item.item
        """
    )


def downgrade() -> None:
    _view_of_items("amount_minor")
    op.execute("DROP TABLE early_void")
    op.execute("DROP TABLE void")
    op.execute(
        """
        ALTER TABLE instalment
            DROP CONSTRAINT ck_instalment_amount,
            ADD CONSTRAINT ck_instalment_amount CHECK (amount_minor > 0)
        """
    )
    op.execute("DROP INDEX ix_document_ref")
    op.execute(
        """
        ALTER TABLE document
            DROP CONSTRAINT ck_document_kind,
            DROP CONSTRAINT ck_document_status,
            DROP CONSTRAINT ck_document_total,
            DROP CONSTRAINT ck_document_components,
            DROP goods_minor, DROP freight_minor, DROP charges_minor, DROP terms, DROP policy_version, DROP discount, DROP refs,
            DROP project, DROP assignment, DROP valued_currency, DROP valued_minor, DROP fx_rate, DROP fx_rate_on, DROP fx_type,
            DROP origin, DROP origin_id,
            ADD CONSTRAINT ck_document_kind CHECK (kind IN ('invoice', 'credit_memo')),
            ADD CONSTRAINT ck_document_status CHECK (document_status IN ('issued')),
            ADD CONSTRAINT ck_document_total CHECK (total_minor > 0)
        """
    )
