"""What is found when a day turns: short payments, discounts taken too late, money left over (PAY-08, PAY-09)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from asyncpg import Record
from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact
from events.fact import Event
from events.payment import OverpaymentDetected, ShortPaymentDetected, UnearnedDiscountTaken
from money import format_minor

from payment.domain.findings import Early, PartPaid, Short, Unearned, judge
from payment.handlers.in_force import load_policies
from payment.handlers.kept import early_from_json, lines_about
from payment.handlers.loading import invoices_named
from payment.handlers.spreading import divide
from payment.queries import findings as queries
from payment.queries.findings import NewFinding

ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Found:
    """A finding to keep, and the fact to tell it by."""

    kept: NewFinding
    fact: Fact


async def find_accounts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted and greater than `after`, where something may be found when `day` starts."""
    return await queries.find_accounts(db, entity, day, day - ONE_DAY, after, limit)


async def tell_findings(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Say what the day before `day` left to be looked at on these accounts, by the books as it closed and the policies it was booked under.

    An item is told of once for a receipt: the latest, by its value date, of those that name it and were placed on it on that day. One that
    was paid in part while it can earn a discount waits until it cannot.
    """
    closed_on = day - ONE_DAY
    left_open = {one.item_id: one for one in await queries.close_windows(db, entity, accounts, day)}
    left_open |= {one.item_id: one for one in await queries.find_paid(db, entity, accounts, closed_on)}
    found = await _judge(db, entity, await queries.load_part_paid(db, list(left_open.values())), day) if left_open else []
    found += await _left_over(db, entity, await queries.find_left_over(db, entity, accounts, closed_on), closed_on)
    await queries.insert(db, [one.kept for one in found])
    return [one.fact for one in found]


FINDING: Final = DayWork(find_accounts, tell_findings)
"""The part of a turning day in which the payments of the day that closed are looked at."""


async def _judge(db: Connection, entity: str, rows: Sequence[Record], day: date) -> list[Found]:
    closed_on = day - ONE_DAY
    policy = (await load_policies(db, {entity: closed_on}))[entity]
    found: list[Found] = []
    waiting: list[tuple[int, date]] = []
    for row in rows:
        match judge(_part_paid(row), day, policy):
            case Early(until_on):
                waiting.append((row["item_id"], until_on))
            case Short(code):
                short = ShortPaymentDetected(**_of_item(entity, row), deduction_code=code)
                found.append(_found(entity, row, short, queries.SHORT_PAYMENT, closed_on, {"deduction_code": code}))
            case Unearned(until_on):
                unearned = UnearnedDiscountTaken(**_of_item(entity, row), until_on=until_on)
                found.append(_found(entity, row, unearned, queries.UNEARNED_DISCOUNT, closed_on, {"until_on": until_on}))
            case None:
                pass
    await queries.wait_for_window(db, waiting)
    return found


async def _left_over(db: Connection, entity: str, rows: Sequence[Record], closed_on: date) -> list[Found]:
    """
    Tell of what is left over of receipts that name invoices; what names nothing is not paid too much of anything.

    Nor is what goes to documents of other accounts this very morning.
    """
    named = await invoices_named(db, rows)
    divided = await divide(db, entity, [row["bank_ref"] for row in rows], closed_on + ONE_DAY)
    going = {one.receipt_id: sum(share.amount_minor for share in one.shares) for one in divided}
    found = []
    for row in rows:
        numbers = [one.document_no for one in named.get(row["id"], ())]
        over_minor = row["amount_minor"] - going.get(row["id"], 0)
        if not numbers or over_minor <= 0:
            continue
        over = OverpaymentDetected(
            entity=entity,
            receipt=f"{entity}|{row['bank_ref']}",
            account=row["account"],
            currency=row["currency"],
            amount=format_minor(over_minor, row["currency"]),
            references=numbers,
        )
        kept = NewFinding(
            entity=entity,
            kind=queries.OVERPAYMENT,
            account_id=row["account_id"],
            receipt_id=row["id"],
            item_id=None,
            amount_minor=over_minor,
            found_on=closed_on,
            named=numbers,
        )
        found.append(Found(kept, Fact(over, entity, f"{entity}|{row['account']}", effective_on=closed_on)))
    return found


def _part_paid(row: Record) -> PartPaid:
    early = row["early"] and early_from_json(row["early"])
    return PartPaid(
        n=row["n"],
        currency=row["currency"],
        open_minor=row["open_minor"],
        effective_on=row["effective_on"],
        early=early.of(row["total_minor"], row["discounted_minor"], row["relieved_minor"]) if early else None,
        item_before_minor=row["open_minor"] + row["own_minor"],
        document_before_minor=row["document_open_minor"] + row["document_own_minor"],
        lines=lines_about(row["stated"], row["document_no"]) if row["stated"] else (),
    )


def _of_item(entity: str, row: Record) -> dict[str, Any]:
    """Return what both facts about an item and a receipt say of them."""
    invoice = f"{entity}|{row['document_no']}"
    return {
        "entity": entity,
        "receipt": f"{entity}|{row['bank_ref']}",
        "item": f"{invoice}|{row['n']}",
        "invoice": invoice,
        "customer": row["customer"],
        "account": row["account"],
        "currency": row["currency"],
        "due_on": row["due_on"],
        "amount": format_minor(row["open_minor"], row["currency"]),
    }


def _found(entity: str, row: Record, event: Event, kind: str, closed_on: date, more: Mapping[str, Any]) -> Found:
    kept = NewFinding(
        entity=entity,
        kind=kind,
        account_id=row["account_id"],
        receipt_id=row["receipt_id"],
        item_id=row["item_id"],
        amount_minor=row["open_minor"],
        found_on=closed_on,
        **more,
    )
    return Found(kept, Fact(event, entity, f"{entity}|{row['account']}", effective_on=closed_on))
