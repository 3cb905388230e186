"""The reports' SQL, on a real Postgres: two time axes, any past date, the tables as the migrations make them."""

import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from chassis.database import Database
from reporting.domain import (
    BUCKETS,
    CHARGED,
    CREDITED,
    DISCOUNTED,
    INVOICED,
    ITEM_MEASURES,
    MEMO,
    ON_ACCOUNT,
    REFUNDED,
    REVERSED,
    SETTLED,
    TRANSFERRED,
    UNAPPLIED,
    UNIDENTIFIED,
    VOIDED,
    WRITTEN_OFF,
    Deltas,
    Posting,
    RollForward,
    bucket_of,
)
from reporting.queries import customers, figures, folds, progress, standings

pytestmark = pytest.mark.db

DAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
async def database(database_url: Callable[[str], str]) -> AsyncIterator[Database]:
    opened = await Database.open(database_url("reporting"))
    yield opened
    await opened.close()


async def save(database: Database, deltas: Deltas) -> None:
    async with database.transaction() as db:
        await folds.add_to_items(db, deltas.items, folded_at=NOW)
        await folds.add_to_accounts(db, deltas.accounts)
        await folds.add_to_cube(db, deltas.cube)


def to(account: str | None = "C-1", effective_on: date = DAY, booked_on: date | None = None, currency: str = "USD") -> Posting:
    return Posting("US01", account, currency, effective_on, booked_on or effective_on)


async def open_minor(database: Database, as_of: date, known_at: date | None) -> int:
    async with database.reading() as db:
        return sum(standing.open_minor for standing in await standings.standing_of_entity(db, "US01", as_of, known_at))


async def test_a_receipt_booked_late_changes_what_is_known_and_never_what_was_reported(database: Database) -> None:
    """RPT-02, A11: 10,000.00 due 05-15; 2,500.00 of value 05-28, booked 06-05."""
    deltas = Deltas()
    due_on = date(2026, 5, 15)
    deltas.issue(to(effective_on=date(2026, 4, 15)), "US01|INV-1|1", "C-1", due_on, 10_000_00)
    deltas.settle(to(effective_on=date(2026, 5, 28), booked_on=date(2026, 6, 5)), SETTLED, "US01|INV-1|1", "C-1", due_on, 2_500_00)
    await save(database, deltas)

    may_31 = date(2026, 5, 31)
    assert await open_minor(database, may_31, date(2026, 6, 1)) == 10_000_00
    assert await open_minor(database, may_31, date(2026, 6, 6)) == 7_500_00
    assert await open_minor(database, may_31, None) == 7_500_00
    assert await open_minor(database, date(2026, 5, 27), None) == 10_000_00
    assert await open_minor(database, date(2026, 4, 14), None) == 0


async def test_the_cube_the_accounts_and_a_plain_walk_over_the_entries_agree_for_any_date(database: Database) -> None:
    """RPT-01, RPT-02, M9: the buckets of 300 random entries, computed here one by one, for random pairs of dates."""
    dice, deltas = random.Random(11), Deltas()
    entries = []
    for n in range(300):
        effective_on = DAY + timedelta(days=dice.randrange(200))
        booked_on = effective_on + timedelta(days=dice.choice([0, 0, 1, 30]))
        due_on, account, minor = effective_on + timedelta(days=dice.randrange(-5, 90)), dice.choice("ABC"), dice.randrange(1, 10_000)
        posting, item = to(account, effective_on, booked_on), f"US01|INV-{n}|1"
        if dice.random() < 0.6:
            deltas.issue(posting, item, account, due_on, minor)
            entries.append((account, due_on, effective_on, booked_on, minor))
        else:
            deltas.settle(posting, dice.choice([SETTLED, CREDITED]), item, account, due_on, minor)
            entries.append((account, due_on, effective_on, booked_on, -minor))
    await save(database, deltas)

    for _ in range(20):
        as_of, known_at = DAY + timedelta(days=dice.randrange(240)), dice.choice([None, DAY + timedelta(days=dice.randrange(240))])
        expected: dict[str, dict[str, int]] = {}
        for account, due_on, effective_on, booked_on, minor in entries:
            if effective_on <= as_of and (known_at is None or booked_on <= known_at):
                buckets = expected.setdefault(account, dict.fromkeys(BUCKETS, 0))
                buckets[bucket_of((as_of - due_on).days)] += minor
        async with database.reading() as db:
            totals = await standings.standing_of_entity(db, "US01", as_of, known_at)
            accounts = await standings.standing_of_accounts(db, "US01", as_of, known_at)
            alone = {name: await standings.standing_of_account(db, "US01", name, as_of, known_at) for name in expected}
        assert {one.account: dict(zip(BUCKETS, one.buckets_minor, strict=True)) for one in accounts} == expected
        assert all([one] == alone[one.account or ""] for one in accounts)
        assert [one.open_minor for one in totals] == ([sum(one.open_minor for one in accounts)] if expected else [])


