"""The folds, on a real Postgres: any order, any cut into batches, the same tables."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from chassis.database import Connection, Database
from chassis.service import Batch, Received
from events import erp, invoice, payment
from events.envelope import Envelope
from events.fact import Event, kind_of
from reporting.subscriptions import SUBSCRIPTIONS
from testkit.service import two_entities

pytestmark = pytest.mark.db

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = date(2026, 1, 5)


@pytest.fixture
async def database(database_url: Callable[[str], str]) -> AsyncIterator[Database]:
    opened = await Database.open(database_url("reporting"))
    yield opened
    await opened.close()


def a_batch() -> Batch:
    return Batch("reporting", NOW, two_entities(), {})


def received(data: Event, booked_on: date = DAY, effective_on: date | None = None) -> Received[Any]:
    account = getattr(data, "account", None)
    key = f"US01|{account or 'receipt:US01|B-1'}"
    envelope = Envelope("id", kind_of(type(data)).type, "/test", entity="US01", key=key, booked_on=booked_on, effective_on=effective_on)
    return Received(data, envelope, "US01", key, booked_on, kind_of(type(data)).topic, 0, 0)


def an_invoice(number: str, total: str, due_on: date, customer: str = "C-1", currency: str = "USD") -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=customer,
        account=customer,
        currency=currency,
        issued_on=DAY,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=due_on, amount=total)],
    )


def a_debit_memo(number: str, total: str, due_on: date, origin: str | None = None) -> invoice.DebitMemoIssued:
    return invoice.DebitMemoIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="383",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=DAY,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=due_on, amount=total)],
        origin=origin,
    )


def voided(number: str, total: str, due_on: date, origin: str | None = None) -> invoice.InvoiceVoided:
    return invoice.InvoiceVoided(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        customer="C-1",
        account="C-1",
        currency="USD",
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=due_on, amount=total)],
        origin=origin,
    )


def a_memo(number: str, total: str) -> invoice.CreditMemoIssued:
    return invoice.CreditMemoIssued(
        entity="US01",
        memo=f"US01|{number}",
        document_no=number,
        type="381",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=DAY,
        total=total,
    )


def a_receipt(amount: str, account: str | None = "C-1") -> payment.PaymentReceived:
    return payment.PaymentReceived(
        entity="US01", receipt="US01|B-1", method="transfer", amount=amount, currency="USD", value_on=DAY, bank_ref="B-1", account=account
    )


def identified(amount: str) -> payment.PayerIdentified:
    return payment.PayerIdentified(
        entity="US01",
        receipt="US01|B-1",
        account="C-1",
        by="reference",
        method="transfer",
        amount=amount,
        currency="USD",
        value_on=DAY,
        bank_ref="B-1",
    )


def unknown(amount: str) -> payment.PayerUnknown:
    return payment.PayerUnknown(entity="US01", receipt="US01|B-1", account="C-1", amount=amount, currency="USD", value_on=DAY)


def _application(number: str, due_on: date, amount: str) -> dict[str, Any]:
    return {
        "entity": "US01",
        "application": f"A-{number}-{amount}",
        "item": f"US01|{number}|1",
        "invoice": f"US01|{number}",
        "customer": "C-1",
        "account": "C-1",
        "currency": "USD",
        "due_on": due_on,
        "amount": amount,
    }


def applied(number: str, due_on: date, amount: str) -> payment.PaymentApplied:
    return payment.PaymentApplied(**_application(number, due_on, amount), receipt="US01|B-1", rule="reference")


def credit_applied(number: str, due_on: date, amount: str) -> payment.CreditApplied:
    return payment.CreditApplied(**_application(number, due_on, amount), memo="US01|CM-1", rule="reference")


def taken_back(
    number: str, due_on: date, amount: str, *, receipt: str | None = None, memo: str | None = None
) -> payment.ApplicationReversed:
    return payment.ApplicationReversed(**_application(number, due_on, amount), reason="reordered", receipt=receipt, memo=memo)


def _adjustment(number: str, due_on: date, amount: str) -> dict[str, Any]:
    of_item = {name: value for name, value in _application(number, due_on, amount).items() if name != "application"}
    return {**of_item, "adjustment": f"US01|WO-{number}", "tax": "0.00", "kind": "bad_debt"}


def written_off(number: str, due_on: date, amount: str) -> payment.AdjustmentPosted:
    return payment.AdjustmentPosted(**_adjustment(number, due_on, amount))


def recovered(number: str, due_on: date, amount: str) -> payment.AdjustmentReversed:
    return payment.AdjustmentReversed(**_adjustment(number, due_on, amount), reason="recovered")


def discounted(number: str, due_on: date, amount: str) -> payment.DiscountGranted:
    return payment.DiscountGranted(**_discount(number, due_on, amount))


def discount_revoked(number: str, due_on: date, amount: str) -> payment.DiscountRevoked:
    return payment.DiscountRevoked(**_discount(number, due_on, amount), reason="returned")


def _discount(number: str, due_on: date, amount: str) -> dict[str, Any]:
    of_item = {name: value for name, value in _application(number, due_on, amount).items() if name != "application"}
    return {**of_item, "discount": f"D-{number}", "receipt": "US01|B-1", "tax": "0.00", "kind": "earned"}


def reversed_(amount: str, account: str | None = "C-1", fee: str | None = None) -> payment.PaymentReversed:
    return payment.PaymentReversed(
        entity="US01", receipt="US01|B-1", currency="USD", amount=amount, kind="nsf", value_on=DAY, account=account, fee=fee
    )


def refunded(amount: str) -> payment.RefundIssued:
    return payment.RefundIssued(
        entity="US01",
        refund="RF-1",
        receipt="US01|B-1",
        account="C-1",
        currency="USD",
        amount=amount,
        requested_by="clerk-1",
        approved_by="manager-1",
    )


def realised(number: str, gain: str, loss: str) -> payment.FxRealised:
    return payment.FxRealised(
        entity="US01",
        application=f"A-{number}",
        receipt="US01|B-1",
        item=f"US01|{number}|1",
        invoice=f"US01|{number}",
        customer="C-1",
        account="C-1",
        currency="USD",
        gain=gain,
        loss=loss,
    )


def on_account(amount: str) -> payment.OnAccountCredited:
    return payment.OnAccountCredited(entity="US01", receipt="US01|B-1", account="C-1", currency="USD", amount=amount)


def unapplied_again(amount: str) -> payment.ReceiptUnapplied:
    return payment.ReceiptUnapplied(entity="US01", receipt="US01|B-1", account="C-1", currency="USD", amount=amount)


async def fold(database: Database, facts: Sequence[Received[Any]]) -> Batch:
    """Run one batch through the handlers that the subscriptions name, as the chassis would."""
    batch = a_batch()
    async with database.transaction() as db:
        for handler in dict.fromkeys(SUBSCRIPTIONS.handlers.values()):
            mine = [fact for fact in facts if SUBSCRIPTIONS.handlers[type(fact.data)] is handler]
            if mine:
                assert await handler(db, mine, batch) == []
    return batch


async def sums(db: Connection, table: str = "cube") -> dict[str, int]:
    """The measures that are not zero, in minor units."""
    rows = await db.fetch(f"SELECT measure, sum(delta_minor)::bigint AS minor FROM {table} GROUP BY measure")
    return {row["measure"]: row["minor"] for row in rows if row["minor"]}


DUE = date(2026, 2, 4)

STORIES: dict[str, tuple[list[Event], dict[str, int], dict[str, int]]] = {
    "an invoice is open": ([an_invoice("INV-1", "100.00", DUE)], {"invoiced": 10000}, {}),
    "money received is unapplied": ([a_receipt("30.00")], {"unapplied": 3000}, {}),
    "money of nobody is unidentified and no account has it": ([a_receipt("30.00", None)], {"unidentified": 3000}, {"unidentified": -3000}),
    "an identified payer has unapplied money": ([a_receipt("30.00", None), identified("30.00")], {"unapplied": 3000}, {}),
    "a payer that was not is nobody again": (
        [a_receipt("30.00"), unknown("30.00")],
        {"unidentified": 3000},
        {"unidentified": -3000},
    ),
    "applied money leaves unapplied and the item": (
        [an_invoice("INV-1", "100.00", DUE), a_receipt("30.00"), applied("INV-1", DUE, "30.00")],
        {"invoiced": 10000, "settled": -3000},
        {},
    ),
    "a memo is credit until it is applied": ([a_memo("CM-1", "20.00")], {"memo": 2000}, {}),
    "applied credit leaves the memo and the item": (
        [a_memo("CM-1", "20.00"), credit_applied("INV-1", DUE, "15.00")],
        {"memo": 500, "credited": -1500},
        {},
    ),
    "an application of money taken back is unapplied again": (
        [a_receipt("30.00"), applied("INV-1", DUE, "30.00"), taken_back("INV-1", DUE, "30.00", receipt="US01|B-1")],
        {"unapplied": 3000},
        {},
    ),
    "an application of credit taken back is open credit again": (
        [a_memo("CM-1", "20.00"), credit_applied("INV-1", DUE, "15.00"), taken_back("INV-1", DUE, "15.00", memo="US01|CM-1")],
        {"memo": 2000},
        {},
    ),
    "a debit memo is open like an invoice": ([a_debit_memo("DM-1", "40.00", DUE)], {"invoiced": 4000}, {}),
    "a late charge is charged and no sale": ([a_debit_memo("DM-1", "40.00", DUE, "late_charge")], {"charged": 4000}, {}),
    "a voided invoice is worth nothing": (
        [an_invoice("INV-1", "100.00", DUE), voided("INV-1", "100.00", DUE)],
        {"invoiced": 10000, "voided": -10000},
        {},
    ),
    "a voided late charge was not charged": (
        [a_debit_memo("DM-1", "40.00", DUE, "late_charge"), voided("DM-1", "40.00", DUE, "late_charge")],
        {},
        {},
    ),
    "what is written off leaves the item, and what is recovered comes back": (
        [an_invoice("INV-1", "100.00", DUE), written_off("INV-1", DUE, "100.00"), recovered("INV-1", DUE, "30.00")],
        {"invoiced": 10000, "written_off": -7000},
        {},
    ),
    "a discount leaves the item, and what is revoked comes back": (
        [an_invoice("INV-1", "100.00", DUE), discounted("INV-1", DUE, "2.00"), discount_revoked("INV-1", DUE, "0.50")],
        {"invoiced": 10000, "discounted": -150},
        {},
    ),
    "money a bank takes back leaves unapplied": (
        [a_receipt("30.00"), reversed_("30.00")],
        {"reversed": 3000},
        {},
    ),
    "money of nobody that a bank takes back leaves unidentified": (
        [a_receipt("30.00", None), reversed_("30.00", None)],
        {"reversed": 3000},
        {"reversed": -3000},
    ),
    "a refund leaves unapplied": ([a_receipt("30.00"), refunded("10.00")], {"unapplied": 2000, "refunded": 1000}, {}),
    "a fee of a returned payment is charged and no sale": (
        [a_debit_memo("FEE-B-1", "35.00", DUE, "return_fee")],
        {"charged": 3500},
        {},
    ),
    "a voided fee was not charged": (
        [a_debit_memo("FEE-B-1", "35.00", DUE, "return_fee"), voided("FEE-B-1", "35.00", DUE, "return_fee")],
        {},
        {},
    ),
    "exchange differences are no money of an account": ([realised("INV-1", "160.00", "0.00")], {}, {}),
    "money left over is on account": ([a_receipt("30.00"), on_account("30.00")], {"on_account": 3000}, {}),
    "money taken from the account is unapplied": (
        [a_receipt("30.00"), on_account("30.00"), unapplied_again("10.00")],
        {"on_account": 2000, "unapplied": 1000},
        {},
    ),
}


@pytest.mark.parametrize("story", STORIES)
async def test_each_fact_moves_its_measures_for_the_entity_and_for_the_account(story: str, database: Database) -> None:
    """RPT-01: what no account has (unidentified) is the only difference between the two tables."""
    facts, expected, without_account = STORIES[story]

    await fold(database, [received(fact) for fact in facts])

    async with database.reading() as db:
        assert await sums(db) == expected
        of_accounts = {name: expected.get(name, 0) + without_account.get(name, 0) for name in expected}
        assert await sums(db, "account_delta") == {name: minor for name, minor in of_accounts.items() if minor}


async def test_an_application_that_comes_before_its_item_waits_in_the_sum(database: Database) -> None:
    """EVT-03"""
    await fold(database, [received(applied("INV-1", DUE, "30.00"))])
    async with database.reading() as db:
        early = await db.fetchrow("SELECT open_minor, is_open, issued_on, folded_at FROM item")
        assert await db.fetchval("SELECT count(*) FROM chk.visible") == 0

    await fold(database, [received(an_invoice("INV-1", "100.00", DUE), effective_on=DAY)])

    async with database.reading() as db:
        item = await db.fetchrow("SELECT total_minor, open_minor, is_open, issued_on, booked_on FROM item")
        visible = await db.fetch("SELECT document, item, folded_at FROM chk.visible")
    assert early is not None
    assert tuple(early) == (-3000, False, None, None)
    assert item is not None
    assert tuple(item) == (10000, 7000, True, DAY, DAY)
    assert [tuple(row) for row in visible] == [("US01|INV-1", "US01|INV-1|1", NOW)]


async def test_the_balance_for_outside_checkers_takes_money_on_account_and_open_memos_as_one(database: Database) -> None:
    """M5"""
    facts = [an_invoice("INV-1", "100.00", DUE), a_memo("CM-1", "20.00"), a_receipt("30.00"), on_account("10.00")]

    await fold(database, [received(fact) for fact in facts])

    async with database.reading() as db:
        row = await db.fetchrow("SELECT open_minor, unapplied_minor, on_account_minor, balance_minor FROM chk.balance")
        assert row is not None
        assert tuple(row) == (10000, 2000, 3000, 5000)


@pytest.mark.parametrize("cut", [1, 2])
async def test_deltas_that_cancel_out_leave_no_row_in_one_batch_or_in_two(cut: int, database: Database) -> None:
    """EVT-05, R1: otherwise the rows would tell where the batches were cut."""
    facts = [received(a_receipt("30.00")), received(unknown("30.00"))]
    for first in range(0, len(facts), cut):
        await fold(database, facts[first : first + cut])

    async with database.reading() as db:
        assert await db.fetchval("SELECT count(*) FROM account_delta") == 0
        assert [tuple(row) for row in await db.fetch("SELECT measure, delta_minor FROM cube")] == [("unidentified", 3000)]


async def test_a_wrong_amount_fails_and_leaves_no_trace(database: Database) -> None:
    """EVT-04: the batch is rolled back, so that the chassis can park the one fact and go on with the others."""
    with pytest.raises(ValueError):
        await fold(database, [received(an_invoice("INV-1", "100.00", DUE)), received(a_receipt("1.005"))])

    async with database.reading() as db:
        assert await db.fetchval("SELECT count(*) FROM item") == 0
        assert await sums(db) == {}


async def test_a_customer_has_the_name_it_was_given_last(database: Database) -> None:
    def named(name: str, customer: str = "C-1") -> Received[Any]:
        return received(erp.CustomerUpserted(entity="US01", customer=customer, name=name))

    await fold(database, [named("Acme Ltd"), named("Acme plc")])
    batch = await fold(database, [named("Acme SE"), named("no key", customer="C|1")])

    async with database.reading() as db:
        assert [tuple(row) for row in await db.fetch("SELECT customer, name FROM customer")] == [("C-1", "Acme SE")]
    assert [[reason.code for reason in reasons] for _, reasons in batch.refused] == [["BAD_IDENTIFIER"]]
