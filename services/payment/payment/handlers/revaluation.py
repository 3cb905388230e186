"""Open items in another currency than the entity's are valued anew when a period ends (PAY-13, RPT-08)."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import structlog
from asyncpg import Record
from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact
from events.payment import FxRevalued
from money import format_minor
from policies.queries import load_in_force
from policies.versions import in_force

from payment.domain import Worth
from payment.domain.policies import REVALUATION
from payment.domain.rates import SPOT
from payment.domain.revaluation import Revalued, period_ended, revalue
from payment.queries import findings, rates
from payment.queries import revaluation as queries
from payment.queries.findings import NewFinding
from payment.queries.rates import RateFound, RateWanted
from payment.queries.revaluation import NewRevaluation

CLOSING: Final = "closing"

_log = structlog.get_logger("payment.revaluation")


async def find_accounts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted and greater than `after`, with items to value when `day` starts; none where no period has ended."""
    return await queries.find_accounts(db, entity, after, limit) if await _period_ended(db, entity, day) else []


async def revalue_items(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Value the open items of these accounts in another currency at the rate of the day before `day`, where a period ended on that.

    An item that there is no rate for is told as a finding, and nothing is published of it.
    """
    period_end_on = await _period_ended(db, entity, day)
    items = await queries.load_items(db, entity, accounts) if period_end_on else []
    if period_end_on is None or not items:
        return []
    own_currency = batch.entities.by_id[entity].currency
    found = await _load_rates(db, entity, {row["currency"] for row in items}, period_end_on, day)
    without = [row for row in items if row["currency"] not in found]
    if without:
        _log.warning("revaluation.rate_missing", entity=entity, period_end_on=str(period_end_on), items=len(without))
        await findings.insert(db, [_missing(entity, row, period_end_on) for row in without])
    valued = [(row, found[row["currency"]], _revalue(row, own_currency, found)) for row in items if row["currency"] in found]
    await queries.insert(db, [_kept(row, rate, revalued, period_end_on) for row, rate, revalued in valued])
    return [_told(entity, row, rate, revalued, own_currency, period_end_on) for row, rate, revalued in valued]


REVALUING: Final = DayWork(find_accounts, revalue_items)
"""The part of a turning day in which a period that ended is valued."""


async def _period_ended(db: Connection, entity: str, day: date) -> date | None:
    """Return the last day of a period that ends before `day`, by the policy that was approved before it, for what is dated that day."""
    last_on = day - timedelta(days=1)
    versions = await load_in_force(db, REVALUATION.name, [entity], {entity: day})
    period, _ = REVALUATION.read(in_force(versions.get(entity, ()), last_on))
    return period_ended(period, day)


async def _load_rates(db: Connection, entity: str, currencies: set[str], period_end_on: date, day: date) -> dict[str, RateFound]:
    """Return the rates of a period's end by currency: the closing rate of that month, else the latest spot rate, published before `day`."""
    wanted = {RateWanted(entity, currency, period_end_on, type_) for currency in currencies for type_ in (CLOSING, SPOT)}
    found = await rates.load_rates(db, wanted, {entity: day})
    by_currency = {}
    for currency in currencies:
        closing, spot = (found.get(RateWanted(entity, currency, period_end_on, type_)) for type_ in (CLOSING, SPOT))
        rate = closing if closing is not None and closing.rate_on >= period_end_on.replace(day=1) else spot
        if rate is not None:
            by_currency[currency] = rate
    return by_currency


def _revalue(row: Record, own_currency: str, found: Mapping[str, RateFound]) -> Revalued:
    currency = row["currency"]
    return revalue(Worth(row["total_minor"], row["base_minor"]), row["open_minor"], currency, own_currency, found[currency].rate)


def _kept(row: Record, rate: RateFound, revalued: Revalued, period_end_on: date) -> NewRevaluation:
    return NewRevaluation(
        item_id=row["id"],
        period_end_on=period_end_on,
        open_minor=row["open_minor"],
        carrying_minor=revalued.carrying_minor,
        revalued_minor=revalued.revalued_minor,
        rate=rate.rate,
        rate_on=rate.rate_on,
    )


def _missing(entity: str, row: Record, period_end_on: date) -> NewFinding:
    return NewFinding(
        entity=entity,
        kind=findings.RATE_MISSING,
        account_id=row["account_id"],
        receipt_id=None,
        item_id=row["id"],
        amount_minor=row["open_minor"],
        found_on=period_end_on,
    )


def _told(entity: str, row: Record, rate: RateFound, revalued: Revalued, own_currency: str, period_end_on: date) -> Fact:
    invoice = f"{entity}|{row['document_no']}"
    data = FxRevalued(
        entity=entity,
        item=f"{invoice}|{row['n']}",
        invoice=invoice,
        customer=row["customer"],
        account=row["account"],
        item_currency=row["currency"],
        open=format_minor(row["open_minor"], row["currency"]),
        currency=own_currency,
        carrying=format_minor(revalued.carrying_minor, own_currency),
        revalued=format_minor(revalued.revalued_minor, own_currency),
        gain=format_minor(revalued.gain_minor, own_currency),
        loss=format_minor(revalued.loss_minor, own_currency),
        rate=rate.rate,
        rate_on=rate.rate_on,
        period_end_on=period_end_on,
        reverses_on=period_end_on + timedelta(days=1),
    )
    return Fact(data, entity, f"{entity}|{row['account']}", effective_on=period_end_on)
