"""The rules of settlement: values in, values out."""

from payment.domain.books import (
    MEMO,
    OLDEST_FIRST,
    ON_ACCOUNT,
    RECEIPT,
    REFERENCE,
    STANDARD,
    Books,
    Entry,
    Item,
    Memo,
    Money,
    Policy,
    Source,
    Standing,
)
from payment.domain.clues import REFERENCES_MAX, digest_of, normalise_bank_account, references_in
from payment.domain.payers import BANK_ACCOUNT, CUSTOMER, NamedDocument, Payer, identify
from payment.domain.seal import finished
from payment.domain.settle import ItemsMissing, difference, settle

__all__ = [
    "BANK_ACCOUNT",
    "CUSTOMER",
    "MEMO",
    "OLDEST_FIRST",
    "ON_ACCOUNT",
    "RECEIPT",
    "REFERENCE",
    "REFERENCES_MAX",
    "STANDARD",
    "Books",
    "Entry",
    "Item",
    "ItemsMissing",
    "Memo",
    "Money",
    "NamedDocument",
    "Payer",
    "Policy",
    "Source",
    "Standing",
    "difference",
    "digest_of",
    "finished",
    "identify",
    "normalise_bank_account",
    "references_in",
    "settle",
]
