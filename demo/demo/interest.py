"""
What late invoices have been charged, computed from the ledger alone (INV-09): simple interest by day on what was open, memo-only.

interest = sum over days of open as the day begins x percent / 100 / 365, from the day after the due date, rounded once, half up.
A charge of day D counts days before D and what was booked up to two days before it, so that the charges of an invoice come to what the
last one knew. A voided invoice never owed anything.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction

from demo.ledger import DebitMemo, LateCharges, Ledger, Void
from demo.postings import CHARGES, Owner, Posting

_ONE_DAY = timedelta(days=1)


def charged(ledger: Ledger, postings: Iterable[Posting]) -> dict[tuple[Owner, str], int]:
    """Return what each invoice was charged by the end, in minor units by owner and document number; those without charges are left out."""
    policy = next((entry for entry in ledger.entries if isinstance(entry, LateCharges)), None)
    last_charge_on = (ledger.ends_on + _ONE_DAY).replace(day=1)
    if policy is None or last_charge_on <= policy.decided_on:
        return {}
    known_through = last_charge_on - 2 * _ONE_DAY
    voids = {entry.document_no for entry in ledger.entries if isinstance(entry, Void) and entry.voided_on <= known_through}
    bears_none = voids | {entry.document_no for entry in ledger.entries if isinstance(entry, DebitMemo)}
    changes: defaultdict[tuple[Owner, str], list[Posting]] = defaultdict(list)
    for one in postings:
        bears = one.document_no not in bears_none and not one.document_no.startswith(CHARGES)
        if one.figure == "open" and one.booked_on <= known_through and bears:
            changes[one.owner, one.document_no].append(one)
    found = {}
    for document, own in changes.items():
        minor_days = _minor_days(own, policy.decided_on, last_charge_on)
        minor = math.floor(minor_days * Fraction(policy.percent) / 36_500 + Fraction(1, 2))
        if minor:
            found[document] = minor
    return found


def _minor_days(changes: Sequence[Posting], from_on: date, until_on: date) -> int:
    """Add up what was open when each late day began, in minor units, from one day until before another: the day of payment counts."""
    due_on = next(one.due_on for one in changes if one.due_on)
    first = max(due_on + _ONE_DAY, from_on)
    return sum(one.minor * max(0, (until_on - max(one.effective_on + _ONE_DAY, first)).days) for one in changes)
