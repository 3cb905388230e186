"""The HTTP side of a service: what `routes.py` imports. Nothing a worker runs may import this package, for it brings FastAPI."""

from chassis.http.auth import Principal
from chassis.http.commands import Command, CommandDep, PrincipalDep
from chassis.http.edge import ClockDep, EntitiesDep, ReaderDep
from chassis.http.problems import Problem

__all__ = ["ClockDep", "Command", "CommandDep", "EntitiesDep", "Principal", "PrincipalDep", "Problem", "ReaderDep"]