async def test_a_due_date_that_no_day_count_reaches_is_current(database: Database) -> None:
    """9999-12-31 stands for «never» in many systems."""
    deltas = Deltas()
    deltas.issue(to(), "US01|INV-1|1", "C-1", date.max, 100)
    await save(database, deltas)

    async with database.reading() as db:
        (standing,) = await standings.standing_of_entity(db, "US01", date(2999, 12, 31), None)
        (item,) = await customers.open_items(db, "US01", "C-1", after="", limit=10)
    assert standing.current_minor == 100
    assert item.due_on == date.max


async def test_customers_that_are_all_zero_are_left_out_and_currencies_stay_apart(database: Database) -> None:
    deltas = Deltas()
    for account, currency, minor in (("B", "USD", 100), ("a", "USD", 300), ("A", "EUR", 100), ("Z", "USD", 200)):
        deltas.issue(to(account, currency=currency), f"US01|{account}|1", account, DAY, minor)
    deltas.settle(to("B"), SETTLED, "US01|B|1", "B", DAY, 100)
    deltas.post(to("C"), ON_ACCOUNT, 50)
    deltas.post(to("D"), ON_ACCOUNT, 50)
    deltas.post(to("D"), MEMO, -50)
    await save(database, deltas)

    async with database.reading() as db:
        by_name = await standings.standing_of_accounts(db, "US01", DAY, None)
        by_open = await standings.standing_of_accounts(db, "US01", DAY, None, order="-open", limit=2)
        overdue = await standings.standing_of_accounts(db, "US01", DAY + timedelta(days=1), None, order="-overdue", limit=1)
    assert [(one.currency, one.account) for one in by_name] == [("EUR", "A"), ("USD", "C"), ("USD", "Z"), ("USD", "a")]
    assert [(one.currency, one.account, one.open_minor) for one in by_open] == [("EUR", "A", 100), ("USD", "a", 300), ("USD", "Z", 200)]
    assert [(one.currency, one.account, one.overdue_minor) for one in overdue] == [("EUR", "A", 100), ("USD", "a", 300)]


async def test_a_month_rolls_forward_net_of_reversals_and_closes_at_its_aging(database: Database) -> None:
    """RPT-08"""
    deltas, january, february, march = Deltas(), date(2026, 1, 20), date(2026, 2, 10), date(2026, 3, 1)
    deltas.issue(to(effective_on=january), "US01|INV-1|1", "C-1", february, 1000)
    deltas.issue(to(effective_on=february), "US01|INV-2|1", "C-1", march, 500)
    deltas.settle(to(effective_on=february), SETTLED, "US01|INV-1|1", "C-1", february, 700)
    deltas.settle(to(effective_on=february), SETTLED, "US01|INV-1|1", "C-1", february, -400)
    deltas.settle(to(effective_on=february), CREDITED, "US01|INV-2|1", "C-1", march, 50)
    deltas.issue(to(effective_on=february), "US01|DM-1|1", "C-1", march, 15, CHARGED)
    deltas.settle(to(effective_on=february), CHARGED, "US01|DM-1|1", "C-1", march, 5)
    deltas.settle(to(effective_on=february), WRITTEN_OFF, "US01|INV-2|1", "C-1", march, 40)
    deltas.settle(to(effective_on=february), WRITTEN_OFF, "US01|INV-2|1", "C-1", march, -10)
    deltas.settle(to(effective_on=february), DISCOUNTED, "US01|INV-2|1", "C-1", march, 20)
    deltas.settle(to(effective_on=february), DISCOUNTED, "US01|INV-2|1", "C-1", march, -8)
    deltas.settle(to(effective_on=february), VOIDED, "US01|INV-1|1", "C-1", february, 200)
    deltas.post(to(effective_on=january), REVERSED, 1)
    deltas.post(to(effective_on=february), REVERSED, 8)
    deltas.post(to(effective_on=february), REFUNDED, 6)
    deltas.post(to(effective_on=february), TRANSFERRED, 9)
    deltas.post(to(effective_on=february), UNAPPLIED, 30)
    deltas.post(to(effective_on=february), ON_ACCOUNT, 20)
    deltas.post(to(effective_on=february), MEMO, 7)
    deltas.issue(to(effective_on=march), "US01|INV-3|1", "C-1", march, 9000)
    await save(database, deltas)

    async with database.reading() as db:
        (row,) = await figures.roll_forward(db, "US01", date(2026, 2, 1), date(2026, 2, 28), None)
    assert row == RollForward("USD", 1000, 500, 10, 50, 300, 12, 30, 200, 30, 27, 8, 6, 9)
    assert row.closing_minor == await open_minor(database, date(2026, 2, 28), None)


