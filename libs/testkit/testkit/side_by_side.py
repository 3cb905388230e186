"""
Tests side by side: the processes of one run (pytest-xdist, `-n auto --dist loadfile --no-loadscope-reorder`) share its files.

A file is never divided, so that what it starts once is started once. The stories of the running system (fixture `world`) stay together for
the same reason, as if they were one file. Whatever starts servers gets its own: each process has its slot (`testkit.slots`).
"""

from collections.abc import MutableSequence
from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

WORLD: Final = "world"
TOLD_TO_THE_WORLD: Final = ("tests/scenarios/", "tests/test_bad_input.py", "tests/test_rebuild.py", "tests/test_trace.py")
"""Where tests use it. They are told apart by their names: these are all that the process knows that hands them out."""
DEAREST_FIRST: Final = ("scenario", "kafka", "schedules", "db")
"""Marks by what a test of theirs costs; a file costs what its dearest test does."""


class FromBothEnds(LoadScopeScheduling):
    """
    Hand out files: the first process takes them from the front of the queue, where the whole stacks are, all others from its back.

    Two stacks at once wait for each other on two cores, while a test of functions or of one database fills what a stack leaves idle.
    """

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if node is not self.nodes[0]:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


def arrange(items: MutableSequence[pytest.Item]) -> None:
    """Put the dearest files to the front; what costs the same keeps its order."""
    costs: dict[str, int] = {}
    for item in items:
        unit = unit_of(item.nodeid)
        costs[unit] = min(costs.get(unit, len(DEAREST_FIRST)), _cost(item))
    items[:] = sorted(items, key=lambda item: costs[unit_of(item.nodeid)])


def unit_of(nodeid: str) -> str:
    """Name what is handed out whole, by a test of it: its file, or the stories of the running system."""
    return WORLD if nodeid.startswith(TOLD_TO_THE_WORLD) else nodeid.partition("::")[0]


def _cost(item: pytest.Item) -> int:
    return next((cost for cost, mark in enumerate(DEAREST_FIRST) if item.get_closest_marker(mark)), len(DEAREST_FIRST))
