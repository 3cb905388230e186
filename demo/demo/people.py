"""Those who act over HTTP: who asks is never who approves, and whatever is done is done under one Idempotency-Key."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any, Final
from urllib.parse import quote

from money import format_minor, parse_minor

from demo.ledger import Act, BillAnew, LateCharges, Refund, Schedule, TakeOff, WriteOff
from demo.services import ServiceRefused, Services

Token = Callable[[str, str], str]
"""A bearer token of somebody with a role."""

CLERK: Final = ("anna.clerk", "clerk")
MANAGER: Final = ("max.manager", "approver")
POLICY_MAKER: Final = ("petra.policy", "policy_maker")
POLICY_CHECKER: Final = ("paul.policy", "policy_checker")
_LOOKS_MAX: Final = 200
_LOOK_SECONDS: Final = 0.1


class People:
    """The people of one entity."""

    def __init__(self, services: Services, token: Token) -> None:
        self._services = services
        self._token = token

    async def act(self, act: Act) -> None:
        """
        Do what the ledger says, all of it once however often it is said.

        :raises ServiceRefused: it was not allowed.
        """
        match act:
            case WriteOff(document_no, _):
                await self._write_off(document_no)
            case Schedule():
                await self._make(act)
            case LateCharges():
                await self._charge(act)
            case TakeOff(of, decided_on):
                await self._take_off(of, decided_on)
            case Refund(of, _):
                await self._refund(of)
            case BillAnew(of, decided_on):
                await self._bill_anew(of, decided_on)

    async def _write_off(self, document_no: str) -> None:
        """Ask for all that is open, approve it as somebody else; nothing where nothing is open."""
        if not await self._open_minor(document_no):
            return
        what = f"write-off of {document_no}"
        body = {"document_no": document_no, "kind": "bad_debt", "reason": "UNCOLLECTIBLE"}
        asked = await self._do(CLERK, "/v1/adjustments", body, what)
        if asked["status"] == "pending":
            await self._do(
                MANAGER, f"/v1/adjustments/{quote(asked['adjustment'], safe='')}/approve", {}, f"approval of the {what}", entity=False
            )

    async def _open_minor(self, document_no: str) -> int:
        """
        Return what is open of an invoice when the ledger and those who see it through the invoice service agree.

        :raises ServiceRefused: they do not come to agree.
        """
        for _ in range(_LOOKS_MAX):
            invoice = await self._services.get("invoice", f"/v1/invoices/{quote(document_no, safe='')}")
            items = await self._services.all_of("payment", "/v1/items", "items", account=invoice["account"])
            of_it = [parse_minor(one["open"], one["currency"]) for one in items if one["invoice"] == invoice["invoice"]]
            seen_minor = parse_minor(invoice["open"], invoice["currency"])
            if seen_minor == sum(of_it):
                return seen_minor
            await asyncio.sleep(_LOOK_SECONDS)
        raise ServiceRefused("invoice", f"does not see what is settled of {document_no}", "its settlement did not arrive")

    async def _make(self, schedule: Schedule) -> None:
        body = {
            "schedule_no": schedule.schedule_no,
            "customer": schedule.customer,
            "currency": schedule.currency,
            "every": "monthly",
            "starts_on": str(schedule.starts_on),
            "number_prefix": f"{schedule.schedule_no}-",
            "terms": f"NET{schedule.net_days}",
            "total": format_minor(schedule.amount_minor, schedule.currency),
        }
        await self._do(CLERK, "/v1/billing-schedules", body, f"schedule {schedule.schedule_no}")

    async def _charge(self, policy: LateCharges) -> None:
        since = str(policy.decided_on)
        terms = {"rates": [{"from": since, "percent": policy.percent}], "cycle": "monthly", "posting": "memo_only"}
        body = {"kind": "late_charges", "valid_from": since, "body": terms}
        proposed = await self._do(POLICY_MAKER, "/v1/policies", body, "policy of late charges")
        await self._do(POLICY_CHECKER, f"/v1/policies/{proposed['policy']}/approve", {}, "approval of the policy", entity=False)

    async def _take_off(self, bank_ref: str, day: date) -> None:
        """Take money off every item that it pays."""
        receipt = await self._services.get("payment", f"/v1/receipts/{quote(bank_ref, safe='')}")
        for one in receipt["applications"]:
            path = f"/v1/applications/{quote(one['application'], safe='')}/unapply"
            body = {"effective_on": str(day), "reason": "NOT_MEANT_FOR_US"}
            await self._do(CLERK, path, body, f"taking {bank_ref} off {one['item']}", service="payment")

    async def _refund(self, bank_ref: str) -> None:
        """Ask for all that is free to be paid back, and approve it as somebody else; nothing where nothing is free."""
        receipt = await self._services.get("payment", f"/v1/receipts/{quote(bank_ref, safe='')}")
        if not any(parse_minor(receipt[name], receipt["currency"]) for name in ("unapplied", "on_account")):
            return
        what, body = f"refund of {bank_ref}", {"receipt": bank_ref, "reason": "NOT_MEANT_FOR_US"}
        asked = await self._do(CLERK, "/v1/refunds", body, what, service="payment")
        path = f"/v1/refunds/{quote(asked['refund'], safe='')}/approve"
        await self._do(MANAGER, path, {}, f"approval of the {what}", entity=False, service="payment")

    async def _bill_anew(self, bank_ref: str, day: date) -> None:
        """Say that a bank took money back, and have it billed anew; nothing where any of it is on no item."""
        path = f"/v1/receipts/{quote(bank_ref, safe='')}"
        receipt = await self._services.get("payment", path)
        if receipt["applied"] == receipt["amount"] and receipt["debited_on"] is None:
            body = {"value_on": str(day), "kind": "return", "reason": "TAKEN_BACK", "as": "debit_memo"}
            await self._do(CLERK, f"{path}/reverse", body, f"billing {bank_ref} anew", service="payment")

    async def _do(
        self, who: tuple[str, str], path: str, body: dict[str, Any], what: str, *, entity: bool = True, service: str = "invoice"
    ) -> dict[str, Any]:
        """Send a command about what is its key, too."""
        return await self._services.post(
            service, path, {"entity": self._services.entity, **body} if entity else body, token=self._token(*who), key=what
        )
