"""W1: instalments fall due when a day starts, each once, by the books of the day before."""

from collections.abc import Iterator
from datetime import timedelta

from torture.check.evidence import Evidence
from torture.check.finding import Finding, Harm
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
