"""Whatever people and banks do, in whatever order: the books balance, and nothing but an answer reaches who asked."""

import random
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from events import bank, invoice
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

Balance = Callable[[ServiceUnderTest], Awaitable[None]]
D1 = date(2026, 1, 5)
STEPS = 30


class Deeds:
    """People and a bank at work on two accounts, by chance."""

    def __init__(self, payment: ServiceUnderTest, chance: random.Random) -> None:
        self.payment = payment
        self.chance = chance
        self.asked = 0
        self.documents: list[str] = []
        self.memos: list[str] = []
        self.receipts: list[str] = []
        self.refunds: list[str] = []

    async def act_by_chance(self) -> None:
        """Do one thing; an answer that is no answer fails the test."""
        deeds = [self.bill, self.credit, self.pay, self.pay, self.apply, self.apply, self.take_off, self.take_off]
        deeds += [self.release, self.ask_back, self.approve, self.take_back, self.turn, self.transfer, self.transfer]
        await self.chance.choice(deeds)()

    async def post(self, path: str, body: dict[str, Any], *, sub: str = "clerk-1", roles: tuple[str, ...] = ("clerk",)) -> Any:
        self.asked += 1
        answer = await self.payment.post(path, {"entity": "US01", **body}, key=f"k{self.asked}", sub=sub, roles=roles)
        assert answer.status_code in (200, 201, 404, 409, 422), (path, body, answer.text)
        return answer.json()

    def amount(self) -> str:
        return f"{self.chance.randint(1, 120)}.{self.chance.randint(0, 99):02}"

    def some_day(self) -> str:
        return str(D1 + timedelta(days=self.chance.randint(-3, 6)))

    def maybe(self, **fields: str) -> dict[str, str]:
        return fields if self.chance.random() < 0.5 else {}

    def account(self) -> str:
        return self.chance.choice(["C-1", "C-1", "C-1", "C-2"])

    async def bill(self) -> None:
        number, total, account = f"INV-{len(self.documents)}", self.amount(), self.account()
        issued = await self.payment.open_on()
        self.documents.append(number)
        await self.payment.receive(
            invoice.InvoiceIssued(
                entity="US01",
                invoice=f"US01|{number}",
                document_no=number,
                type="380",
                customer=account,
                account=account,
                currency="USD",
                issued_on=issued,
                total=total,
                instalments=[invoice.Instalment(n=1, due_on=issued, amount=total)],
            )
        )

    async def credit(self) -> None:
        number = f"CM-{len(self.memos)}"
        named, account = self.chance.choice([None, *self.documents]), self.account()
        self.memos.append(number)
        await self.payment.receive(
            invoice.CreditMemoIssued(
                entity="US01",
                memo=f"US01|{number}",
                document_no=number,
                type="381",
                customer=account,
                account=account,
                currency="USD",
                issued_on=await self.payment.open_on(),
                total=self.amount(),
                ref_invoice=f"US01|{named}" if named else None,
            )
        )

    async def pay(self) -> None:
        ref = f"BR-{self.asked}-{len(self.receipts)}"
        self.receipts.append(ref)
        await self.payment.receive(
            bank.EntryBooked(
                entity="US01",
                account_ref="OUR-1",
                bank_ref=ref,
                amount=self.amount(),
                currency="USD",
                value_on=date.fromisoformat(self.some_day()),
                remittance=self.chance.choice([None, *self.documents, "INV-0 INV-1"]),
                customer=self.chance.choice([None, "C-1"]),
            )
        )

    def source(self) -> str:
        return self.chance.choice([f"receipts/{one}" for one in self.receipts] + [f"memos/{one}" for one in self.memos] or ["receipts/x"])

    async def apply(self) -> None:
        item = f"US01|{self.chance.choice([*self.documents, 'INV-X'])}|1"
        fields = self.maybe(amount=self.amount()) | self.maybe(effective_on=self.some_day())
        await self.post(f"/v1/{self.source()}/applications", {"item": item, "reason": "R", **fields})

    async def take_off(self) -> None:
        source = self.source()
        shown = (await self.payment.get(f"/v1/{source}", entity="US01")).json()
        applications = [one["application"] for one in shown.get("applications", [])] or ["receipt|US01|x|y|1"]
        fields = {"effective_on": self.some_day(), "reason": "R", **self.maybe(amount=self.amount())}
        await self.post(f"/v1/applications/{self.chance.choice(applications)}/unapply", fields)

    async def release(self) -> None:
        await self.post(f"/v1/{self.source()}/release", {"reason": "R"})

    async def transfer(self) -> None:
        listed = (await self.payment.get("/v1/receipts", entity="US01", state="open")).json()["receipts"]
        receipt = self.chance.choice([*(one["bank_ref"] for one in listed), "x"])
        fields = self.maybe(amount=f"{self.chance.randint(1, 20)}.00") | self.maybe(effective_on=str(D1))
        body = {"to_customer": self.chance.choice(["C-1", "C-2", "C-2"]), "reason": "R", **fields}
        shown = await self.post(f"/v1/receipts/{receipt}/transfers", body, roles=("approver",))
        made = [one["to_receipt"].partition("|")[2] for one in shown.get("transfers", [])]
        self.receipts += [one for one in (receipt, *made) if made]  # Likelier to be taken back, too.

    async def ask_back(self) -> None:
        receipt = self.chance.choice([*self.receipts, "x"])
        asked = await self.post("/v1/refunds", {"receipt": receipt, "reason": "R", **self.maybe(amount=self.amount())})
        self.refunds += [asked["refund"]] if "refund" in asked else []

    async def approve(self) -> None:
        if self.refunds:
            answer = await self.payment.post(
                f"/v1/refunds/{self.chance.choice(self.refunds)}/approve", {}, key=f"ok{self.asked}", sub="checker", roles=["approver"]
            )
            self.asked += 1
            assert answer.status_code in (200, 409), answer.text

    async def take_back(self) -> None:
        body = {"kind": "nsf", "value_on": self.some_day(), "reason": "R", **self.maybe(fee="5.00")}
        await self.post(f"/v1/receipts/{self.chance.choice([*self.receipts, 'x'])}/reverse", body)

    async def turn(self) -> None:
        await self.payment.turn("US01", await self.payment.open_on() + timedelta(days=1))


@pytest.mark.parametrize("seed", range(12))
async def test_any_sequence_of_commands_leaves_the_books_in_balance(
    payment: ServiceUnderTest, assert_books_balance: Balance, seed: int
) -> None:
    """PAY-02, PAY-07, PAY-08, PAY-10: a receipt is always the sum of its dispositions, each of them nothing or more, as of every date."""
    deeds = Deeds(payment, random.Random(seed))
    for _ in range(STEPS):
        await deeds.act_by_chance()
    await assert_books_balance(payment)
    assert await payment.db.pool.fetchval("SELECT count(*) FROM chassis.parked") == 0
