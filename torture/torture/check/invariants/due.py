"""W1: instalments fall due, and are overdue, when a day starts, each once, by the books of the day before."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from torture.check.evidence import Evidence
from torture.check.finding import Finding, Harm
from torture.check.folded import ItemMove
from torture.check.invariants.days import first_day_of
from torture.check.rows import Day

_ONE_DAY = timedelta(days=1)


def w1_instalments_fall_due_once(evidence: Evidence) -> Iterator[Finding]:
    """
    W1: every instalment that is due by the open day, of a document booked before it, was told to be due, and once.

    On the day it is due, or on the first one behind its document's; unless the document was void before that day started.
    """
    folded = evidence.folded
    days = {day.entity: day for day in evidence.books.rows("invoice", Day)}
    for name, item in sorted(folded.items.items()):
        day = days.get(item.entity)
        if day is None or day.late or item.booked_on is None:
            continue
        judged_on = max(item.due_on, item.booked_on + _ONE_DAY)
        void_on = folded.voids.get(name.rpartition("|")[0])
        is_told = judged_on <= day.open_on and (void_on is None or void_on >= judged_on)
        told = folded.fallen_due.get(name, [])
        if told != ([judged_on] if is_told else []):
            harm = Harm.DOUBLE if len(told) > is_told else Harm.LOST if not told else Harm.NONE
            yield Finding(
                "W1", f"due {name}", f"was told on {[str(on) for on in told]}, {'due' if is_told else 'not due'} on {judged_on}", harm
            )
    for name in folded.fallen_due.keys() - folded.items.keys():
        yield Finding("W1", f"due {name}", "has fallen due, and nobody has billed it", Harm.DOUBLE)


def w1_instalments_are_overdue_once(evidence: Evidence) -> Iterator[Finding]:
    """
    W1: every instalment that was open when a day behind its due date started was told to be overdue, once, with what was open.

    On the first such day: the one after it was due, or after it came or was opened again.
    """
    folded = evidence.folded
    days = {day.entity: day for day in evidence.books.rows("payment", Day)}
    firsts = {entity: first_day_of(evidence.log.markers, entity) or date.min for entity in days}
    moves: dict[str, list[ItemMove]] = defaultdict(list)
    for move in folded.moves:
        moves[move.item].append(move)
    for name, item in sorted(folded.items.items()):
        day = days.get(item.entity)
        if day is None or day.late or item.booked_on is None:
            continue
        settled = [(move.settled_on or firsts[item.entity], move.minor) for move in moves[name]]
        should = _overdue_on(item.due_on, settled, day.open_on)
        if (told := folded.overdue.get(name, [])) != should:
            harm = Harm.DOUBLE if len(told) > len(should) else Harm.LOST if not told else Harm.NONE
            said = [(str(on), minor) for on, minor in told]
            yield Finding("W1", f"overdue {name}", f"was told {said}, by the facts {[(str(on), minor) for on, minor in should]}", harm)
    for name in folded.overdue.keys() - folded.items.keys():
        yield Finding("W1", f"overdue {name}", "is overdue, and nobody has billed it", Harm.DOUBLE)


def _overdue_on(due_on: date, moves: Sequence[tuple[date, int]], open_on: date) -> list[tuple[date, int]]:
    """The first day started behind the due date on which something was open, with what it was; none up to the open day."""
    by_day: dict[date, int] = defaultdict(int)
    for day, minor in moves:
        by_day[day] += minor
    if due_on == date.max:
        return []
    starts = sorted({due_on + _ONE_DAY, *(day + _ONE_DAY for day in by_day)})
    for start in starts:
        open_minor = sum(minor for day, minor in by_day.items() if day < start)
        if due_on < start <= open_on and open_minor > 0:
            return [(start, open_minor)]
    return []
