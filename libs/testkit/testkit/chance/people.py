"""What people do in stories by chance: something to some of what is there, that may be refused but never fails."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from testkit.chance.story import Deed
from testkit.service import ServiceUnderTest

_RECEIPTS: Final = "SELECT receipt FROM chk.receipt WHERE entity = $1 ORDER BY 1"
_FREE: Final = "SELECT receipt FROM chk.receipt WHERE entity = $1 AND unapplied_minor + on_account_minor > 0 ORDER BY 1"
_PINNED: Final = "SELECT receipt FROM chk.receipt WHERE entity = $1 AND pinned_minor > 0 ORDER BY 1"
_UNIDENTIFIED: Final = "SELECT receipt FROM chk.receipt WHERE entity = $1 AND unidentified_minor > 0 ORDER BY 1"
_MEMOS: Final = "SELECT memo FROM chk.memo WHERE entity = $1 AND remaining_minor > 0 ORDER BY 1"
_ITEMS: Final = "SELECT item FROM chk.item WHERE entity = $1 AND open_minor > 0 ORDER BY 1"
_ITEMS_BESIDE: Final = (
    "SELECT item FROM chk.item WHERE open_minor > 0 AND (entity, account, currency) IN (SELECT entity, account, currency FROM chk.receipt"
    " WHERE receipt = $1 UNION ALL SELECT entity, account, currency FROM chk.memo WHERE memo = $1) ORDER BY 1"
)
_APPLICATIONS: Final = (
    "SELECT application FROM chk.application WHERE application LIKE '%|' || $1 || '|%' AND amount_minor > 0 ORDER BY application"
)
_REFUNDS: Final = "SELECT refund FROM chk.refund WHERE entity = $1 AND status = 'pending' ORDER BY 1"
_CUSTOMERS: Final = "SELECT DISTINCT customer FROM document WHERE entity = $1 ORDER BY 1"
_ALIASES: Final = "SELECT id::text FROM alias WHERE entity = $1 ORDER BY kind, digest, account"
_SUGGESTIONS: Final = "SELECT suggestion FROM suggestion WHERE entity = $1 AND state = 'made' ORDER BY 1"

POLICIES: Final[Sequence[tuple[str, Mapping[str, Any]]]] = (
    ("cash_application", {"rules": ["exact_item", "clear_account", "oldest_first"], "partials": False}),
    ("cash_application", {"rules": ["clear_past_due", "clear_past_due_by_terms", "combination"], "rest": "on_account"}),
    ("cash_application", {"rules": ["combination", "exact_item", "oldest_first"], "discounts": "earned", "auto_apply": "never"}),
    ("cash_application", {"rules": [], "auto_apply": "same_reference"}),
    ("cash_application", {"rules": [], "rest": "on_account", "auto_apply": "oldest"}),
    ("cash_application", {"returns": "debit_memo"}),
    ("cash_application", {"returns": "debit_memo", "discounts": "earned", "rest": "on_account"}),
    ("cash_application", {"suggestions": {"customer": "0.80", "minimum": "0.30", "auto_apply": "0.60"}, "rules": ["exact_item"]}),
    ("tolerances", {"fixed": {"USD": "2.00", "EUR": "2.00"}, "percent": "10", "codes": {"BANK": "bank_charge", "WHT": "withholding_tax"}}),
    ("tolerances", {"fixed": {"USD": "1.00"}}),
)
"""Some of what an entity may want of its money, by kind."""


class People:
    """The people of one entity of a service."""

    def __init__(self, payment: ServiceUnderTest, entity: str) -> None:
        self.payment = payment
        self.entity = entity
        self.asked = 0
        self.answers: list[str] = []

    async def do(self, deed: Deed) -> None:
        """Do a deed; AssertionError when what it is answered is no answer."""
        await _DEEDS[deed.kind](self, random.Random(deed.seed))

    async def post(self, path: str, body: dict[str, Any], *, sub: str = "clerk-1", role: str = "clerk") -> dict[str, Any]:
        """Ask for something as somebody and keep the answer's status and code."""
        self.asked += 1
        answer = await self.payment.post(path, body, key=f"{self.entity}-{self.asked}", sub=sub, roles=(role,))
        said: dict[str, Any] = answer.json()
        self.answers.append(f"{path} {answer.status_code} {said.get('code', '')}")
        assert answer.status_code in (200, 201, 403, 404, 409, 422), (path, body, answer.text)
        return said

    async def one(self, chance: random.Random, of: str, than: str | None = None) -> str:
        """Choose one of what a query finds of the entity, or of what is named, or name what is not there."""
        found = [row[0] for row in await self.payment.db.pool.fetch(of, than or self.entity)]
        return chance.choice(found) if found else f"{self.entity}|X|1"

    async def some_receipt(self, chance: random.Random, likely: str) -> str:
        """Choose a receipt that is likely to do, by its bank reference, or any."""
        return (await self.one(chance, likely if chance.random() < 0.8 else _RECEIPTS)).partition("|")[2]

    async def an_item(self, chance: random.Random, source: str) -> str:
        """Choose an open item that money or credit may be put on, or any."""
        if chance.random() < 0.8:
            return await self.one(chance, _ITEMS_BESIDE, f"{self.entity}|{source}")
        return await self.one(chance, _ITEMS)

    async def a_day(self, chance: random.Random) -> date:
        return await self.payment.open_on(self.entity) - timedelta(days=chance.choice((0, 0, 1, 2)))

    async def told(self, chance: random.Random, **fields: Any) -> dict[str, Any]:
        """Say a body with, perhaps, an amount and a date of its own."""
        body = {"entity": self.entity, "reason": "R", **fields}
        body |= {"amount": chance.choice(("1.00", "5.00", "10.00", "20.00"))} if chance.random() < 0.5 else {}
        return body | ({"effective_on": str(await self.a_day(chance))} if chance.random() < 0.4 else {})

    async def apply(self, chance: random.Random) -> None:
        receipt = await self.some_receipt(chance, _FREE)
        await self.post(f"/v1/receipts/{receipt}/applications", await self.told(chance, item=await self.an_item(chance, receipt)))

    async def credit(self, chance: random.Random) -> None:
        memo = (await self.one(chance, _MEMOS)).partition("|")[2]
        await self.post(f"/v1/memos/{memo}/applications", await self.told(chance, item=await self.an_item(chance, memo)))

    async def unapply(self, chance: random.Random) -> None:
        application = await self.one(chance, _APPLICATIONS)
        body = {"effective_on": str(await self.a_day(chance)), **await self.told(chance)}
        await self.post(f"/v1/applications/{application}/unapply", body)

    async def release(self, chance: random.Random) -> None:
        await self.post(f"/v1/receipts/{await self.some_receipt(chance, _PINNED)}/release", {"entity": self.entity, "reason": "R"})

    async def release_credit(self, chance: random.Random) -> None:
        memo = (await self.one(chance, _MEMOS)).partition("|")[2]
        await self.post(f"/v1/memos/{memo}/release", {"entity": self.entity, "reason": "R"})

    async def refund(self, chance: random.Random) -> None:
        body = await self.told(chance, receipt=await self.some_receipt(chance, _FREE))
        await self.post("/v1/refunds", {name: value for name, value in body.items() if name != "effective_on"})

    async def approve(self, chance: random.Random) -> None:
        await self.post(f"/v1/refunds/{await self.one(chance, _REFUNDS)}/approve", {}, sub="boss", role="approver")

    async def reject(self, chance: random.Random) -> None:
        await self.post(f"/v1/refunds/{await self.one(chance, _REFUNDS)}/reject", {"reason": "R"}, sub="boss", role="approver")

    async def transfer(self, chance: random.Random) -> None:
        receipt, customer = await self.some_receipt(chance, _FREE), await self.one(chance, _CUSTOMERS)
        body = await self.told(chance, to_customer=customer)
        await self.post(f"/v1/receipts/{receipt}/transfers", body, role=chance.choice(("clerk", "approver", "approver", "approver")))

    async def reverse(self, chance: random.Random, way: str = "standard") -> None:
        body = {"entity": self.entity, "kind": "nsf", "value_on": str(await self.a_day(chance)), "reason": "R", "as": way}
        await self.post(f"/v1/receipts/{await self.some_receipt(chance, _RECEIPTS)}/reverse", body)

    async def bill_anew(self, chance: random.Random) -> None:
        await self.reverse(chance, "debit_memo")

    async def identify(self, chance: random.Random) -> None:
        receipt, customer = await self.some_receipt(chance, _UNIDENTIFIED), await self.one(chance, _CUSTOMERS)
        body = {"entity": self.entity, "customer": customer, "reason": "R", "learn": chance.random() < 0.6}
        await self.post(f"/v1/receipts/{receipt}/payer", body)

    async def link(self, chance: random.Random) -> None:
        found = [row[0] for row in await self.payment.db.pool.fetch(_ALIASES, self.entity)]
        if found:
            await self.payment.post(
                f"/v1/aliases/{chance.choice(found)}/link",
                {"reason": "R"},
                key=f"{self.entity}-link-{self.asked}-{chance.random()}",
                sub="boss",
                roles=("approver",),
            )

    async def accept(self, chance: random.Random) -> None:
        await self.post(f"/v1/suggestions/{await self.one(chance, _SUGGESTIONS)}/accept", {"reason": "R"})

    async def dismiss(self, chance: random.Random) -> None:
        await self.post(f"/v1/suggestions/{await self.one(chance, _SUGGESTIONS)}/reject", {"reason": "R"})

    async def propose(self, chance: random.Random) -> None:
        kind, body = chance.choice(POLICIES)
        valid_from = str(await self.payment.open_on(self.entity))
        proposal = {"entity": self.entity, "kind": kind, "valid_from": valid_from, "body": dict(body)}
        proposed = await self.payment.post(
            "/v1/policies", proposal, key=f"{self.entity}-p{self.asked}", sub="maker", roles=("policy_maker",)
        )
        self.asked += 1
        assert proposed.status_code == 201, proposed.text
        path = f"/v1/policies/{proposed.json()['policy']}/approve"
        approved = await self.payment.post(path, {}, key=f"{self.entity}-a{self.asked}", sub="checker", roles=("policy_checker",))
        assert approved.status_code == 200, approved.text


_DEEDS: Final[Mapping[str, Callable[[People, random.Random], Awaitable[None]]]] = {
    "apply": People.apply,
    "credit": People.credit,
    "unapply": People.unapply,
    "release": People.release,
    "release_credit": People.release_credit,
    "refund": People.refund,
    "approve": People.approve,
    "reject": People.reject,
    "transfer": People.transfer,
    "reverse": People.reverse,
    "bill_anew": People.bill_anew,
    "identify": People.identify,
    "link": People.link,
    "accept": People.accept,
    "dismiss": People.dismiss,
    "propose": People.propose,
}
