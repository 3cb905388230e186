"""Policies, versioned and dated; calendars and rates."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE policy (
            id bigint GENERATED ALWAYS AS IDENTITY,
            entity text NOT NULL,
            kind text NOT NULL,
            status text NOT NULL,
            version integer,
            valid_from date NOT NULL,
            body jsonb NOT NULL,
            proposed_by text NOT NULL,
            proposed_on date NOT NULL,
            proposed_at timestamptz NOT NULL,
            decided_by text,
            decided_on date,
            decided_at timestamptz,
            reason text,
            CONSTRAINT pk_policy PRIMARY KEY (id),
            CONSTRAINT uq_policy_entity UNIQUE (entity, kind, version),
            CONSTRAINT ck_policy_status CHECK (status IN ('proposed', 'approved', 'rejected')),
            CONSTRAINT ck_policy_version CHECK ((status = 'approved') = (version IS NOT NULL)),
            CONSTRAINT ck_policy_decided CHECK (
                (status = 'proposed') = (decided_by IS NULL)
                AND (decided_by IS NULL) = (decided_on IS NULL)
                AND (decided_by IS NULL) = (decided_at IS NULL)
            ),
            CONSTRAINT ck_policy_four_eyes CHECK (decided_by <> proposed_by)
        )
        """
    )
    op.execute("CREATE INDEX ix_policy_entity ON policy (entity, id)")
    op.execute(
        """
        CREATE TABLE calendar (
            entity text NOT NULL,
            year integer NOT NULL,
            booked_on date NOT NULL,
            holidays date[] NOT NULL,
            weekend integer[] NOT NULL,
            said_at timestamptz,
            source text,
            source_id text,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_calendar PRIMARY KEY (entity, year, booked_on)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE fx_rate (
            entity text NOT NULL,
            currency char(3) NOT NULL,
            type text NOT NULL,
            rate_on date NOT NULL,
            booked_on date NOT NULL,
            rate text NOT NULL,
            said_at timestamptz,
            source text,
            source_id text,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_fx_rate PRIMARY KEY (entity, currency, type, rate_on, booked_on)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE fx_rate")
    op.execute("DROP TABLE calendar")
    op.execute("DROP TABLE policy")
