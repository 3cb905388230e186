"""Which stories are told: each on its own, and all as one stream (A14)."""

from collections.abc import Callable, Mapping
from typing import Final

from testkit.cash_stories import (
    billed_anew,
    cash_rules,
    drawn_down,
    early_payments,
    euros_at_rates,
    one_transfer_for_a_group,
    paid_for_two,
    returned,
    till_days,
)
from testkit.document_stories import every_document, written_off
from testkit.stories import (
    busy_days,
    credit_line,
    credit_memos,
    credited_in_dispute,
    euros_in_parts,
    four_currencies,
    late_payers,
    money_of_2019,
    money_without_a_reference,
    overpayment,
    paid_before_it_was_known,
    partial_payments,
)
from testkit.story import Story

STORIES: Final[Mapping[str, Callable[[str], Story]]] = {
    "S01": partial_payments,
    "S03": overpayment,
    "S04": money_without_a_reference,
    "S04R": cash_rules,
    "S05": credit_memos,
    "S06": late_payers,
    "S11": paid_before_it_was_known,
    "S10": four_currencies,
    "S07": written_off,
    "S20": every_document,
    "S02": early_payments,
    "S06R": returned,
    "S10D": billed_anew,
    "S16": drawn_down,
    "S10R": euros_at_rates,
    "S11G": one_transfer_for_a_group,
    "S12": paid_for_two,
}
"""The stories that are told on their own, by the entity they are told of."""
APART: Final = ("S04R", "S10D")
"""Stories under policies for all money of an entity, which the others are not told under."""


def examples_of_2026(entity: str) -> Story:
    """All worked examples of 2026 as one story, but for those apart: no two of them share a customer or a number."""
    together = [story for name, story in STORIES.items() if name not in APART]
    parts = [story(entity) for story in (*together, credited_in_dispute, euros_in_parts, credit_line)]
    days = sorted({day for part in parts for day in part.eventful_days})
    told = {day: [fact for part in parts for fact in part.days.get(day, ())] for day in days}
    done = {day: acts for day in days if (acts := [act for part in parts for act in part.acts.get(day, ())])}
    return Story(entity, told, ends_on=max(part.ends_on for part in parts), acts=done)


STREAM: Final[Mapping[str, Callable[[str], Story]]] = {
    "EXAMPLES": examples_of_2026,
    "SPRING19": money_of_2019,
    "RULES": cash_rules,
    "ANEW": billed_anew,
    "BUSY": busy_days,
    "TILL": till_days,
}
"""A14: what is told as one stream, by the beginning of the entity's name."""
