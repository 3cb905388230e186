"""Folds: each fact adds deltas to the read model. Nothing is decided here and nothing is published."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events import dunning, erp, invoice, payment
from events.fact import Event
from events.ingress import check_identifier
from money import parse_minor

from reporting.domain import (
    CHARGED,
    CREDITED,
    INVOICED,
    MEMO,
    ON_ACCOUNT,
    SETTLED,
    UNAPPLIED,
    UNIDENTIFIED,
    VOIDED,
    WRITTEN_OFF,
    Deltas,
    Posting,
)
from reporting.queries import closings, folds, gathering

ALL_ACCOUNTS: Final = "*"
"""Stands for an account where a day's work is asked for: the closing is one statement over all of them."""
LATE_CHARGE: Final = "late_charge"
"""The `origin` of documents that late charges were posted by."""
ONE_DAY: Final = timedelta(days=1)


async def fold_money(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
    """
    Add what documents, voids, receipts, applications and adjustments say to items, accounts and the cube.

    The facts commute: an application may come before its item, which then stands with a negative open amount until it is issued.

    :raises money.AmountRefused: an amount is not one of its currency; money.CurrencyUnknown likewise. Both park the fact.
    """
    deltas = _folded(facts)
    await folds.add_to_items(db, deltas.items, folded_at=batch.now)
    await folds.add_to_accounts(db, deltas.accounts)
    await folds.add_to_cube(db, deltas.cube)  # Last: its rows are shared by all accounts, so their locks are held shortest.
    return []


async def record_notices(db: Connection, facts: Sequence[Received[dunning.DunningNoticeSent]], batch: Batch) -> list[Fact]:
    """Keep which dunning level an account was told, and when."""
    await folds.save_notices(db, facts)
    return []


async def name_customers(db: Connection, facts: Sequence[Received[erp.CustomerUpserted]], batch: Batch) -> list[Fact]:
    """Keep the names that the page shows; of several, the last one of the customer's partition counts. What cannot be a key is refused."""
    names: dict[tuple[str, str], str] = {}
    for fact in facts:
        reasons = batch.entities.reasons_against(fact.entity, fact.envelope)
        if reason := check_identifier("customer", fact.data.customer):
            reasons.append(reason)
        if reasons:
            batch.refuse(fact, reasons)
        else:
            names[fact.entity, fact.data.customer] = fact.data.name
    await folds.save_names(db, names)
    return []


async def books_to_close(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Say that there is one piece of work when `day` starts: to close the day before, for all accounts at once."""
    return [] if after else [ALL_ACCOUNTS]


async def close_books(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """Keep what the books stood at on the day before `day`, so that reports need not add up what no longer changes."""
    await closings.close(db, entity, day - ONE_DAY)
    return []


async def gather(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> None:
    """Keep what facts add to a read model that is being made anew; `add_up` makes it of that."""
    await gathering.gather(db, _folded([fact for fact in facts if type(fact.data) in FOLDS]))
    if notices := [fact for fact in facts if type(fact.data) is dunning.DunningNoticeSent]:
        await folds.save_notices(db, notices)


def _folded(facts: Sequence[Received[Any]]) -> Deltas:
    deltas = Deltas()
    for fact in facts:
        FOLDS[type(fact.data)](deltas, fact)
    return deltas


def _posting(fact: Received[Any], account: str | None) -> Posting:
    return Posting(fact.entity, account, fact.data.currency, fact.effective_on, fact.booked_on)


def _billed(deltas: Deltas, fact: Received[invoice.Billed]) -> None:
    to, measure = _posting(fact, fact.data.account), CHARGED if fact.data.origin == LATE_CHARGE else INVOICED
    for part in fact.data.instalments:
        item = f"{fact.data.invoice}|{part.n}"
        deltas.issue(to, item, fact.data.customer, part.due_on, parse_minor(part.amount, fact.data.currency), measure)


def _voided(deltas: Deltas, fact: Received[invoice.InvoiceVoided]) -> None:
    to, measure = _posting(fact, fact.data.account), CHARGED if fact.data.origin == LATE_CHARGE else VOIDED
    for part in fact.data.instalments:
        item = f"{fact.data.invoice}|{part.n}"
        deltas.settle(to, measure, item, fact.data.customer, part.due_on, parse_minor(part.amount, fact.data.currency))


def _credit_memo_issued(deltas: Deltas, fact: Received[invoice.CreditMemoIssued]) -> None:
    deltas.post(_posting(fact, fact.data.account), MEMO, parse_minor(fact.data.total, fact.data.currency))


def _payment_received(deltas: Deltas, fact: Received[payment.PaymentReceived]) -> None:
    measure = UNIDENTIFIED if fact.data.account is None else UNAPPLIED
    deltas.post(_posting(fact, fact.data.account), measure, parse_minor(fact.data.amount, fact.data.currency))


def _payer_identified(deltas: Deltas, fact: Received[payment.PayerIdentified]) -> None:
    minor = parse_minor(fact.data.amount, fact.data.currency)
    deltas.post(_posting(fact, None), UNIDENTIFIED, -minor)
    deltas.post(_posting(fact, fact.data.account), UNAPPLIED, minor)


def _payer_unknown(deltas: Deltas, fact: Received[payment.PayerUnknown]) -> None:
    minor = parse_minor(fact.data.amount, fact.data.currency)
    deltas.post(_posting(fact, fact.data.account), UNAPPLIED, -minor)
    deltas.post(_posting(fact, None), UNIDENTIFIED, minor)


def _payment_applied(deltas: Deltas, fact: Received[payment.PaymentApplied]) -> None:
    _settle(deltas, fact, SETTLED, UNAPPLIED, parse_minor(fact.data.amount, fact.data.currency))


def _credit_applied(deltas: Deltas, fact: Received[payment.CreditApplied]) -> None:
    _settle(deltas, fact, CREDITED, MEMO, parse_minor(fact.data.amount, fact.data.currency))


def _application_reversed(deltas: Deltas, fact: Received[payment.ApplicationReversed]) -> None:
    measure, source = (SETTLED, UNAPPLIED) if fact.data.memo is None else (CREDITED, MEMO)
    _settle(deltas, fact, measure, source, -parse_minor(fact.data.amount, fact.data.currency))


def _settle(deltas: Deltas, fact: Received[Any], measure: str, source: str, minor: int) -> None:
    to = _posting(fact, fact.data.account)
    deltas.settle(to, measure, fact.data.item, fact.data.customer, fact.data.due_on, minor)
    deltas.post(to, source, -minor)


def _adjustment_posted(deltas: Deltas, fact: Received[payment.AdjustmentPosted]) -> None:
    _write_off(deltas, fact, parse_minor(fact.data.amount, fact.data.currency))


def _adjustment_reversed(deltas: Deltas, fact: Received[payment.AdjustmentReversed]) -> None:
    _write_off(deltas, fact, -parse_minor(fact.data.amount, fact.data.currency))


def _write_off(deltas: Deltas, fact: Received[Any], minor: int) -> None:
    deltas.settle(_posting(fact, fact.data.account), WRITTEN_OFF, fact.data.item, fact.data.customer, fact.data.due_on, minor)


def _on_account_credited(deltas: Deltas, fact: Received[payment.OnAccountCredited]) -> None:
    _put_on_account(deltas, fact, parse_minor(fact.data.amount, fact.data.currency))


def _receipt_unapplied(deltas: Deltas, fact: Received[payment.ReceiptUnapplied]) -> None:
    _put_on_account(deltas, fact, -parse_minor(fact.data.amount, fact.data.currency))


def _put_on_account(deltas: Deltas, fact: Received[Any], minor: int) -> None:
    to = _posting(fact, fact.data.account)
    deltas.post(to, UNAPPLIED, -minor)
    deltas.post(to, ON_ACCOUNT, minor)


FOLDS: Final[Mapping[type[Event], Callable[[Deltas, Received[Any]], None]]] = {
    invoice.InvoiceIssued: _billed,
    invoice.DebitMemoIssued: _billed,
    invoice.InvoiceVoided: _voided,
    invoice.CreditMemoIssued: _credit_memo_issued,
    payment.PaymentReceived: _payment_received,
    payment.PayerIdentified: _payer_identified,
    payment.PayerUnknown: _payer_unknown,
    payment.PaymentApplied: _payment_applied,
    payment.CreditApplied: _credit_applied,
    payment.ApplicationReversed: _application_reversed,
    payment.AdjustmentPosted: _adjustment_posted,
    payment.AdjustmentReversed: _adjustment_reversed,
    payment.OnAccountCredited: _on_account_credited,
    payment.ReceiptUnapplied: _receipt_unapplied,
}
"""The facts that move money, each with what it adds."""
