"""What must be so: at every commit, at every record appended, and at rest. Sentences about what is not go to `World.breaks`."""

from collections.abc import Mapping, Sequence
from datetime import date

from chassis.service import Service

from simulation.checks.commits import CommitWatch
from simulation.checks.log import LogWatch
from simulation.checks.rest import Rest
from simulation.kafka.broker import Broker
from simulation.messages import Told
from simulation.store.session import Store
from simulation.world import World

__all__ = ["Checks"]


class Checks:
    """Watches every database and every topic of one run."""

    def __init__(self, world: World, stores: Mapping[str, Store], broker: Broker, services: Mapping[str, Service]) -> None:
        self._world = world
        self._stores = stores
        self._broker = broker
        self._services = services
        self.log = LogWatch(world)
        broker.watchers.append(self.log.look)
        for store in stores.values():
            store.watchers.append(CommitWatch(world, store).look)

    def at_rest(self, told: Sequence[Told], last_day: date, *, awaits_feedback: bool) -> None:
        """Look at everything once nothing is left to do."""
        Rest(self._world, self._stores, self._broker, self._services, self.log, awaits_feedback=awaits_feedback).look(told, last_day)
