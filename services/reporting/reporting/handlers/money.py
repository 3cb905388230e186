"""Money folds: each fact adds deltas to the read model. Nothing is decided here and nothing is published."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events import invoice, payment
from events.fact import Event
from money import parse_minor

from reporting.domain import (
    CHARGED,
    CREDITED,
    DISCOUNTED,
    INVOICED,
    MEMO,
    ON_ACCOUNT,
    REALISED,
    REFUNDED,
    REVERSED,
    SETTLED,
    TRANSFERRED,
    UNAPPLIED,
    UNIDENTIFIED,
    UNREALISED,
    VOIDED,
    WRITTEN_OFF,
    Deltas,
    Posting,
    ReceiptDelta,
    Revaluation,
)
from reporting.queries import exchange, folds, matching

CHARGES: Final = ("late_charge", "return_fee", "returned_payment")
"""The `origin` of documents that bill what being late or a returned payment costs, or that payment anew: no sales."""
PERSON: Final = "person"
"""The `rule` of applications that a person made; all others are automatic."""


async def fold_money(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
    """
    Add what documents, voids, receipts, applications, discounts, adjustments and rates say to items, accounts, receipts and the cube.

    The facts commute: an application may come before its item, which then stands with a negative open amount until it is issued.

    :raises money.AmountRefused: an amount is not one of its currency; money.CurrencyUnknown likewise. Both park the fact.
    """
    deltas = folded(facts)
    await folds.add_to_items(db, deltas.items, folded_at=batch.now)
    await folds.add_to_accounts(db, deltas.accounts)
    await matching.add_to_receipts(db, deltas.receipts)
    await exchange.add_differences(db, deltas.exchange)
    await exchange.save_revaluations(db, deltas.revaluations)
    await folds.add_to_cube(db, deltas.cube)  # Last: its rows are shared by all accounts, so their locks are held shortest.
    return []


def folded(facts: Sequence[Received[Any]]) -> Deltas:
    """Return what facts that move money add, in any order."""
    deltas = Deltas()
    for fact in facts:
        FOLDS[type(fact.data)](deltas, fact)
    return deltas


def _posting(fact: Received[Any], account: str | None) -> Posting:
    return Posting(fact.entity, account, fact.data.currency, fact.effective_on, fact.booked_on)


def _billed(deltas: Deltas, fact: Received[invoice.Billed]) -> None:
    to, measure = _posting(fact, fact.data.account), CHARGED if fact.data.origin in CHARGES else INVOICED
    for part in fact.data.instalments:
        item = f"{fact.data.invoice}|{part.n}"
        deltas.issue(to, item, fact.data.customer, part.due_on, parse_minor(part.amount, fact.data.currency), measure)


def _voided(deltas: Deltas, fact: Received[invoice.InvoiceVoided]) -> None:
    to, measure = _posting(fact, fact.data.account), CHARGED if fact.data.origin in CHARGES else VOIDED
    for part in fact.data.instalments:
        item = f"{fact.data.invoice}|{part.n}"
        deltas.settle(to, measure, item, fact.data.customer, part.due_on, parse_minor(part.amount, fact.data.currency))


def _credit_memo_issued(deltas: Deltas, fact: Received[invoice.CreditMemoIssued]) -> None:
    deltas.post(_posting(fact, fact.data.account), MEMO, parse_minor(fact.data.total, fact.data.currency))


def _payment_received(deltas: Deltas, fact: Received[payment.PaymentReceived]) -> None:
    to, minor = _posting(fact, fact.data.account), parse_minor(fact.data.amount, fact.data.currency)
    deltas.post(to, _source(fact), minor)
    receipt = deltas.receipt(to, fact.data.receipt)
    receipt.value_on = fact.data.value_on
    receipt.received_minor += minor
    receipt.free_minor += minor


def _payment_reversed(deltas: Deltas, fact: Received[payment.PaymentReversed]) -> None:
    to, minor = _posting(fact, fact.data.account), parse_minor(fact.data.amount, fact.data.currency)
    deltas.post(to, _source(fact), -minor)
    deltas.post(to, REVERSED, minor)
    receipt = deltas.receipt(to, fact.data.receipt)
    receipt.received_minor -= minor
    receipt.free_minor -= minor


def _payment_reversed_as_debit(deltas: Deltas, fact: Received[payment.PaymentReversedAsDebit]) -> None:
    """What it paid stays paid, so no money of the account is gone: that a bank took it back is counted, and billed by a debit memo."""
    deltas.post(_posting(fact, fact.data.account), REVERSED, parse_minor(fact.data.amount, fact.data.currency))


def _refund_issued(deltas: Deltas, fact: Received[payment.RefundIssued]) -> None:
    to, minor = _posting(fact, fact.data.account), parse_minor(fact.data.amount, fact.data.currency)
    deltas.post(to, UNAPPLIED, -minor)
    deltas.post(to, REFUNDED, minor)
    deltas.receipt(to, fact.data.receipt).free_minor -= minor


def _transferred_out(deltas: Deltas, fact: Received[payment.MoneyTransferredOut]) -> None:
    minor = parse_minor(fact.data.amount, fact.data.currency)
    _transfer(deltas, fact, -minor)
    deltas.post(_posting(fact, fact.data.account), TRANSFERRED, minor)


def _transferred_in(deltas: Deltas, fact: Received[payment.MoneyTransferredIn]) -> None:
    """What arrives is a receipt of its own, which came on this booked day; of an entity as much is unapplied as before."""
    _transfer(deltas, fact, parse_minor(fact.data.amount, fact.data.currency)).value_on = fact.data.value_on


def _transfer(deltas: Deltas, fact: Received[Any], minor: int) -> ReceiptDelta:
    to = _posting(fact, fact.data.account)
    deltas.post(to, UNAPPLIED, minor)
    receipt = deltas.receipt(to, fact.data.receipt)
    receipt.received_minor += minor
    receipt.free_minor += minor
    return receipt


def _source(fact: Received[payment.PaymentReceived | payment.PaymentReversed]) -> str:
    return UNIDENTIFIED if fact.data.account is None else UNAPPLIED


def _payer_identified(deltas: Deltas, fact: Received[payment.PayerIdentified]) -> None:
    minor = parse_minor(fact.data.amount, fact.data.currency)
    deltas.post(_posting(fact, None), UNIDENTIFIED, -minor)
    deltas.post(_posting(fact, fact.data.account), UNAPPLIED, minor)


def _payer_unknown(deltas: Deltas, fact: Received[payment.PayerUnknown]) -> None:
    minor = parse_minor(fact.data.amount, fact.data.currency)
    deltas.post(_posting(fact, fact.data.account), UNAPPLIED, -minor)
    deltas.post(_posting(fact, None), UNIDENTIFIED, minor)


def _payment_applied(deltas: Deltas, fact: Received[payment.PaymentApplied]) -> None:
    minor = parse_minor(fact.data.amount, fact.data.currency)
    _settle(deltas, fact, SETTLED, UNAPPLIED, minor)
    _place(deltas, fact, fact.data.receipt, fact.data.rule, minor)


def _credit_applied(deltas: Deltas, fact: Received[payment.CreditApplied]) -> None:
    _settle(deltas, fact, CREDITED, MEMO, parse_minor(fact.data.amount, fact.data.currency))


def _application_reversed(deltas: Deltas, fact: Received[payment.ApplicationReversed]) -> None:
    minor = parse_minor(fact.data.amount, fact.data.currency)
    measure, source = (SETTLED, UNAPPLIED) if fact.data.memo is None else (CREDITED, MEMO)
    _settle(deltas, fact, measure, source, -minor)
    if fact.data.receipt is not None:
        _place(deltas, fact, fact.data.receipt, fact.data.rule, -minor)


def _place(deltas: Deltas, fact: Received[Any], receipt: str, rule: str | None, minor: int) -> None:
    """Count money of a receipt as applied by a person or without one."""
    delta = deltas.receipt(_posting(fact, fact.data.account), receipt)
    if rule == PERSON:
        delta.by_person_minor += minor
    else:
        delta.automatic_minor += minor
    delta.free_minor -= minor


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


def _discount_granted(deltas: Deltas, fact: Received[payment.DiscountGranted]) -> None:
    _discount(deltas, fact, parse_minor(fact.data.amount, fact.data.currency))


def _discount_revoked(deltas: Deltas, fact: Received[payment.DiscountRevoked]) -> None:
    _discount(deltas, fact, -parse_minor(fact.data.amount, fact.data.currency))


def _discount(deltas: Deltas, fact: Received[Any], minor: int) -> None:
    deltas.settle(_posting(fact, fact.data.account), DISCOUNTED, fact.data.item, fact.data.customer, fact.data.due_on, minor)


def _on_account_credited(deltas: Deltas, fact: Received[payment.OnAccountCredited]) -> None:
    _put_on_account(deltas, fact, parse_minor(fact.data.amount, fact.data.currency))


def _receipt_unapplied(deltas: Deltas, fact: Received[payment.ReceiptUnapplied]) -> None:
    _put_on_account(deltas, fact, -parse_minor(fact.data.amount, fact.data.currency))


def _put_on_account(deltas: Deltas, fact: Received[Any], minor: int) -> None:
    to = _posting(fact, fact.data.account)
    deltas.post(to, UNAPPLIED, -minor)
    deltas.post(to, ON_ACCOUNT, minor)
    deltas.receipt(to, fact.data.receipt).free_minor -= minor


def _fx_realised(deltas: Deltas, fact: Received[payment.FxRealised]) -> None:
    deltas.differ(_posting(fact, fact.data.account), REALISED, _gained(fact))


def _fx_revalued(deltas: Deltas, fact: Received[payment.FxRevalued]) -> None:
    """Keep a revaluation, and count it once as of the period's end and the other way as of the day it is reversed on (RPT-08)."""
    data, minor = fact.data, _gained(fact)
    for on, gained in ((data.period_end_on, minor), (data.reverses_on, -minor)):
        deltas.differ(Posting(fact.entity, data.account, data.currency, on, fact.booked_on), UNREALISED, gained)
    deltas.revaluations.append(
        Revaluation(
            item=data.item,
            period_end_on=data.period_end_on,
            entity=fact.entity,
            account=data.account,
            item_currency=data.item_currency,
            open_minor=parse_minor(data.open, data.item_currency),
            currency=data.currency,
            carrying_minor=parse_minor(data.carrying, data.currency),
            revalued_minor=parse_minor(data.revalued, data.currency),
            rate=data.rate,
            rate_on=data.rate_on,
            booked_on=fact.booked_on,
        )
    )


