"""Policies, versioned and dated."""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = """
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
    CONSTRAINT policy_pkey PRIMARY KEY (id),
    CONSTRAINT policy_version_key UNIQUE (entity, kind, version),
    CONSTRAINT policy_status_known CHECK (status IN ('proposed', 'approved', 'rejected')),
    CONSTRAINT policy_version_when_approved CHECK ((status = 'approved') = (version IS NOT NULL)),
    CONSTRAINT policy_decided_by_somebody CHECK (
        (status = 'proposed') = (decided_by IS NULL)
        AND (decided_by IS NULL) = (decided_on IS NULL)
        AND (decided_by IS NULL) = (decided_at IS NULL)
    ),
    CONSTRAINT policy_four_eyes CHECK (decided_by <> proposed_by)
);
CREATE INDEX policy_by_entity ON policy (entity, id);
"""


def upgrade() -> None:
    """Make the table that policies are proposed, decided about and read from."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take the policies away; what they decided stays as it is."""
    op.execute("DROP TABLE policy")
