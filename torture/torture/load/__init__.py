"""What the rig does to the cluster as the outside world does, and what must come of it."""

from torture.load.driver import Load, NotSettled
from torture.load.history import History
from torture.load.oracle import Oracle
from torture.load.world import World

__all__ = ["History", "Load", "NotSettled", "Oracle", "World"]
