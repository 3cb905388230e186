"""Facts of every kind, on a real Postgres: any order, any cut into batches, the same rows."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from chassis.database import Database
from chassis.service import Batch, Received
from events import dunning, erp, invoice, payment
from events.envelope import Envelope
from events.fact import kind_of
from reporting.app import SERVICE
from reporting.subscriptions import SUBSCRIPTIONS
from testkit.service import two_entities

pytestmark = pytest.mark.db

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = date(2026, 1, 5)
ONE_DAY = timedelta(days=1)
COMMON: dict[str, Any] = {
    "entity": "US01",
    "account": "C-1",
    "customer": "C-1",
    "currency": "USD",
    "type": "380",
    "receipt": "US01|B-1",
    "bank_ref": "B-1",
    "method": "transfer",
    "by": "reference",
    "rule": "reference",
    "reason": "returned",
    "kind": "nsf",
    "tax": "0.00",
    "application": "A-1",
    "adjustment": "US01|WO-1",
    "discount": "D-1",
    "refund": "RF-1",
    "transfer": "TR-1",
    "to_account": "C-2",
    "from_account": "C-1",
    "from_receipt": "US01|B-1",
    "memo": "US01|CM-1",
    "requested_by": "clerk-1",
    "approved_by": "manager-1",
    "accepted_by": "clerk-1",
    "rejected_by": "clerk-1",
    "item_currency": "EUR",
    "open": "10.00",
    "carrying": "11.00",
    "revalued": "10.80",
    "gain": "0.00",
    "loss": "0.20",
    "rate": "1.08",
    "score": "0.91",
    "candidates": [],
    "items": [],
    "references": ["INV-9"],
    "channel": "log",
}
"""What the fields of all facts are where a test does not say otherwise."""


@pytest.fixture
async def database(database_url: Callable[[str], str]) -> AsyncIterator[Database]:
    opened = await Database.open(database_url("reporting"))
    yield opened
    await opened.close()


def told(kind: Any, booked_on: date, effective_on: date, **fields: Any) -> Received[Any]:
    """A fact of a kind as it is received: the fields that it has, of those given and the common ones."""
    known = {name: value for name, value in {**COMMON, **fields}.items() if name in kind.__struct_fields__}
    data, topic = kind(**known), kind_of(kind).topic
    key = f"US01|{known.get('account') or 'receipt:US01|B-1'}"
    envelope = Envelope("id", kind_of(kind).type, "/test", entity="US01", key=key, booked_on=booked_on, effective_on=effective_on)
    return Received(data, envelope, "US01", key, booked_on, topic, 0, 0)


def a_quarter(seed: int) -> list[Received[Any]]:
    """A few hundred facts of every kind, over 60 days, some booked later than they are effective."""
    dice = random.Random(seed)
    return [fact for n in range(60) for fact in _a_day(n, dice)]


def _a_day(n: int, dice: random.Random) -> list[Received[Any]]:
    day = DAY + n * ONE_DAY
    due_on, late = day + timedelta(days=dice.choice([0, 14, 30, 60])), day + timedelta(days=dice.choice([0, 0, 3, 40]))

    def billed(kind: Any, number: str, total: str, on: date, **more: Any) -> Received[Any]:
        parts = [invoice.Instalment(n=1, due_on=due_on, amount=total)]
        named = {"invoice": f"US01|{number}", "document_no": number, "issued_on": day, "total": total, "instalments": parts}
        return told(kind, on, day, **named, **more)

    def moved(kind: Any, amount: str, effective_on: date = day, **more: Any) -> Received[Any]:
        of = {"item": f"US01|INV-{n}|1", "invoice": f"US01|INV-{n}", "due_on": due_on, "value_on": day, "amount": amount}
        of["receipt"] = f"US01|B-{n}"
        if kind is payment.ApplicationReversed:
            more = {"memo": None, **more}
        return told(kind, late, effective_on, **of, **more)

    facts = [
        billed(invoice.InvoiceIssued, f"INV-{n}", "100.00", day),
        billed(invoice.DebitMemoIssued, f"DM-{n}", "9.00", day, origin=dice.choice([None, "late_charge", "return_fee"])),
        billed(invoice.CreditMemoIssued, f"CM-{n}", "20.00", day),
        moved(payment.PaymentReceived, "70.00", account=dice.choice(["C-1", None])),
        moved(dice.choice([payment.PayerIdentified, payment.PayerUnknown]), "70.00"),
        moved(payment.PaymentApplied, "40.00", rule=dice.choice(["reference", "person"])),
        moved(payment.CreditApplied, "20.00"),
        moved(dice.choice([payment.OnAccountCredited, payment.ReceiptUnapplied]), "5.00"),
        moved(dice.choice([payment.AdjustmentPosted, payment.AdjustmentReversed]), "3.00"),
        moved(dice.choice([payment.DiscountGranted, payment.DiscountRevoked]), "1.00"),
        moved(dice.choice([payment.PaymentReversed, payment.PaymentReversedAsDebit, payment.RefundIssued]), "4.00", late),
        moved(payment.MoneyTransferredOut, "2.00", late),
        moved(payment.MoneyTransferredIn, "2.00", late, account="C-2"),
        moved(payment.FxRealised, "0.00"),
        told(
            payment.FxRevalued,
            day + ONE_DAY,
            day,
            period_end_on=day,
            reverses_on=day + ONE_DAY,
            rate_on=day,
            item=f"US01|INV-{n}|1",
            invoice=f"US01|INV-{n}",
        ),
        moved(payment.MatchSuggested, "10.00", late, suggestion=f"S-{n}"),
        told(dice.choice([payment.SuggestionAccepted, payment.SuggestionRejected]), late + ONE_DAY, late, suggestion=f"S-{n}"),
        moved(dice.choice([payment.ShortPaymentDetected, payment.UnearnedDiscountTaken]), "3.00", until_on=day),
        moved(payment.OverpaymentDetected, "6.00"),
    ]
    if n % 7 == 0:
        facts.append(moved(payment.ApplicationReversed, "40.00", late))
        facts.append(told(dunning.DunningNoticeSent, day + ONE_DAY, day, notice=f"N-{n}", noticed_on=day, level=n + 1, total="10.00"))
        facts.append(billed(invoice.InvoiceVoided, f"INV-{n}", "100.00", late))
    return facts


async def fold(database: Database, facts: Sequence[Received[Any]]) -> None:
    """Run one batch through the handlers that the subscriptions name, as the chassis would."""
    async with database.transaction() as db:
        for handler in dict.fromkeys(SUBSCRIPTIONS.handlers.values()):
            mine = [fact for fact in facts if SUBSCRIPTIONS.handlers[type(fact.data)] is handler]
            if mine:
                assert await handler(db, mine, Batch("reporting", NOW, two_entities(), {})) == []


DUMPS = (
    "SELECT item, entity, account, customer, currency, due_on, issued_on, booked_on, total_minor, open_minor, is_open FROM item ORDER BY 1",
    "SELECT * FROM cube ORDER BY entity, currency, measure, due_on, effective_on, booked_on",
    "SELECT * FROM account_delta ORDER BY entity, account, currency, measure, due_on, effective_on, booked_on",
    "SELECT * FROM notice ORDER BY entity, account, currency, noticed_on, notice",
    "SELECT * FROM receipt_day ORDER BY receipt, booked_on",
    "SELECT * FROM suggestion ORDER BY suggestion",
    "SELECT * FROM finding ORDER BY entity, finding",
    "SELECT * FROM exchange_delta ORDER BY entity, effective_on, account, currency, measure, booked_on",
    "SELECT * FROM revaluation ORDER BY item, period_end_on",
)


async def dump(database: Database, schema: str = "public") -> list[list[tuple[Any, ...]]]:
    """Every row that a rebuild makes anew, in order; the instant of folding left out."""
    async with database.transaction() as db:
        await db.execute(f"SET LOCAL search_path TO {schema}")
        return [[tuple(row) for row in await db.fetch(statement)] for statement in DUMPS]


async def test_any_order_and_any_cut_into_batches_ends_in_the_same_tables(database: Database) -> None:
    """EVT-05, R2: a rebuild with partitions interleaved otherwise gives the same rows; and every kind of fact is among them."""
    facts, dumps = a_quarter(seed=7), []
    assert {type(fact.data) for fact in facts} == SUBSCRIPTIONS.handlers.keys() - {erp.CustomerUpserted}
    for seed in range(4):
        dice = random.Random(seed)
        shuffled = dice.sample(facts, len(facts))
        async with database.transaction() as db:
            await db.execute("TRUNCATE item, cube, account_delta, notice, receipt_day, suggestion, finding, exchange_delta, revaluation")
        while shuffled:
            cut = dice.choice([1, 7, 100, 500])
            await fold(database, shuffled[:cut])
            shuffled = shuffled[cut:]
        dumps.append(await dump(database))

    assert all(len(table) > 5 for table in dumps[0])
    assert all(other == dumps[0] for other in dumps[1:])


async def test_what_is_made_anew_from_the_facts_is_what_was_folded(database: Database) -> None:
    """EVT-05, R1: gathered in another order and other pieces, down to the row."""
    remake = SERVICE.remake
    assert remake is not None
    facts = a_quarter(seed=8)
    for first in range(0, len(facts), 97):
        await fold(database, facts[first : first + 97])
    random.Random(8).shuffle(facts)
    async with database.transaction() as db:
        await db.execute("CREATE SCHEMA rebuild; SET LOCAL search_path TO rebuild, public")
        for table in SERVICE.read_model:
            await db.execute(f"CREATE TABLE rebuild.{table} (LIKE public.{table})")
        await remake.prepare(db)
        for first in range(0, len(facts), 130):
            await remake.gather(db, facts[first : first + 130], Batch("reporting", NOW, two_entities(), {}))
        await remake.add_up(db, NOW)

    assert await dump(database, "rebuild") == await dump(database)
