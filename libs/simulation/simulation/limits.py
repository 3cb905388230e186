"""The limits of the chassis made small for a run, so that a few facts meet them; logs off, because a run would spend its time writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from chassis import consumer, intake, relay, turning

_SMALL = (
    (intake, "RECORDS_MAX", 8),
    (consumer, "RECORDS_MAX", 8),
    (relay, "ROWS_MAX", 5),
    (turning, "ACCOUNTS_AT_ONCE", 1),
)


def _say_nothing(logger: object, name: str, event: Any) -> Any:
    raise structlog.DropEvent


@contextmanager
def small() -> Iterator[None]:
    """Make limits small and be silent; all as before at the end."""
    before = [(module, name, getattr(module, name)) for module, name, _ in _SMALL]
    logs = structlog.get_config()
    structlog.configure(processors=[_say_nothing])
    for module, name, value in _SMALL:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
        structlog.configure(**logs)
