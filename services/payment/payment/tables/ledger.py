"""Accounts, what they owe, what they have paid, and the settlement ledger."""

from datetime import date
from typing import Any

from sqlalchemy import CHAR, BigInteger, CheckConstraint, Column, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from payment.tables.table import Table, id_column, minor_column, reference_to, text_column


class Account(Table, table=True):
    """
    The row to lock before an account's books are read to be changed. A receipt without a payer has one too: `receipt:<bank_ref>`.

    `decided_on` is the last booked day on which a person decided something about it.
    """

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("entity", "account", name="account_name_key"),
        Index("account_by_name", "entity", "account"),  # In C order, whatever the database's is: a turning day goes through accounts by it.
    )

    id: int = Field(sa_column=id_column())
    entity: str = Field(sa_column=text_column())
    account: str = Field(sa_column=text_column())
    decided_on: date | None


class Document(Table, table=True):
    """
    An invoice, debit memo or credit memo; `digest` stands for its number, caseless, where remittances are searched for it.

    `voided_on` is the date a void counts from, `void_booked_on` the day it was booked. `tax_minor` of `total_minor` is tax, where that is
    known; `base_currency` is the entity's, where the document's is another.
    """

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("entity", "document_no", name="document_number_key"),
        CheckConstraint("kind IN ('invoice', 'debit_memo', 'memo')", name="kind_known"),
        CheckConstraint("(voided_on IS NULL) = (void_booked_on IS NULL) AND (voided_on IS NULL OR kind <> 'memo')", name="voided_once"),
        Index("document_by_digest", "digest"),
    )

    id: int = Field(sa_column=id_column())
    entity: str = Field(sa_column=text_column())
    document_no: str = Field(sa_column=text_column())
    kind: str = Field(sa_column=text_column())
    account: str = Field(sa_column=text_column())
    customer: str = Field(sa_column=text_column())
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    issued_on: date
    booked_on: date
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    voided_on: date | None
    void_booked_on: date | None
    terms: str | None = Field(sa_column=text_column(nullable=True))
    total_minor: int | None = Field(sa_column=Column(BigInteger))
    tax_minor: int | None = Field(sa_column=Column(BigInteger))
    base_currency: str | None = Field(sa_column=Column(CHAR(3)))


class Item(Table, table=True):
    """
    An instalment: open is total less settled (by money), credited (by memos), adjusted (written off, net), allowed (kept back by payments,
    discounts among it) and voided (all or nothing).

    `early` are its discount terms: `{"tiers": [[until_on with grace, minor, tax minor], …], "prorated": bool, "unearned": bool}`.
    `base_minor` is its total in the entity's currency, where that is another. `overdue_on` is the day on which it was told to be overdue.

    No index contains these amounts: `is_open` changes seldom, they often.
    """

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("document_id", "n", name="item_instalment_key"),
        CheckConstraint(
            "least(settled_minor, credited_minor, adjusted_minor, discounted_minor) >= 0 AND voided_minor IN (0, total_minor)"
            " AND discounted_minor <= allowed_minor"
            " AND settled_minor + credited_minor + adjusted_minor + allowed_minor + voided_minor <= total_minor",
            name="never_overapplied",
        ),
        CheckConstraint(
            "is_open = (settled_minor + credited_minor + adjusted_minor + allowed_minor + voided_minor < total_minor)",
            name="open_is_what_is_left",
        ),
        Index("item_open", "account_id", postgresql_where=text("is_open")),
        Index("item_by_account", "account_id", "id"),
        Index("item_open_total", "total_minor", postgresql_where=text("is_open")),
        Index("item_to_be_overdue", "due_on", postgresql_where=text("is_open AND overdue_on IS NULL")),
        Index("item_overdue", "due_on", "id", postgresql_where=text("is_open AND overdue_on IS NOT NULL")),
        Index("item_in_currency", "account_id", postgresql_where=text("is_open AND base_minor IS NOT NULL")),
    )

    id: int = Field(sa_column=id_column())
    document_id: int = Field(sa_column=reference_to("document.id"))
    account_id: int = Field(sa_column=reference_to("account.id"))
    n: int
    due_on: date
    total_minor: int = Field(sa_column=minor_column())
    settled_minor: int = Field(sa_column=minor_column())
    credited_minor: int = Field(sa_column=minor_column())
    is_open: bool
    adjusted_minor: int = Field(sa_column=minor_column())
    voided_minor: int = Field(sa_column=minor_column())
    allowed_minor: int = Field(sa_column=minor_column())
    discounted_minor: int = Field(sa_column=minor_column())
    early: dict[str, Any] | None = Field(sa_column=Column(JSONB))
    base_minor: int | None = Field(sa_column=Column(BigInteger))
    overdue_on: date | None


