"""What the books must say, as changes of figures: who owes what, since when, known when, and why it came or went."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

FEE: Final = "FEE-"
ANEW: Final = "RETURN-"
"""What the numbers of debit memos begin with, for a bank's fee and for the money itself; the reference of what was taken back follows."""
CHARGES: Final = (FEE, ANEW)
Figure = Literal["open", "unapplied", "on_account", "unidentified", "left"]
Cause = Literal["invoiced", "charged", "credited", "settled", "discounted", "written_off", "voided", "reversed", "refunded", "transferred"]
Owner = tuple[str, str]  # Account (empty while nobody knows who paid), currency.


@dataclass(frozen=True, slots=True)
class Posting:
    """
    One figure of one account changes by so many minor units.

    `due_on` tells the bucket; it belongs to `open` only, as does the document. `left` is money that left its account, below zero, for a
    cause.
    """

    owner: Owner
    figure: Figure
    minor: int
    effective_on: date
    booked_on: date
    due_on: date | None = None
    cause: Cause | None = None
    document_no: str = ""
