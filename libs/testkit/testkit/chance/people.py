"""What people do in stories by chance: something to some of what is there, that may be refused but never fails."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from testkit.chance.story import Deed
from testkit.service import ServiceUnderTest

_RECEIPTS: Final = "SELECT bank_ref FROM receipt WHERE entity = $1 ORDER BY 1"
_MEMOS: Final = "SELECT document_no FROM document WHERE entity = $1 AND kind = 'memo' ORDER BY 1"
_ITEMS: Final = "SELECT item FROM chk.item WHERE entity = $1 ORDER BY 1"
_APPLICATIONS: Final = (
    "SELECT application FROM chk.application WHERE application LIKE '%|' || $1 || '|%' AND amount_minor > 0 ORDER BY application"
)
_REFUNDS: Final = "SELECT refund FROM chk.refund WHERE entity = $1 ORDER BY 1"
_UNIDENTIFIED: Final = "SELECT bank_ref FROM receipt WHERE entity = $1 AND identified_on IS NULL ORDER BY 1"
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

    async def one(self, chance: random.Random, of: str) -> str:
        """Choose one of what a query finds, or name what is not there."""
        found = [row[0] for row in await self.payment.db.pool.fetch(of, self.entity)]
        return chance.choice(found) if found else f"{self.entity}|X|1"

    async def a_day(self, chance: random.Random) -> date:
        return await self.payment.open_on(self.entity) - timedelta(days=chance.choice((0, 0, 1, 2)))

    async def told(self, chance: random.Random, **fields: Any) -> dict[str, Any]:
        """Say a body with, perhaps, an amount and a date of its own."""
        body = {"entity": self.entity, "reason": "R", **fields}
        body |= {"amount": chance.choice(("1.00", "5.00", "10.00", "20.00"))} if chance.random() < 0.5 else {}
        return body | ({"effective_on": str(await self.a_day(chance))} if chance.random() < 0.4 else {})

    async def apply(self, chance: random.Random) -> None:
        receipt, item = await self.one(chance, _RECEIPTS), await self.one(chance, _ITEMS)
        await self.post(f"/v1/receipts/{receipt}/applications", await self.told(chance, item=item))

    async def credit(self, chance: random.Random) -> None:
        memo, item = await self.one(chance, _MEMOS), await self.one(chance, _ITEMS)
        await self.post(f"/v1/memos/{memo}/applications", await self.told(chance, item=item))

    async def unapply(self, chance: random.Random) -> None:
        application = await self.one(chance, _APPLICATIONS)
        body = {"effective_on": str(await self.a_day(chance)), **await self.told(chance)}
        await self.post(f"/v1/applications/{application}/unapply", body)

    async def release(self, chance: random.Random) -> None:
        await self.post(f"/v1/receipts/{await self.one(chance, _RECEIPTS)}/release", {"entity": self.entity, "reason": "R"})

    async def release_credit(self, chance: random.Random) -> None:
        await self.post(f"/v1/memos/{await self.one(chance, _MEMOS)}/release", {"entity": self.entity, "reason": "R"})

    async def refund(self, chance: random.Random) -> None:
        body = await self.told(chance, receipt=await self.one(chance, _RECEIPTS))
        await self.post("/v1/refunds", {name: value for name, value in body.items() if name != "effective_on"})

    async def approve(self, chance: random.Random) -> None:
        await self.post(f"/v1/refunds/{await self.one(chance, _REFUNDS)}/approve", {}, sub="boss", role="approver")

    async def reject(self, chance: random.Random) -> None:
        await self.post(f"/v1/refunds/{await self.one(chance, _REFUNDS)}/reject", {"reason": "R"}, sub="boss", role="approver")

    async def transfer(self, chance: random.Random) -> None:
        receipt, customer = await self.one(chance, _RECEIPTS), await self.one(chance, _CUSTOMERS)
        role = chance.choice(("clerk", "approver", "approver"))
        await self.post(f"/v1/receipts/{receipt}/transfers", await self.told(chance, to_customer=customer), role=role)

    async def reverse(self, chance: random.Random, way: str = "standard") -> None:
        body = {"entity": self.entity, "kind": "nsf", "value_on": str(await self.a_day(chance)), "reason": "R", "as": way}
        await self.post(f"/v1/receipts/{await self.one(chance, _RECEIPTS)}/reverse", body)

    async def bill_anew(self, chance: random.Random) -> None:
        await self.reverse(chance, "debit_memo")

    async def identify(self, chance: random.Random) -> None:
        receipt, customer = await self.one(chance, _UNIDENTIFIED), await self.one(chance, _CUSTOMERS)
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
