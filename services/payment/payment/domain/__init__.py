"""The rules of settlement: values in, values out."""

from payment.domain.adjustments import tax_part
from payment.domain.books import (
    ADJUSTMENT,
    MEMO,
    OLDEST_FIRST,
    ON_ACCOUNT,
    RECEIPT,
    RECOVERED,
    REFERENCE,
    STANDARD,
    VOID,
    Adjustment,
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
    "ADJUSTMENT",
    "BANK_ACCOUNT",
    "CUSTOMER",
    "MEMO",
    "OLDEST_FIRST",
    "ON_ACCOUNT",
    "RECEIPT",
    "RECOVERED",
    "REFERENCE",
    "REFERENCES_MAX",
    "STANDARD",
    "VOID",
    "Adjustment",
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
    "tax_part",
]
