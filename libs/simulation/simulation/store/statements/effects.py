"""Statements of the simulated services."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import asyncpg

from simulation import services
from simulation.store.session import Row, Session, Waiting
from simulation.store.statements.registry import statement


@statement(services.NOTE_EFFECTS)
def note_effects(tx: Session, *columns: Sequence[Any]) -> None:
    names = ("said", "topic", "key", "sequence", "entity", "account", "ref", "amount", "booked_on", "handled_on")
    for values in zip(*columns, strict=True):
        id = tx.store.next_id("effect")
        tx.put("effect", id, {"id": id, **dict(zip(names, values, strict=True))})


@statement(services.ARE_THERE)
def are_there(tx: Session, refs: Sequence[str]) -> list[Row]:
    return [{"ref": ref} for ref in sorted({row["ref"] for row in tx.rows("effect") if row["ref"] in refs})]


@statement(services.ACCOUNTS)
def accounts_after(tx: Session, entity: str, after: str, limit: int) -> list[Row]:
    found = {row["account"] for row in _of(tx, entity) if row["account"] > after}
    return [{"account": account} for account in sorted(found)[:limit]]


@statement(services.SUM_UP)
def sum_up(tx: Session, entity: str, accounts: Sequence[str]) -> list[Row]:
    totals: dict[str, int] = {}
    for row in _of(tx, entity):
        if row["account"] in accounts:
            totals[row["account"]] = totals.get(row["account"], 0) + row["amount"]
    return [{"account": account, "total": total} for account, total in sorted(totals.items())]


@statement(services.NOTE_WORK)
def note_work(tx: Session, entity: str, day: date, accounts: Sequence[str], totals: Sequence[int]) -> Waiting:
    for account, total in zip(accounts, totals, strict=True):
        if (yield from tx.lock("work", (entity, day, account))) is not None:
            raise asyncpg.exceptions.UniqueViolationError('duplicate key value violates unique constraint "work_pkey"')
        tx.put("work", (entity, day, account), {"entity": entity, "day": day, "account": account, "total": total})


def _of(tx: Session, entity: str) -> Iterable[Row]:
    return (row for row in tx.rows("effect") if row["entity"] == entity)