async def test_net_credit_sales_are_invoices_less_voids_and_memos_issued_whether_applied_or_not(database: Database) -> None:
    """RPT-03: late charges are no sales, and what is written off was sold all the same."""
    deltas, before = Deltas(), DAY - timedelta(days=30)
    deltas.issue(to(effective_on=before), "US01|INV-0|1", "C-1", DAY, 77)
    deltas.issue(to(), "US01|INV-1|1", "C-1", DAY, 1000)
    deltas.post(to(), MEMO, 300)
    deltas.settle(to(), CREDITED, "US01|INV-1|1", "C-1", DAY, 120)
    deltas.post(to(), MEMO, -120)
    deltas.settle(to(), SETTLED, "US01|INV-1|1", "C-1", DAY, 500)
    deltas.issue(to(), "US01|DM-1|1", "C-1", DAY, 50, CHARGED)
    deltas.settle(to(), VOIDED, "US01|INV-1|1", "C-1", DAY, 80)
    deltas.settle(to(), WRITTEN_OFF, "US01|INV-1|1", "C-1", DAY, 30)
    deltas.settle(to(), WRITTEN_OFF, "US01|INV-1|1", "C-1", DAY, -5)
    await save(database, deltas)

    async with database.reading() as db:
        assert await figures.sold_and_written_off(db, "US01", DAY, 30, None) == {"USD": (620, 25)}
        assert await figures.sold_and_written_off(db, "US01", DAY, 31, None) == {"USD": (697, 25)}
        assert await figures.sold_and_written_off(db, "US01", DAY, 31, DAY - timedelta(days=1)) == {"USD": (77, 0)}


async def test_freshness_is_the_last_closed_day_and_counts_what_stands_aside(database: Database) -> None:
    """RPT-14"""
    async with database.reading() as db:
        assert await progress.freshness(db, "US01") == progress.Freshness(None, 0, 0, 0)
    async with database.transaction() as db:
        await db.execute("INSERT INTO chassis.day (entity, open_on, late) VALUES ('US01', '2026-01-06', 3), ('JP01', '2026-01-09', 1)")
        await db.execute(
            """
            INSERT INTO chassis.parked (topic, key, partition, "offset", reason, detail, headers, parked_at, state)
            SELECT 't', key, 0, 0, 'gap', '', '', $1, state
            FROM unnest($2::text[], $3::text[]) AS p (key, state)
            """,
            NOW,
            ["US01|C-1", "US01|C-2", "JP01|C-1", "?|t|0"],
            ["parked", "redriven", "parked", "parked"],
        )

    async with database.reading() as db:
        assert await progress.freshness(db, "US01") == progress.Freshness(DAY, 2, 0, 3)


async def test_money_of_nobody_is_in_the_cube_alone(database: Database) -> None:
    deltas = Deltas()
    deltas.post(to(None), UNIDENTIFIED, 500)
    deltas.post(to(), INVOICED, 1, DAY)
    await save(database, deltas)

    async with database.reading() as db:
        (standing,) = await standings.standing_of_entity(db, "US01", DAY, None)
        assert await db.fetch("SELECT FROM account_delta WHERE measure <> ALL($1)", ITEM_MEASURES) == []
    assert standing.unidentified_minor == 500
