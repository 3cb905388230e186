"""The mix of payments that cash application is measured by, and what has to come of it."""

from collections import Counter
from collections.abc import Callable

import asyncpg
import msgspec
import pytest
from bench.naive.cash import Cashier
from bench.payments import NOTHING_MINOR, Mix, Outcome, Teller
from events import bank


def test_of_a_hundred_payments_sixty_name_one_invoice_fifteen_two_fifteen_an_amount_and_ten_nothing() -> None:
    mix = Mix(500)
    mix.owe(500)
    kinds = Counter((len(one.names), len(one.pays)) for one in mix.pay(100))
    assert kinds == {(1, 1): 60, (2, 2): 15, (0, 1): 15, (0, 0): 10}


def test_no_invoice_is_paid_twice_and_two_that_are_paid_together_are_of_one_customer() -> None:
    mix = Mix(2_000)
    owed = {one.number for one in mix.owe(2_000)}
    paid = [one for payment in mix.pay(1_000) for one in payment.pays]
    assert len({one.number for one in paid}) == len(paid) == 1_050
    assert {one.number for one in paid} <= owed
    mix = Mix(2_000)
    mix.owe(2_000)
    assert all(len({one.account for one in payment.pays}) == 1 for payment in mix.pay(1_000) if payment.pays)


def test_two_streams_are_told_in_the_same_bytes_and_a_bank_knows_the_customer_where_nothing_is_named() -> None:
    def told() -> tuple[list[object], list[object]]:
        mix, teller = Mix(500), Teller()
        return list(teller.bill(mix.owe(500))), list(teller.book(mix.pay(100)))

    assert told() == told()
    mix = Mix(500)
    mix.owe(500)
    payments = mix.pay(100)
    entries = [msgspec.json.decode(record.value, type=bank.EntryBooked) for record in Teller().book(payments)]
    assert all((entry.customer is None) == bool(payment.names) for payment, entry in zip(payments, entries, strict=True))


def test_one_payment_after_the_other_pays_what_it_names_or_what_is_just_as_much() -> None:
    mix, outcome = Mix(500), Outcome()
    outcome.owe(mix.owe(500))
    payments = mix.pay(100)
    outcome.pay(payments)
    assert sum(minor == 0 for minor in outcome.open_minor.values()) == 105
    assert Counter(outcome.receipts.values())[0, NOTHING_MINOR] == 10
    wrong = {**outcome.open_minor, "US01|M00000000|1": 1}
    assert outcome.differs_from(wrong, outcome.receipts) == ["1 items differ: US01|M00000000|1 is 1 instead of 0 (minor units)"]


@pytest.mark.db
async def test_the_naive_cashier_ends_with_the_same_books_and_takes_a_payment_once(database_url: Callable[[str], str]) -> None:
    mix, outcome, dsn = Mix(500), Outcome(), database_url("payment")
    async with Cashier.opened(dsn) as cashier:
        owed = mix.owe(500)
        await cashier.owe(owed)
        outcome.owe(owed)
        payments = mix.pay(100)
        records = Teller().book(payments)
        await cashier.take(records)
        await cashier.take(records)
        outcome.pay(payments)
        assert outcome.differs_from(*await cashier.books()) == []
    db = await asyncpg.connect(dsn)
    counts = [await db.fetchval(f"SELECT count(*) FROM naive.{table}") for table in ("inbox", "receipt", "ledger_entry", "outbox")]
    await db.close()
    assert counts == [100, 100, 105 + 10, 100 + 105 + 10]
