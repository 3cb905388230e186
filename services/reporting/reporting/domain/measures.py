"""What is counted: the measures of the cube, and those of exchange differences."""

from datetime import date
from typing import Final

INVOICED: Final = "invoiced"
CREDITED: Final = "credited"
SETTLED: Final = "settled"
DISCOUNTED: Final = "discounted"
CHARGED: Final = "charged"
WRITTEN_OFF: Final = "written_off"
VOIDED: Final = "voided"
UNAPPLIED: Final = "unapplied"
ON_ACCOUNT: Final = "on_account"
MEMO: Final = "memo"
UNIDENTIFIED: Final = "unidentified"
REVERSED: Final = "reversed"
REFUNDED: Final = "refunded"
TRANSFERRED: Final = "transferred"

ITEM_MEASURES: Final = (INVOICED, CHARGED, CREDITED, SETTLED, DISCOUNTED, WRITTEN_OFF, VOIDED)
"""
What open items are made of: billed by invoices and debit memos, and by late charges and fees (both positive); less memo credit applied,
money applied, discounts granted, what was adjusted or written off, and what was voided (all negative, net of what was taken back). A voided
late charge is less charged. Their sum is the open amount. They are kept by due date; the other measures have none.
"""
LEFT: Final = (REVERSED, REFUNDED, TRANSFERRED)
"""
Money that left its account, positive: taken back by a bank, paid back to its payer, gone to another account. Flows of a period: no closing
carries them.
"""
OPEN: Final = "open"
"""The sum of the item measures, in what a closed day leaves behind."""
NO_DUE_ON: Final = date(1900, 1, 1)
"""Stands in a key for the due date of a measure that has none; never read."""

REALISED: Final = "realised"
UNREALISED: Final = "unrealised"
"""Exchange differences in the entity's currency, gain less loss: of what was settled, and of what is open at a period's end."""
