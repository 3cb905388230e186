"""
Places for the local servers of tests.

A test session takes a free slot of a folder, finds there what an earlier session left (formatted folders, migrated templates), and leaves
it to the next when it ends. Two sessions at once take two slots and never meet.
"""

import fcntl
from pathlib import Path
from typing import Final, TextIO

from launcher.folders import State, checkout
from launcher.trouble import Trouble

SLOTS: Final = checkout() / ".local" / "test"
_SLOTS_MAX: Final = 16


class Slot:
    """A state folder that is ours until we leave it."""

    def __init__(self, folder: Path) -> None:
        """
        Take the first free slot below `folder`; the kernel frees that of a session that was killed.

        :raises Trouble: none is free.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._lock, self.number = _lock_first(folder)
        self.state = State(folder / str(self.number))
        self.state.prepare()

    def leave(self) -> None:
        """Leave it to the next session."""
        self._lock.close()


def _lock_first(folder: Path) -> tuple[TextIO, int]:
    for number in range(1, _SLOTS_MAX + 1):
        handle = (folder / f"{number}.lock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            continue
        return handle, number
    raise Trouble(f"{_SLOTS_MAX} test sessions run at the same time under {folder}: wait until one has ended.")
