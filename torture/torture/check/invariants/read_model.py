"""M9, R2: the read model and its answers are a fold of the log."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

from torture.check.answers import BUCKETS, Aging, AgingRow
from torture.check.books import AccountDelta, CubeDelta, ReportedReceipt
from torture.check.evidence import Evidence
from torture.check.finding import Finding
from torture.check.folded import CubeKey, Folded
from torture.check.rows import Day

_BUCKET_DAYS = (0, 30, 60, 90)
_LEFT = ("reversed", "refunded", "transferred")
"""Measures of money that left its account: it does not stand there any more."""


def m9_aging_is_what_the_checker_ages(evidence: Evidence) -> Iterator[Finding]:
    """M9: reporting's answers on aging, bucket by bucket, against items aged here as of the same day and known at the same day."""
    late = late_entities(evidence)
    for answer in evidence.aging:
        where = f"aging {answer.entity} as of {answer.as_of} known at {answer.known_at}"
        for row in answer.rows:
            if sum(row.buckets_minor) != row.open_minor:
                yield Finding("M9", where, f"{row.account}: the buckets {row.buckets_minor} do not add up to {row.open_minor}")
        if answer.known_at is not None and answer.entity in late:
            continue  # A late fact is known there later than the day it carries.
        said = {(row.account, row.currency): row for row in answer.rows}
        told = {(row.account, row.currency): row for row in aged(evidence.folded, answer)}
        for owner in sorted(said.keys() | told.keys()):
            if said.get(owner) != told.get(owner):
                yield Finding("M9", where, f"{said.get(owner)}, the log says {told.get(owner)}")


def late_entities(evidence: Evidence) -> set[str]:
    """Return the entities of which something came to reporting when its day had closed there."""
    return {day.entity for day in evidence.books.rows("reporting", Day) if day.late}


def aged(folded: Folded, asked: Aging) -> Iterator[AgingRow]:
    """Age what the facts say for an entity, as of a day, known at a day; accounts that are all zero are left out."""
    buckets: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(BUCKETS))
    others: dict[tuple[str, str, str], int] = defaultdict(int)
    for (entity, account, currency, measure, due_on, effective_on, booked_on), minor in folded.cube.items():
        if entity != asked.entity or account is None or effective_on > asked.as_of:
            continue
        if asked.known_at is not None and booked_on > asked.known_at:
            continue
        owner = account, currency
        if measure in _LEFT:
            continue
        if due_on is not None:
            buckets[owner][bucket_of(asked.as_of, due_on)] += minor
        else:
            others[*owner, "unapplied" if measure == "unapplied" else "on_account"] += minor
    for owner in {*buckets, *(key[:2] for key in others)}:
        split, unapplied, on_account = tuple(buckets[owner]), others[*owner, "unapplied"], others[*owner, "on_account"]
        if any((*split, unapplied, on_account)):
            yield AgingRow(*owner, split, sum(split), unapplied, on_account)


def bucket_of(as_of: date, due_on: date) -> int:
    """Return the place of the bucket an item is in: not due, up to 30, 60, 90 days past due, more."""
    days_past_due = (as_of - due_on).days
    return sum(days_past_due > days for days in _BUCKET_DAYS)


def r2_the_read_model_is_a_fold_of_the_log(evidence: Evidence) -> Iterator[Finding]:
    """R2: reporting's cube, its deltas by account and its notices are what the checker folds from the log, row by row."""
    late = late_entities(evidence)
    cube: dict[CubeKey, int] = defaultdict(int)
    by_account: dict[CubeKey, int] = {}
    for (entity, account, currency, measure, due_on, effective_on, booked_on), minor in evidence.folded.cube.items():
        cube[entity, None, currency, measure, due_on, effective_on, booked_on] += minor
        if account is not None:
            by_account[entity, account, currency, measure, due_on, effective_on, booked_on] = minor
    cube_rows: dict[CubeKey, int] = {
        (row.entity, None, row.currency, row.measure, row.due_on, row.effective_on, row.booked_on): row.delta_minor
        for row in evidence.books.rows("reporting", CubeDelta)
    }
    account_rows: dict[CubeKey, int] = {
        (row.entity, row.account, row.currency, row.measure, row.due_on, row.effective_on, row.booked_on): row.delta_minor
        for row in evidence.books.rows("reporting", AccountDelta)
    }
    for name, said, told in (("cube", cube_rows, cube), ("account_delta", account_rows, by_account)):
        had, should = _undated(said, late), _undated(told, late)
        for key in had.keys() | should.keys():
            if had.get(key, 0) != should.get(key, 0):
                what = f"{had.get(key, 0)} minor units, the log says {should.get(key, 0)}"
                yield Finding("R2", f"reporting {name} {'|'.join(map(str, key))}", what)


def r2_receipts_in_the_read_model_are_a_fold_of_the_log(evidence: Evidence) -> Iterator[Finding]:
    """R2: so is what it keeps of every receipt, from which it says how well money was matched."""
    said = {
        one.receipt: (one.entity, one.currency, one.received_minor, one.applied_minor, one.free_minor)
        for one in evidence.books.rows("reporting", ReportedReceipt)
    }
    told = {
        name: (one.entity, one.currency, one.amount_minor - one.returned_minor - one.transferred_minor, one.applied_minor, one.free_minor)
        for name, one in evidence.folded.receipts.items()
    }
    for name in sorted(said.keys() | told.keys()):
        if said.get(name) != told.get(name):
            yield Finding("R2", f"reporting {name}", f"{said.get(name)}, the log says {told.get(name)}")


def _undated(deltas: Mapping[CubeKey, int], late: set[str]) -> Mapping[CubeKey, int]:
    """Leave out the booked day for entities in which something came late: it was known later than it says."""
    sums: dict[CubeKey, int] = defaultdict(int)
    for (entity, account, currency, measure, due_on, effective_on, booked_on), minor in deltas.items():
        known_on = date.min if entity in late else booked_on
        sums[entity, account, currency, measure, due_on, effective_on, known_on] += minor
    return sums
