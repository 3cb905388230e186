"""The kinds of faults there are."""

from collections.abc import Sequence
from typing import Final

from torture.nemesis import messages, network, processes, servers
from torture.nemesis.kind import Kind, Strike, Wanted
from torture.rig.cluster import INSTANCES

SERVICES: Final = ("invoice", "payment", "credit", "dunning", "reporting")
DOMAIN_TOPICS: Final = ("receivables.invoice", "receivables.payment", "receivables.credit", "receivables.collections")
_TO_KAFKA: Final = tuple(f"{instance}:kafka" for instance in INSTANCES)
_TO_POSTGRES: Final = tuple(f"{instance}:postgres" for instance in INSTANCES)
_LINKS: Final = (*_TO_KAFKA, *_TO_POSTGRES)


def _network(name: str, says: str, strike: Strike, targets: Sequence[str] = _LINKS, weight: int = 2) -> Kind:
    return Kind(f"network_{name}", says, strike, targets, (1.0, 4.0), (1.0, 30.0), weight)


_ALL: Final = (
    Kind("service_killed", "SIGKILL of a service, its relay and its consumer", processes.kill, INSTANCES, (0.2, 2), (0.2, 4), 10),
    Kind("service_stopped", "SIGSTOP past the session, then SIGCONT: a zombie", processes.stop_and_wake, INSTANCES, (3, 5), (5, 60), 5),
    Kind("service_told_to_stop", "SIGTERM under load: exit 0 within 20 s", processes.terminate, INSTANCES, (0.1, 1), (0.1, 2), 5),
    Kind("service_dies_inside", "a failpoint kills the process mid-protocol", processes.die_inside, INSTANCES, (4, 6), (4, 10), 10),
    Kind("processors_taken", "busy neighbours at a higher priority", processes.starve, ("machine",), (2, 4), (5, 15), 2),
    Kind("broker_killed", "SIGKILL of Kafka", servers.kill, ("kafka",), (0.2, 1), (0.2, 4), 4, is_alone=True),
    Kind("broker_stopped", "SIGSTOP of Kafka: clients hang", servers.stop_and_wake, ("kafka",), (3, 5), (10, 60), 2),
    Kind("broker_down", "Kafka stopped and away", servers.take_down, ("kafka",), (5, 8), (20, 60), 2),
    Kind(
        "broker_down_long", "Kafka away for five minutes", servers.take_down, ("kafka",), (300, 300), (300, 300), 1, 1, Wanted.IN_LONG_RUNS
    ),
    Kind("postgres_killed", "SIGKILL of Postgres", servers.kill, ("postgres",), (0.1, 1), (0.1, 4), 4, is_alone=True),
    Kind("postgres_down", "Postgres stopped and away", servers.take_down, ("postgres",), (2, 4), (5, 30), 3),
    Kind("backends_killed", "some connections to a database ended", servers.kill_backends, SERVICES, (0.1, 0.2), (0.1, 0.5), 6),
    Kind("locks_held", "an operator's session holds the rows everybody needs", servers.hold_locks, SERVICES, (2, 4), (5, 20), 4),
    Kind(
        "disk_full_kafka", "no room for the log", servers.fill_disk, ("kafka",), (3, 5), (5, 20), 2, 4, Wanted.ON_SMALL_DISKS, is_alone=True
    ),
    Kind(
        "disk_full_postgres",
        "no room for data and WAL",
        servers.fill_disk,
        ("postgres",),
        (3, 5),
        (5, 20),
        2,
        4,
        Wanted.ON_SMALL_DISKS,
        is_alone=True,
    ),
    Kind("poison", "records nobody can use", messages.poison, ("wire",), (0.1, 0.5), (0.1, 1), 6),
    Kind("facts_published_again", "a stretch of a domain topic twice", messages.publish_again, DOMAIN_TOPICS, (0.1, 0.5), (0.1, 1), 4),
    Kind(
        "group_forgets",
        "group offsets back to 0",
        messages.forget_offsets,
        ("invoice", "payment"),
        (0.1, 1),
        (0.1, 2),
        2,
        touches=INSTANCES,
        is_alone=True,
    ),
    Kind("rebalance_storm", "a member comes and goes every 2 s", messages.storm, ("invoice", "payment"), (6, 8), (20, 60), 2),
    Kind("redriven", "an operator redrives all that is set aside", messages.redrive, SERVICES[1:], (0.1, 0.5), (0.1, 1), 4),
    _network("slow", "latency", network.slow),
    _network("narrow", "little bandwidth", network.narrow),
    _network("in_crumbs", "a few bytes at a time", network.in_crumbs),
    _network("deaf", "answers vanish", network.deaf),
    _network("mute", "requests vanish", network.mute),
    _network("cut_off", "both vanish", network.cut_off),
    _network("refused", "connections refused", network.refused, weight=4),
    _network("reset", "every connection reset", network.reset, weight=4),
    _network("reset_soon", "reset after n bytes", network.reset_soon),
    _network("half_open", "the server has left, the client was not told", network.half_open),
    _network("commit_lost", "COMMIT never arrives", network.commit_lost, _TO_POSTGRES, weight=5),
    _network("commit_unheard", "COMMIT applied, answer lost", network.commit_unheard, _TO_POSTGRES, weight=5),
    _network("produce_lost", "Produce never arrives", network.produce_lost, SERVICES[:4], weight=4),
    _network("produce_unheard", "Produce appended, answer lost", network.produce_unheard, SERVICES[:4], weight=5),
)

KINDS: Final = {kind.name: kind for kind in _ALL}
