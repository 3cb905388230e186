"""What is billed to a customer whose payment a bank took back: its fee, and the amount where it stays on what it paid (PAY-10). Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from money import format_minor

from invoice.domain.drafts import DEBIT_MEMO, Draft

Origin: TypeAlias = Literal["return_fee", "returned_payment"]

NUMBER_LENGTH_MAX: Final = 64  # What an identifier may have.
_PREFIXES: Final[Mapping[Origin, str]] = MappingProxyType({"return_fee": "FEE-", "returned_payment": "RETURN-"})


@dataclass(frozen=True, slots=True)
class ReturnCharge:
    """
    What the ledger told is to be billed, in minor units: `receipt` is the money that was taken back, `effective_on` when it was.

    `origin` says whether it is the bank's fee or the money itself.
    """

    receipt: str
    origin: Origin
    entity: str
    account: str
    currency: str
    amount_minor: int
    kind: str
    effective_on: date
    booked_on: date


def memo_no(origin: Origin, receipt: str) -> str:
    """
    Return the number of the debit memo for a receipt, the same whoever asks: `FEE-<bank reference>`, `RETURN-<bank reference>`.

    Where that is too long for an identifier, a fingerprint stands for the reference.
    """
    bank_ref, prefix = receipt.partition("|")[2], _PREFIXES[origin]
    if len(bank_ref) > NUMBER_LENGTH_MAX - len(prefix):
        bank_ref = hashlib.sha256(bank_ref.encode()).hexdigest()[:32]
    return f"{prefix}{bank_ref}"


def charge_memo(charge: ReturnCharge) -> Draft:
    """Write the debit memo of a charge: issued on the day the money was taken back, and due at once."""
    total = format_minor(charge.amount_minor, charge.currency)
    return Draft(
        kind="debit_memo",
        entity=charge.entity,
        document_no=memo_no(charge.origin, charge.receipt),
        customer=charge.account,
        currency=charge.currency,
        issued_on=charge.effective_on,
        total=total,
        type=DEBIT_MEMO,
        instalments=((charge.effective_on, total),),
        reason=charge.origin.upper(),
        origin=charge.origin,
        origin_id=charge.receipt,
        account=charge.account,
    )
