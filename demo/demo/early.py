"""What a payment may keep back for being early, computed from the ledger alone (INV-04, PAY-09)."""

from datetime import date, timedelta
from fractions import Fraction
from math import floor

from demo.ledger import DebitMemo, Invoice


def half_up(amount: Fraction) -> int:
    """Round to the minor unit, half away from nothing; amounts are never below zero here."""
    return floor(amount + Fraction(1, 2))


def discount_minor(invoice: Invoice | DebitMemo, value_on: date) -> int:
    """Return the whole discount of an invoice for money that is there on a day: nothing when its days are over, or it has none."""
    if not isinstance(invoice, Invoice) or invoice.discount is None:
        return 0
    percent, days = invoice.discount
    if value_on > invoice.issued_on + timedelta(days=days):
        return 0
    return half_up(Fraction(invoice.amount_minor * percent, 100))


def covered(open_minor: int, cash_minor: int, full_minor: int, unused_minor: int, whole_minor: int) -> tuple[int, int]:
    """
    Return how much money and how much discount an item over `whole_minor` takes of a payment.

    All that is open where money and the unused discount reach it, as little discount as is missing; otherwise a part payment has its part
    of the discount, cash / (1 - discount share).
    """
    cash_minor = min(cash_minor, open_minor)
    missing_minor = open_minor - cash_minor
    if missing_minor <= unused_minor or not full_minor:
        return cash_minor, min(missing_minor, unused_minor)
    share_minor = half_up(Fraction(cash_minor * full_minor, whole_minor - full_minor))
    return cash_minor, min(share_minor, unused_minor, missing_minor)