class Memo(Table, table=True):
    """
    The open credit of a credit memo, and the number of the invoice it names.

    `pinned_minor` of it only a person may use; `is_barred`: a person took it off some item.
    """

    __tablename__ = "memo"
    __table_args__ = (
        CheckConstraint("applied_minor BETWEEN 0 AND total_minor", name="never_overspent"),
        CheckConstraint("is_open = (applied_minor < total_minor)", name="open_is_what_is_left"),
        CheckConstraint("pinned_minor BETWEEN 0 AND total_minor - applied_minor", name="pinned_of_what_is_open"),
        Index("memo_open", "account_id", postgresql_where=text("is_open")),
    )

    document_id: int = Field(sa_column=Column(BigInteger, ForeignKey("document.id"), primary_key=True, autoincrement=False))
    account_id: int = Field(sa_column=reference_to("account.id"))
    names: str | None = Field(sa_column=text_column(nullable=True))
    total_minor: int = Field(sa_column=minor_column())
    applied_minor: int = Field(sa_column=minor_column())
    is_open: bool
    pinned_minor: int = Field(sa_column=minor_column())
    is_barred: bool


class Adjustment(Table, table=True):
    """
    An approved adjustment or write-off of an item: how much of it stands posted, net of what was taken back or recovered.

    `adjustment` is the id of the request; `tax_minor` is the tax in `approved_minor`.
    """

    __tablename__ = "adjustment"
    __table_args__ = (
        UniqueConstraint("adjustment", name="adjustment_name_key"),
        Index("adjustment_by_item", "item_id"),
        CheckConstraint(
            "approved_minor > 0 AND posted_minor BETWEEN 0 AND approved_minor AND tax_minor BETWEEN 0 AND approved_minor",
            name="never_above_approval",
        ),
    )

    id: int = Field(sa_column=id_column())
    adjustment: str = Field(sa_column=text_column())
    account_id: int = Field(sa_column=reference_to("account.id"))
    item_id: int = Field(sa_column=reference_to("item.id"))
    kind: str = Field(sa_column=text_column())
    approved_minor: int = Field(sa_column=minor_column())
    tax_minor: int = Field(sa_column=minor_column())
    posted_minor: int = Field(sa_column=minor_column())
    effective_on: date
    booked_on: date


