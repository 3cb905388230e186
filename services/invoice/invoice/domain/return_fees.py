"""What a bank asks for taking money back, billed to the customer (PAY-10). Pure: values in, values out."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Final

from money import format_minor

from invoice.domain.drafts import DEBIT_MEMO, Draft

NUMBER_LENGTH_MAX: Final = 64  # What an identifier may have.
_PREFIX: Final = "FEE-"


@dataclass(frozen=True, slots=True)
class ReturnFee:
    """A fee that the ledger told of, in minor units: `receipt` is the money that was taken back, `effective_on` when it was."""

    receipt: str
    entity: str
    account: str
    currency: str
    fee_minor: int
    kind: str
    effective_on: date
    booked_on: date


def fee_no(receipt: str) -> str:
    """
    Return the number of the debit memo for a receipt's fee, the same whoever asks: `FEE-<bank reference>`.

    Where that is too long for an identifier, a fingerprint stands for the reference.
    """
    bank_ref = receipt.partition("|")[2]
    if len(bank_ref) > NUMBER_LENGTH_MAX - len(_PREFIX):
        bank_ref = hashlib.sha256(bank_ref.encode()).hexdigest()[:32]
    return f"{_PREFIX}{bank_ref}"


def fee_memo(fee: ReturnFee) -> Draft:
    """Write the debit memo of a fee: issued on the day the money was taken back, and due at once."""
    total = format_minor(fee.fee_minor, fee.currency)
    return Draft(
        kind="debit_memo",
        entity=fee.entity,
        document_no=fee_no(fee.receipt),
        customer=fee.account,
        currency=fee.currency,
        issued_on=fee.effective_on,
        total=total,
        type=DEBIT_MEMO,
        instalments=((fee.effective_on, total),),
        reason="RETURN_FEE",
        origin="return_fee",
        origin_id=fee.receipt,
    )