def _gained(fact: Received[payment.FxRealised | payment.FxRevalued]) -> int:
    return parse_minor(fact.data.gain, fact.data.currency) - parse_minor(fact.data.loss, fact.data.currency)


FOLDS: Final[Mapping[type[Event], Callable[[Deltas, Received[Any]], None]]] = {
    invoice.InvoiceIssued: _billed,
    invoice.DebitMemoIssued: _billed,
    invoice.InvoiceVoided: _voided,
    invoice.CreditMemoIssued: _credit_memo_issued,
    payment.PaymentReceived: _payment_received,
    payment.PaymentReversed: _payment_reversed,
    payment.PaymentReversedAsDebit: _payment_reversed_as_debit,
    payment.RefundIssued: _refund_issued,
    payment.MoneyTransferredOut: _transferred_out,
    payment.MoneyTransferredIn: _transferred_in,
    payment.PayerIdentified: _payer_identified,
    payment.PayerUnknown: _payer_unknown,
    payment.PaymentApplied: _payment_applied,
    payment.CreditApplied: _credit_applied,
    payment.ApplicationReversed: _application_reversed,
    payment.DiscountGranted: _discount_granted,
    payment.DiscountRevoked: _discount_revoked,
    payment.AdjustmentPosted: _adjustment_posted,
    payment.AdjustmentReversed: _adjustment_reversed,
    payment.OnAccountCredited: _on_account_credited,
    payment.ReceiptUnapplied: _receipt_unapplied,
    payment.FxRealised: _fx_realised,
    payment.FxRevalued: _fx_revalued,
}
"""The facts that move money, each with what it adds."""