class Receipt(Table, table=True):
    """
    A receipt and its dispositions: unidentified while `identified_on` is null, then applied, on-account, refunded, returned to the bank,
    transferred to other accounts and, as the rest, unapplied. `pinned_minor` of the on-account money only a person may use; `is_barred`: a
    person took it off some item.

    `stated` is what its remittance says by document, numbers caseless, amounts in minor units:
    `[{"document_no": …, "n": …, "amount": …, "gross": …, "deductions": [[code, minor]]}]`.
    `payment_ref` is a digest of the payer's own reference. `received_*` is what the bank booked where it settles in another currency,
    `base_minor` its worth in the entity's currency where that is another.

    `content` is a digest of what the entry said: another content under the same reference is a conflict. `advised_customer` is whom an
    advice about it gives as the payer.

    `deposit_for` is the order or contract that it is a deposit for; while it `is_bound` nothing but what bears that number, what it names
    and people use it. `debited_on` is when it was taken back and billed anew, all that it paid staying paid.

    `transferred_minor` of it went to other accounts, where each transfer made a receipt of its own: `transfer` is its id, `from_receipt_id`
    the receipt whose money it was, `origin_id` the one that came from outside, `arrived_on` the date from which the money is here.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("entity", "bank_ref", name="receipt_reference_key"),
        CheckConstraint(
            "amount_minor > 0 AND least(applied_minor, on_account_minor, refunded_minor, returned_minor, transferred_minor) >= 0"
            " AND applied_minor + on_account_minor + refunded_minor + returned_minor + transferred_minor <= amount_minor",
            name="never_overspent",
        ),
        CheckConstraint("pinned_minor BETWEEN 0 AND on_account_minor", name="pinned_of_on_account"),
        CheckConstraint(
            "is_live = (applied_minor + refunded_minor + returned_minor + transferred_minor < amount_minor)",
            name="live_while_something_is_left",
        ),
        CheckConstraint(
            "(returned_on IS NULL) = (return_booked_on IS NULL) AND (returned_on IS NOT NULL OR returned_minor = 0)", name="returned_once"
        ),
        CheckConstraint("debited_on IS NULL OR returned_on IS NULL", name="taken_back_one_way"),
        CheckConstraint("deposit_for IS NOT NULL OR NOT is_bound", name="bound_to_something"),
        CheckConstraint("(received_currency IS NULL) = (received_minor IS NULL)", name="exchanged_whole"),
        CheckConstraint(
            "(identified_on IS NULL) = (identified_by IS NULL)"
            " AND (identified_on IS NOT NULL OR applied_minor + on_account_minor + refunded_minor + transferred_minor = 0)",
            name="spent_by_a_known_payer",
        ),
        CheckConstraint("num_nonnulls(from_receipt_id, origin_id, transfer, arrived_on) IN (0, 4)", name="transferred_whole"),
        Index("receipt_live", "account_id", postgresql_where=text("is_live")),
        Index("receipt_by_origin", "origin_id", postgresql_where=text("origin_id IS NOT NULL")),
        Index("receipt_transfer_key", "transfer", unique=True, postgresql_where=text("transfer IS NOT NULL")),
        Index("receipt_by_account", "account_id", "id"),
        Index("receipt_unidentified", "entity", "bank_ref", postgresql_where=text("identified_on IS NULL")),
        Index("receipt_by_payment_ref", "payment_ref", postgresql_where=text("payment_ref IS NOT NULL")),
        Index("receipt_bound", "entity", "id", postgresql_where=text("is_bound AND is_live")),
    )

    id: int = Field(sa_column=id_column())
    entity: str = Field(sa_column=text_column())
    bank_ref: str = Field(sa_column=text_column())
    account_id: int = Field(sa_column=reference_to("account.id"))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    amount_minor: int = Field(sa_column=minor_column())
    applied_minor: int = Field(sa_column=minor_column())
    on_account_minor: int = Field(sa_column=minor_column())
    is_live: bool
    value_on: date
    booked_on: date
    identified_on: date | None
    identified_by: str | None = Field(sa_column=text_column(nullable=True))
    method: str = Field(sa_column=text_column())
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    refunded_minor: int = Field(sa_column=minor_column())
    returned_minor: int = Field(sa_column=minor_column())
    pinned_minor: int = Field(sa_column=minor_column())
    is_barred: bool
    base_minor: int | None = Field(sa_column=Column(BigInteger))
    stated: list[dict[str, Any]] | None = Field(sa_column=Column(JSONB))
    payment_ref: bytes | None = Field(sa_column=Column(LargeBinary))
    received_currency: str | None = Field(sa_column=Column(CHAR(3)))
    received_minor: int | None = Field(sa_column=Column(BigInteger))
    returned_on: date | None
    return_booked_on: date | None
    advised_customer: str | None = Field(sa_column=text_column(nullable=True))
    deposit_for: str | None = Field(sa_column=text_column(nullable=True))
    is_bound: bool
    debited_on: date | None
    transferred_minor: int = Field(sa_column=minor_column())
    from_receipt_id: int | None = Field(sa_column=reference_to("receipt.id", nullable=True))
    origin_id: int | None = Field(sa_column=reference_to("receipt.id", nullable=True))
    transfer: str | None = Field(sa_column=text_column(nullable=True))
    arrived_on: date | None


class Clue(Table, table=True):
    """
    What a receipt says about its payer, as digests: possible document numbers by their place from 1, the debtor's bank account at 0, and
    below zero the document numbers of advices about it, which come first.

    Made from personal data: stays in this table, for as long as the receipt needs it.
    """

    __tablename__ = "clue"
    __table_args__ = (Index("clue_by_digest", "digest"),)

    receipt_id: int = Field(sa_column=Column(BigInteger, ForeignKey("receipt.id"), primary_key=True, autoincrement=False))
    place: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class BankAccount(Table, table=True):
    """
    A customer's list of bank accounts as booked on a day, one row each, as digests; one row with an empty digest stands for an empty list.

    `content` is the digest of the whole list: of several lists of one customer and day the greatest counts.
    """

    __tablename__ = "bank_account"
    __table_args__ = (Index("bank_account_by_digest", "digest"),)

    entity: str = Field(sa_column=Column(Text, primary_key=True))
    customer: str = Field(sa_column=Column(Text, primary_key=True))
    booked_on: date = Field(primary_key=True)
    content: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))


class Entry(Table, table=True):
    """
    The settlement ledger, only ever added to: so much of a receipt or memo applied to an item, of an adjustment or of its document's void
    (`void_id`) taken off it, let go of it for a payment (`allowance_id`, a receipt), or of a receipt moved on-account, refunded, returned
    or pinned. With the rule `fx` the amount is what the application gained in the entity's currency.

    Negative amounts take back. `applied_on` is the booked day of the application that an entry belongs to. `is_finished` saves work on the
    open day and means nothing afterwards: see `domain.finished`.
    """

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="moves_something"),
        CheckConstraint("num_nonnulls(receipt_id, memo_id, adjustment_id, void_id, allowance_id) = 1", name="from_one_source"),
        CheckConstraint("void_id IS NULL OR amount_minor > 0", name="void_stays"),
        CheckConstraint(
            "(item_id IS NULL) = (application IS NULL) AND (item_id IS NOT NULL OR receipt_id IS NOT NULL OR memo_id IS NOT NULL)",
            name="to_an_item_or_of_its_source",
        ),
        CheckConstraint("(reason IS NOT NULL) = (amount_minor < 0 AND item_id IS NOT NULL AND rule <> 'fx')", name="reversal_has_a_reason"),
        Index("entry_of_day", "account_id", "booked_on", "is_finished"),
        Index("entry_by_item", "item_id", postgresql_where=text("item_id IS NOT NULL")),
        Index("entry_by_receipt", "receipt_id", postgresql_where=text("receipt_id IS NOT NULL")),
        Index("entry_by_memo", "memo_id", postgresql_where=text("memo_id IS NOT NULL")),
        Index("entry_by_allowance", "allowance_id", postgresql_where=text("allowance_id IS NOT NULL")),
        Index(
            "entry_taken_off",
            "account_id",
            "booked_on",
            postgresql_where=text("amount_minor < 0 AND applied_on < booked_on AND item_id IS NOT NULL AND rule <> 'fx'"),
        ),
        Index(
            "entry_to_look_at",
            "booked_on",
            "account_id",
            postgresql_where=text("NOT is_finished AND receipt_id IS NOT NULL AND rule IN ('on_account', 'person', 'reference')"),
        ),
    )

    id: int = Field(sa_column=id_column())
    account_id: int = Field(sa_column=reference_to("account.id"))
    receipt_id: int | None = Field(sa_column=reference_to("receipt.id", nullable=True))
    memo_id: int | None = Field(sa_column=reference_to("memo.document_id", nullable=True))
    item_id: int | None = Field(sa_column=reference_to("item.id", nullable=True))
    application: str | None = Field(sa_column=text_column(nullable=True))
    rule: str = Field(sa_column=text_column())
    reason: str | None = Field(sa_column=text_column(nullable=True))
    amount_minor: int = Field(sa_column=minor_column())
    applied_on: date
    booked_on: date
    effective_on: date
    is_finished: bool
    adjustment_id: int | None = Field(sa_column=reference_to("adjustment.id", nullable=True))
    void_id: int | None = Field(sa_column=reference_to("document.id", nullable=True))
    allowance_id: int | None = Field(sa_column=reference_to("receipt.id", nullable=True))
