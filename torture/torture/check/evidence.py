"""All that the checker looks at, taken at rest: pure data, so that every invariant is a function of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from torture.check.answers import Aging, Replay, Rush
from torture.check.books import Books
from torture.check.expected import Expected
from torture.check.fold import fold
from torture.check.folded import Folded
from torture.check.log import Log
from torture.check.vitals import Vitals


@dataclass(frozen=True)
class Evidence:
    """Books, log and answers on one side, what must be on the other."""

    books: Books
    log: Log
    expected: Expected
    aging: Sequence[Aging] = ()
    replays: Sequence[Replay] = ()
    rushes: Sequence[Rush] = ()
    vitals: Vitals = field(default_factory=lambda: Vitals())

    @cached_property
    def folded(self) -> Folded:
        """The log, folded by the checker itself."""
        return fold(self.log.firsts)
