"""What an item gives back when it is worth less than stands on it, so that it is overdrawn at no date."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import accumulate, pairwise
from typing import NamedTuple

from payment.domain.books import ALLOWANCE, TOLERANCE, Item, Standing


class GivenBack(NamedTuple):
    """So much of a standing application is taken back as of a date; a negative amount stands again from that date on."""

    standing: Standing
    minor: int
    effective_on: date


def give_back(item: Item, reductions: Iterable[tuple[date, int]], stack: Sequence[Standing]) -> list[GivenBack]:
    """
    Take reductions (effective date, amount), the earliest first, off an item, and say what it no longer needs of `stack`.

    The latest application of the stack goes first. What is given back is dated as the reduction that caused it, never before the
    application itself. Where an application had been taken back as of a later date already, and until then there would be more on the item
    than it was billed at, that is dated back too.
    """
    taken = sorted(reductions)
    given = list(_latest_first(item.open_minor, taken, stack))
    if any(one.later for one in item.standing):
        given += _dated_back(item, taken, stack, given)
    return given


def _latest_first(open_minor: int, reductions: Iterable[tuple[date, int]], stack: Sequence[Standing]) -> Iterator[GivenBack]:
    ages = sorted(stack, key=_age)
    left = [one.amount_minor for one in ages]
    for effective_on, part in reductions:
        open_minor -= part
        while open_minor < 0:
            if not left[-1]:
                left.pop()
                continue
            standing, back = ages[len(left) - 1], min(-open_minor, left[-1])
            left[-1] -= back
            open_minor += back
            yield GivenBack(standing, back, max(effective_on, standing.effective_on))


def _dated_back(
    item: Item, reductions: Iterable[tuple[date, int]], stack: Sequence[Standing], given: Iterable[GivenBack]
) -> Iterator[GivenBack]:
    """
    Of the time line of all that is on the item, level what stands above its total.

    Only what an application once had above its own end is taken, so none of them ever stands at less than in the end. That is enough:
    reductions and what is not in the stack only grow.
    """
    lines = {one.application: _steps(one) for one in item.standing}
    for one in given:
        lines[one.standing.application][one.effective_on] -= one.minor
    taken: dict[date, int] = defaultdict(int)
    for effective_on, part in reductions:
        taken[effective_on] += part
    dates = sorted({on for line in (taken, *lines.values()) for on in line})
    heights = {name: _heights(line, dates) for name, line in lines.items()}
    total = [sum(at) for at in zip(_heights(taken, dates), *heights.values(), strict=True)]
    for place, (since, until) in enumerate(pairwise(dates)):
        excess = total[place] - item.total_minor
        for standing in sorted(stack, key=_age, reverse=True):
            if excess <= 0:
                break
            line = heights[standing.application]
            part = min(excess, line[place] - line[-1])
            if part > 0:
                excess -= part
                yield GivenBack(standing, part, since)
                yield GivenBack(standing, -part, until)


def _age(standing: Standing) -> tuple[date, date, bool, bool, str]:
    """The latest goes first; of one payment what little was missing, then its money, and last what it was allowed to keep back."""
    is_money = standing.source.kind != ALLOWANCE
    return standing.applied_on, standing.effective_on, standing.rule == TOLERANCE, is_money, standing.application


def _steps(standing: Standing) -> dict[date, int]:
    steps: dict[date, int] = defaultdict(int, {standing.effective_on: standing.amount_minor - sum(minor for _, minor in standing.later)})
    for effective_on, minor in standing.later:
        steps[effective_on] += minor
    return steps


def _heights(steps: Mapping[date, int], dates: Iterable[date]) -> list[int]:
    return list(accumulate(steps.get(on, 0) for on in dates))
