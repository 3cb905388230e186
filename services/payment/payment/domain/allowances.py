"""What a payment may keep back of an item: discounts for paying early, and what is too little to ask for (INV-04, PAY-09)."""

from datetime import date
from fractions import Fraction
from typing import NamedTuple

from money import round_half_up

from payment.domain.books import EARNED, UNEARNED, EarlyPayment


class Discount(NamedTuple):
    """
    The discount of an item for money valued on a date.

    `full_minor` is that for all it was billed at, `billed_minor`; `unused_minor` what is left to grant. `kind` is `EARNED` or `UNEARNED`.
    """

    kind: str
    full_minor: int
    billed_minor: int
    unused_minor: int
    is_prorated: bool


class Cover(NamedTuple):
    """How an item is settled by a payment: in money, by discount, and by letting a small rest go."""

    cash_minor: int
    discount_minor: int
    tolerated_minor: int


def discount_on(early: EarlyPayment | None, value_on: date, granted_minor: int, relieved_minor: int) -> Discount | None:
    """
    Return the best discount that money valued on a date has of an item, or None: a payer who was in time is so whenever we apply it.

    `granted_minor` was granted of the item so far, `relieved_minor` taken off by memos and adjustments: the discount shrinks in proportion
    to what there is to pay. Late money has one only where the terms allow it, at the best rate.
    """
    if early is None:
        return None
    in_time = [tier.amount_minor for tier in early.tiers if value_on <= tier.until_on]
    kind = EARNED if in_time else UNEARNED
    amounts = in_time or ([tier.amount_minor for tier in early.tiers] if early.unearned_allowed else [])
    if not amounts:
        return None
    unused = worth_of(max(amounts), early.billed_minor, relieved_minor) - granted_minor
    return Discount(kind, max(amounts), early.billed_minor, unused, early.is_prorated) if unused > 0 else None


def worth_of(full_minor: int, billed_minor: int, relieved_minor: int) -> int:
    """Return the full discount of an item of which a part is not to be paid any more, half up."""
    return max(0, round_half_up(Fraction(full_minor * (billed_minor - relieved_minor), billed_minor)))


def cover(open_minor: int, cash_minor: int, discount: Discount | None, tolerance_minor: int) -> Cover:
    """
    Say what a payment of `cash_minor`, more than nothing, does to an item with `open_minor` open, by the order of PAY-09.

    What is open is closed where cash, all of the unused discount and the tolerance reach it: as little of the discount as is missing, the
    rest is tolerated. Otherwise a part is paid, and discounted in proportion, cash / (1 - discount/billed), where the terms prorate: never
    more than the unused discount nor than is missing (INV-04).
    """
    if cash_minor >= open_minor:
        return Cover(open_minor, 0, 0)
    missing = open_minor - cash_minor
    unused = min(missing, discount.unused_minor) if discount else 0
    if missing <= unused + tolerance_minor:
        return Cover(cash_minor, unused, missing - unused)
    if discount is None or not discount.is_prorated or discount.full_minor >= discount.billed_minor:
        return Cover(cash_minor, 0, 0)
    share = round_half_up(Fraction(cash_minor * discount.full_minor, discount.billed_minor - discount.full_minor))
    return Cover(cash_minor, min(share, unused), 0)


def due_for(open_minor: int, discount: Discount | None) -> int:
    """Return the cash that settles an item with so much open: some, whatever the discount."""
    return open_minor - min(open_minor - 1, discount.unused_minor) if discount else open_minor
