"""The order in which what was booked is published, and what it follows from."""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias

from chassis.service import Fact
from events.envelope import Envelope

ACCOUNT: Final = "account"
INVOICE: Final = "invoice"
DEBIT_MEMO: Final = "debit_memo"
BILLED: Final = (INVOICE, DEBIT_MEMO)
"""Kinds of documents whose instalments are items."""

Causes: TypeAlias = Mapping[tuple[str, str], Envelope]
"""
What brought a receipt, memo, adjustment or invoice, or touched an account: by kind and id in facts (of an account: its key). A debit memo
counts as an invoice.
"""


class Phase(IntEnum):
    """Within an account's facts of one transaction: money is given back before it leaves, and comes before it is placed."""

    TAKEN_BACK = 0
    LEFT = 1
    CAME = 2
    PLACED = 3


class Booking(NamedTuple):
    """A fact to publish, and where it stands among those of its key."""

    phase: Phase
    fact: Fact


def in_order(bookings: Iterable[Booking]) -> list[Fact]:
    """Return the facts by key and phase; within a phase they stay in the order given."""
    return [one.fact for one in sorted(bookings, key=lambda one: (one.fact.key, one.phase))]
