"""The five services as they are composed: who listens to what, asked of the code itself."""

from collections.abc import Mapping
from importlib import import_module

from chassis.service import Service
from events import kind_of

SERVICES = ("invoice", "payment", "credit", "dunning", "reporting")


def services() -> dict[str, Service]:
    """
    Import every service's composition, by name.

    :raises TypeError: a service's `app` has no `SERVICE`.
    """
    found = {}
    for name in SERVICES:
        service = getattr(import_module(f"{name}.app"), "SERVICE", None)
        if not isinstance(service, Service):
            raise TypeError(f"{name}.app has no SERVICE")
        found[name] = service
    return found


def consumers(composed: Mapping[str, Service]) -> dict[str, list[str]]:
    """Return the services that listen to each fact, by wire name, in the order the services are declared."""
    heard: dict[str, list[str]] = {}
    for name, service in composed.items():
        for event in service.subscriptions.handlers:
            heard.setdefault(kind_of(event).type, []).append(name)
    return heard
