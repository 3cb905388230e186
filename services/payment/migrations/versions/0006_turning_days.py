"""What is found when a day turns: overdue items, short payments, money left over, items valued anew."""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = """
CREATE INDEX account_by_name ON account (entity, account COLLATE "C");
ALTER TABLE item ADD COLUMN overdue_on date;
CREATE INDEX item_to_be_overdue ON item (due_on) WHERE is_open AND overdue_on IS NULL;
CREATE INDEX item_overdue ON item (due_on, id) WHERE is_open AND overdue_on IS NOT NULL;
CREATE INDEX item_in_currency ON item (account_id) WHERE is_open AND base_minor IS NOT NULL;
CREATE INDEX entry_to_look_at ON entry (booked_on, account_id)
    WHERE NOT is_finished AND receipt_id IS NOT NULL AND rule IN ('on_account', 'person', 'reference');

CREATE TABLE finding (
    id bigint GENERATED ALWAYS AS IDENTITY,
    entity text NOT NULL,
    kind text NOT NULL,
    account_id bigint NOT NULL,
    receipt_id bigint,
    item_id bigint,
    amount_minor bigint NOT NULL,
    found_on date NOT NULL,
    until_on date,
    deduction_code text,
    named text[] NOT NULL,
    CONSTRAINT finding_pkey PRIMARY KEY (id),
    CONSTRAINT finding_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT finding_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt (id),
    CONSTRAINT finding_item_id_fkey FOREIGN KEY (item_id) REFERENCES item (id),
    CONSTRAINT finding_kind_known CHECK (kind IN ('short_payment', 'unearned_discount', 'overpayment', 'rate_missing')),
    CONSTRAINT finding_about_a_receipt CHECK ((receipt_id IS NULL) = (kind = 'rate_missing')),
    CONSTRAINT finding_about_an_item CHECK ((item_id IS NULL) = (kind = 'overpayment')),
    CONSTRAINT finding_unearned_since_a_day CHECK ((until_on IS NOT NULL) = (kind = 'unearned_discount')),
    CONSTRAINT finding_amount_positive CHECK (amount_minor > 0)
);
CREATE UNIQUE INDEX finding_once_of_payment ON finding (item_id, receipt_id) WHERE kind <> 'rate_missing';
CREATE UNIQUE INDEX finding_once_of_left_over ON finding (receipt_id, found_on) WHERE kind = 'overpayment';
CREATE UNIQUE INDEX finding_once_of_period ON finding (item_id, found_on) WHERE kind = 'rate_missing';
CREATE INDEX finding_of_entity ON finding (entity, id);
CREATE INDEX finding_of_account ON finding (account_id, id);

CREATE TABLE discount_window (
    item_id bigint NOT NULL,
    account_id bigint NOT NULL,
    until_on date NOT NULL,
    CONSTRAINT discount_window_pkey PRIMARY KEY (item_id),
    CONSTRAINT discount_window_item_id_fkey FOREIGN KEY (item_id) REFERENCES item (id),
    CONSTRAINT discount_window_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id)
);
CREATE INDEX discount_window_by_end ON discount_window (until_on);

CREATE TABLE revaluation (
    item_id bigint NOT NULL,
    period_end_on date NOT NULL,
    open_minor bigint NOT NULL,
    carrying_minor bigint NOT NULL,
    revalued_minor bigint NOT NULL,
    rate text NOT NULL,
    rate_on date NOT NULL,
    CONSTRAINT revaluation_pkey PRIMARY KEY (item_id, period_end_on),
    CONSTRAINT revaluation_item_id_fkey FOREIGN KEY (item_id) REFERENCES item (id),
    CONSTRAINT revaluation_never_negative CHECK (least(open_minor, carrying_minor, revalued_minor) >= 0)
);
"""

WITHOUT = """
DROP TABLE revaluation, discount_window, finding;
DROP INDEX entry_to_look_at, account_by_name;
ALTER TABLE item DROP COLUMN overdue_on;
DROP INDEX item_in_currency;
"""


def upgrade() -> None:
    """Keep what was found; items that are overdue already are told of when the next day turns."""
    op.execute(TABLES)


def downgrade() -> None:
    """Forget what was found; the facts of it stay."""
    op.execute(WITHOUT)
