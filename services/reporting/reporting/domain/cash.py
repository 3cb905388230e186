"""What cash application came to in the days before one, as finance looks at it: what each figure of the page means."""

from typing import Final

CASH_DEFINITIONS: Final[dict[str, str]] = {
    "received": "Receipts booked in the days, without those that a bank took back whole, and their amount.",
    "without_a_person": "Receipts of which something is applied, all by reference or rule, in percent of all; and what is applied so.",
    "by_a_person": "What of these receipts is applied because a person said so.",
    "suggested": "Matches suggested in the days, for a person to decide.",
    "accepted": "Of these, those that a person took, whole or in part, in percent of all suggested.",
    "refused": "Of these, those that a person refused.",
    "waiting": "All money that is not applied and not on account, its payer known or not; and its age, weighted by amount.",
    "short_payment": "Items of which a payment left something open without a reason that is allowed; what is open of them by now.",
    "unearned_discount": "Items whose payer took a discount that was over; what is open of them by now.",
    "overpayment": "Receipts with more than the documents they name needed: what was left over when it was found, in the days.",
    "discounts_granted": "Discounts granted to payments in time, or late where terms allow it, less those revoked, effective in the days.",
    "taken_back": "Money that banks took back, effective in the days; what is billed anew instead is in it.",
    "paid_back": "Money paid back to payers, effective in the days.",
    "transferred": "Money that went to other accounts of the entity, effective in the days.",
    "realised": "What settled money was worth less what its items were carried at, in the entity's currency, effective in the days.",
    "unrealised": "The same of open items at the ends of periods, less what was taken back on the days after, effective in the days.",
}
"""What each figure of cash application means, printed beside it."""
