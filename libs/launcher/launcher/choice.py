"""
Which Kafka and which Postgres: those given in the environment, containers when asked for, else processes of our own.

RECEIVABLES_SERVERS says what is allowed: `auto` (given, else local), `given`, `docker` (given, else Docker where the engine answers, else
local), `local`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from launcher import docker
from launcher.trouble import Trouble

SWITCH = "RECEIVABLES_SERVERS"
KAFKA_GIVEN = "RECEIVABLES_KAFKA"
POSTGRES_GIVEN = "RECEIVABLES_POSTGRES"


class Way(StrEnum):
    """How we come by a server."""

    GIVEN = "given"
    DOCKER = "docker"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Choice:
    """The way for each server, and the one line that says why."""

    kafka: Way
    postgres: Way
    line: str


def choose(environment: Mapping[str, str]) -> Choice:
    """
    Decide by the environment alone and, when Docker is asked for, by the engine's answer.

    :raises Trouble: the switch has an unknown value, or says `given` and an address is missing.
    """
    switch = environment.get(SWITCH, "auto")
    if switch not in ("auto", "given", "docker", "local"):
        raise Trouble(f"{SWITCH}={switch} is not one of auto, given, docker, local.")
    given = {name for name in (KAFKA_GIVEN, POSTGRES_GIVEN) if environment.get(name) and switch != "local"}
    if switch == "given" and len(given) < 2:
        missing = " and ".join(sorted({KAFKA_GIVEN, POSTGRES_GIVEN} - given))
        raise Trouble(f"{SWITCH}=given needs {missing}: host:port of a broker, postgresql://… of a superuser.")
    rest, why = _rest(switch, environment)
    kafka = Way.GIVEN if KAFKA_GIVEN in given else rest
    postgres = Way.GIVEN if POSTGRES_GIVEN in given else rest
    reasons = [f"{name} is set" for name in sorted(given)] + ([why] if len(given) < 2 else [])
    return Choice(kafka, postgres, f"servers: Kafka {kafka}, PostgreSQL {postgres} ({'; '.join(reasons)})")


def _rest(switch: str, environment: Mapping[str, str]) -> tuple[Way, str]:
    """Decide for the servers that were not given, with the reason."""
    if switch == "docker":
        silent = docker.engine_silent_because(environment)
        return (Way.DOCKER, f"{SWITCH}=docker and the engine answers") if silent is None else (Way.LOCAL, f"{SWITCH}=docker but {silent}")
    return Way.LOCAL, f"{SWITCH}=local" if switch == "local" else f"{SWITCH} is not set, so local processes"
