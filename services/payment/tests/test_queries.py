"""The database: what the migrations make, its guards, and statements whose promise is subtle."""

import asyncio
import subprocess
import sys
from datetime import date

import asyncpg
import pytest
from payment.domain import BANK_ACCOUNT, digest_of
from payment.queries import intake, locks, payers
from payment.queries.intake import ListedBankAccount
from testkit.service import ServiceUnderTest

D1, D2, D3 = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)


def test_a_worker_imports_neither_fastapi_nor_sqlalchemy() -> None:
    program = "import sys, payment.app; print(sorted({'fastapi', 'sqlalchemy', 'sqlmodel', 'pydantic'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.db
async def test_the_database_refuses_to_overdraw(payment: ServiceUnderTest) -> None:
    """M2, M3: even a rule gone wrong cannot apply more than there is."""
    async with payment.db.transaction() as db:
        account = (await locks.lock_accounts(db, [("US01", "C-1")]))["US01", "C-1"]
        (id_,) = await intake.number_receipts(db, 1)
        receipt = intake.NewReceipt(id_, "US01", "BR-1", account.id, "C-1", "USD", 100, D1, D1, "customer", "check", b"", {})
        await intake.insert_receipts(db, [receipt])
    for wrong in ("applied_minor = 101, is_live = false", "on_account_minor = -1", "applied_minor = 60, on_account_minor = 41"):
        with pytest.raises(asyncpg.CheckViolationError):
            await payment.db.pool.execute(f"UPDATE receipt SET {wrong}")


@pytest.mark.db
async def test_who_owns_a_bank_account_is_a_function_of_the_lists_booked_before_the_day(payment: ServiceUnderTest) -> None:
    """PAY-11: the latest list of a customer counts, of two customers the later list, then the lower number."""
    number = digest_of("US01", BANK_ACCOUNT, "IBAN-1")

    def a_list(customer: str, booked_on: date, digest: bytes = number, content: bytes = b"a") -> ListedBankAccount:
        return ListedBankAccount("US01", customer, booked_on, content, digest)

    async with payment.db.transaction() as db:

        async def owner(day: date) -> str | None:
            return (await payers.find_bank_account_owners(db, {(number, day)})).get((number, day))

        await intake.insert_bank_accounts(db, {a_list("C-2", D1), a_list("C-1", D1)})
        assert (await owner(D1), await owner(D2)) == (None, "C-1")
        await intake.insert_bank_accounts(db, {a_list("C-1", D1, b"", b"b")})  # A greater list of the same day, without it.
        assert await owner(D2) == "C-2"
        await intake.insert_bank_accounts(db, {a_list("C-3", D2)})
        assert (await owner(D2), await owner(D3)) == ("C-2", "C-3")


@pytest.mark.db
async def test_who_brings_a_document_waits_for_who_looks_for_its_number(payment: ServiceUnderTest) -> None:
    """A receipt and the document it names, in two transactions, cannot miss each other; nor can more names than are locked one by one."""
    name = digest_of("US01", "reference", "inv-1")
    many = {n.to_bytes(8, "big") for n in range(1, locks.NAMES_LOCKED_ONE_BY_ONE + 2)}
    for first, second in (({name}, {name}), (many, {name}), ({name}, many)):
        async with payment.db.transaction() as looking:
            await locks.lock_names(looking, (), first)
            async with payment.db.transaction() as bringing:
                await bringing.execute("SET LOCAL lock_timeout = '50ms'")
                with pytest.raises(asyncpg.LockNotAvailableError):
                    await locks.lock_names(bringing, second)


@pytest.mark.db
async def test_receipts_that_look_for_the_same_number_do_not_wait_for_each_other(payment: ServiceUnderTest) -> None:
    name, own, another = (digest_of("US01", "reference", text) for text in ("invoice", "r-1", "r-2"))
    async with payment.db.transaction() as looking:
        await locks.lock_names(looking, {own}, {name})
        async with payment.db.transaction() as looking_too:
            await looking_too.execute("SET LOCAL lock_timeout = '50ms'")
            await locks.lock_names(looking_too, {another}, {name})
            with pytest.raises(asyncpg.LockNotAvailableError):
                await locks.lock_names(looking_too, {own}, {name})


@pytest.mark.db
async def test_accounts_are_locked_in_one_order_whoever_asks(payment: ServiceUnderTest) -> None:
    names = [("US01", f"C-{n}") for n in range(50)]

    async def lock(order: list[tuple[str, str]]) -> int:
        async with payment.db.transaction() as db:
            return len(await locks.lock_accounts(db, order))

    assert set(await asyncio.gather(*[lock(names[::step]) for step in (1, -1) * 4])) == {50}


@pytest.mark.db
async def test_whoever_settles_an_account_keeps_others_from_it(payment: ServiceUnderTest) -> None:
    """Two who read the same open amount would apply the same cent twice; another account is free meanwhile."""
    ours, another = ("US01", "C-1"), ("US01", "C-2")
    async with payment.db.transaction() as db:
        await locks.lock_accounts(db, [ours, another])  # Both are there already when the race begins.
    async with payment.db.transaction() as settling:
        await locks.lock_accounts(settling, [ours])
        async with payment.db.transaction() as other:
            await other.execute("SET LOCAL lock_timeout = '50ms'")
            await locks.lock_accounts(other, [another])
            with pytest.raises(asyncpg.LockNotAvailableError):
                await locks.lock_accounts(other, [ours])
