"""What a bank takes back: which of the returns of a receipt undoes it, which way, and why another does not. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple, TypeAlias

from policies.faults import Fault

Way: TypeAlias = Literal["standard", "debit_memo"]

KINDS: Final = ("nsf", "return", "chargeback", "error")
DEBIT_MEMO: Final = "debit_memo"


@dataclass(frozen=True, slots=True)
class Returned:
    """
    Money that was taken back: of `receipt` (its id in facts), by the reference `bank_ref` of its own. `content` is a digest of all it says.

    `reason` and `reversed_by` are given where a person said so in the bank's place, and which `way` then: the policy says it for banks.
    """

    entity: str
    bank_ref: str
    returned_bank_ref: str
    value_on: date
    amount_minor: int
    currency: str
    kind: str
    reason_code: str | None
    fee_minor: int | None
    content: bytes
    reason: str | None = None
    reversed_by: str | None = None
    way: Way | None = None

    @property
    def name(self) -> tuple[str, str]:
        """The natural key."""
        return self.entity, self.bank_ref

    @property
    def returned_name(self) -> tuple[str, str]:
        """The natural key of the entry that is undone."""
        return self.entity, self.returned_bank_ref

    @property
    def receipt(self) -> str:
        """The id in facts of the receipt that is undone."""
        return f"{self.entity}|{self.returned_bank_ref}"


@dataclass(frozen=True, slots=True)
class Returnable:
    """
    A receipt as a return finds it: `account` is where it stands, which is nobody's while it is not identified.

    `booked_*` is what the bank booked, where the receipt itself is kept in the currency of what it pays. What another account transferred
    (`is_transferred`) no bank knows.
    """

    row_id: int
    account_id: int
    entity: str
    bank_ref: str
    account: str
    is_identified: bool
    currency: str
    amount_minor: int
    booked_currency: str
    booked_minor: int
    value_on: date
    is_returned: bool
    is_transferred: bool

    @property
    def name(self) -> tuple[str, str]:
        """The natural key."""
        return self.entity, self.bank_ref


class Match(NamedTuple):
    """A return (row id and what it says) and the receipt it undoes."""

    return_id: int
    returned: Returned
    receipt: Returnable


@dataclass(frozen=True, slots=True)
class Part:
    """A receipt made of money transferred from another, `origin_id` (row id), in one step or more; `account` is where it stands."""

    row_id: int
    account_id: int
    entity: str
    bank_ref: str
    account: str
    origin_id: int

    @property
    def receipt(self) -> str:
        """Its id in facts."""
        return f"{self.entity}|{self.bank_ref}"


def objections_to(returned: Returned, receipt: Returnable) -> list[Fault]:
    """Return every reason why a return does not undo a receipt: it does so whole, and once."""
    faults = [Fault("ALREADY_RETURNED", "returned_bank_ref")] if receipt.is_returned else []
    if receipt.is_transferred:
        faults.append(Fault("RECEIPT_TRANSFERRED", "returned_bank_ref"))
    if returned.currency != receipt.booked_currency:
        return [*faults, Fault("CURRENCY_DIFFERS", "currency")]
    if returned.amount_minor != receipt.booked_minor:
        faults.append(Fault("AMOUNT_DIFFERS", "amount"))
    return faults
