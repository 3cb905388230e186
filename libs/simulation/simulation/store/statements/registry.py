"""Statements by their text."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

Statement: TypeAlias = Callable[..., Any]
"""Takes a session and the arguments; returns rows (or nothing), or is a generator that waits for locks and then does."""

_by_folded: dict[str, Statement] = {}
_by_text: dict[str, Statement] = {}


class UnknownStatement(Exception):
    """The chassis asks something the simulated Postgres was not taught."""


def statement(*texts: str) -> Callable[[Statement], Statement]:
    """Teach the simulation what a statement does, under every spelling given."""

    def teach(does: Statement) -> Statement:
        for text in texts:
            if _by_folded.setdefault(_fold(text), does) is not does:
                raise ValueError(f"taught twice: {_fold(text)}")
        return does

    return teach


def statement_of(text: str) -> Statement:
    """
    Find a statement by its text.

    :raises UnknownStatement: nobody has taught it.
    """
    found = _by_text.get(text)
    if found is None:
        found = _by_folded.get(_fold(text))
        if found is None:
            raise UnknownStatement(f"teach the simulation: {_fold(text)}")
        _by_text[text] = found
    return found


def taught() -> Mapping[str, Statement]:
    """Every statement by its folded text."""
    return MappingProxyType(_by_folded)


def _fold(text: str) -> str:
    return " ".join(text.split())
