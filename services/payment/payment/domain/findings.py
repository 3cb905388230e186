"""What is to be said of an item that a payment names and leaves open: short, a discount taken too late, or nothing yet (PAY-09)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeAlias

from payment.domain.allowances import worth_of
from payment.domain.books import EarlyPayment
from payment.domain.policy import Policy


class Line(NamedTuple):
    """
    What a remittance says of one document, or of its instalment `n`: `gross_minor` is what it means to settle; `codes` are those of its
    deductions, in its order.
    """

    n: int | None
    gross_minor: int | None
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartPaid:
    """
    An item that a payment names and leaves open, as the books stood when a day had closed.

    The payment counts from `effective_on`. `item_before_minor` was open of the item without it, `document_before_minor` of all of the
    document; `lines` are what its remittance says of the document.
    """

    n: int
    currency: str
    open_minor: int
    effective_on: date
    early: EarlyPayment | None
    item_before_minor: int
    document_before_minor: int
    lines: tuple[Line, ...] = ()

    @property
    def is_sent_in_full(self) -> bool:
        """Whether the payer means to have paid all that was open."""
        return any(
            line.gross_minor >= (self.document_before_minor if line.n is None else self.item_before_minor)
            for line in self.lines
            if line.gross_minor is not None and line.n in (None, self.n)
        )


class Short(NamedTuple):
    """The payment was short; `deduction_code` is the payer's reason, if it gave one that is not let go."""

    deduction_code: str | None


class Unearned(NamedTuple):
    """No more is open than a discount that could be earned up to `until_on`."""

    until_on: date


class Early(NamedTuple):
    """The rest may still be paid, or discounted, in time: up to `until_on`."""

    until_on: date


Verdict: TypeAlias = Short | Unearned | Early | None


def judge(paid: PartPaid, day: date, policy: Policy) -> Verdict:
    """
    Say what the payment is, when `day` opens; None where no more is open than the policy of the day that closed tolerates.

    While a discount can be earned, a part paid in time is no short payment, unless it was sent as payment in full. What the payer calls a
    deduction does not matter where it is a discount that is too late.
    """
    if paid.open_minor <= policy.tolerance_of(paid.item_before_minor, paid.currency):
        return None
    if paid.early is not None:
        last_on = max(tier.until_on for tier in paid.early.tiers)
        if paid.effective_on <= last_on and day <= last_on and not paid.is_sent_in_full:
            return Early(last_on)
        until_on = _earned_until(paid.early, paid.open_minor)
        if until_on is not None:
            return Unearned(until_on)
    return Short(_deduction_code(paid, policy.codes))


def _earned_until(early: EarlyPayment, open_minor: int) -> date | None:
    """Return the last day on which what is open would have been a discount that is not used up; None where it is more than any."""
    return max(
        (
            tier.until_on
            for tier in early.tiers
            if open_minor <= worth_of(tier.amount_minor, early.billed_minor, early.relieved_minor) - early.granted_minor
        ),
        default=None,
    )


def _deduction_code(paid: PartPaid, let_go: Collection[str]) -> str | None:
    codes = (code for line in paid.lines if line.n in (None, paid.n) for code in line.codes)
    return next((code for code in codes if code not in let_go), None)
