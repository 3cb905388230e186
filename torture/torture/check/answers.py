"""What the services answered over HTTP when the checker asked: figures of reports, and commands sent once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from torture.check.amounts import minor_of
from torture.check.expected import Command

CHECKER: Final = "CHECKER"
"""The account of what the checker itself has done; the oracle knows nothing of it."""
BUCKETS: Final = ("current", "1-30", "31-60", "61-90", "90+")


@dataclass(frozen=True, slots=True)
class AgingRow:
    """One account in one currency; `buckets_minor` in the order of `BUCKETS`, `on_account_minor` with the open credit of memos."""

    account: str
    currency: str
    buckets_minor: tuple[int, ...]
    open_minor: int
    unapplied_minor: int
    on_account_minor: int


@dataclass(frozen=True, slots=True)
class Aging:
    """An answer of `GET /v1/aging?by=customer`; `known_at` is None where everything known counts."""

    entity: str
    as_of: date
    known_at: date | None
    rows: Sequence[AgingRow]

    @classmethod
    def of(cls, entity: str, as_of: date, known_at: date | None, body: Mapping[str, Any]) -> "Aging":
        """
        Read an answer.

        :raises KeyError, AmountUnreadable: it is not what it should be.
        """
        return cls(entity, as_of, known_at, [_row(row) for row in body["rows"]])


def _row(row: Mapping[str, Any]) -> AgingRow:
    currency = row["currency"]
    return AgingRow(
        account=row["customer"],
        currency=currency,
        buckets_minor=tuple(minor_of(row["buckets"][name], currency) for name in BUCKETS),
        open_minor=minor_of(row["open"], currency),
        unapplied_minor=minor_of(row["unapplied"], currency),
        on_account_minor=minor_of(row["on_account"], currency),
    )


@dataclass(frozen=True, slots=True)
class Replay:
    """
    A command that was acknowledged, sent once more under its key, and once with another body.

    `status` and `answer` are what came back for the same, `altered_status` for the other body.
    """

    command: Command
    status: int
    answer: bytes
    altered_status: int


@dataclass(frozen=True, slots=True)
class Rush:
    """
    One new command sent many times at once: the statuses, the distinct bodies of 2xx answers, and how many effects it had.

    Those told 409 (still at work) asked again until they had an answer.
    """

    key: str
    statuses: Sequence[int]
    answers: frozenset[bytes]
    effects: int
