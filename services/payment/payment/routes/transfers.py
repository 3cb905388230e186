"""HTTP of money that people transfer from one account to another."""

from collections.abc import Mapping
from typing import Any, Final

from chassis.database import Connection
from chassis.http import CommandDep, Problem
from chassis.service import Batch, Fact
from events.invoice import Reason
from fastapi import APIRouter, Response

from payment.domain import RECEIPT, Source
from payment.domain.hand import Asked
from payment.handlers import transfers as handlers
from payment.handlers.decisions import DecisionUnfit, SourceUnknown
from payment.routes import ledger
from payment.routes.refusals import source_unknown, unfit
from payment.schemas.ledger import ReceiptOut
from payment.schemas.transfers import TransferBody

MAY_TRANSFER: Final = ("approver", "clerk")
MAY_LEAVE_GROUP: Final = "approver"

router = APIRouter()


@router.post("/v1/receipts/{bank_ref:path}/transfers", status_code=201, responses={201: {"model": ReceiptOut}})
async def transfer_money(bank_ref: str, body: TransferBody, command: CommandDep) -> Response:
    """
    Transfer money of a receipt that is on no item to another account, where it is a receipt of its own with the same value date.

    A clerk does so within a group, that is between accounts of customers with one parent above them; between others an approver does.
    """
    source = Source(RECEIPT, f"{body.entity}|{bank_ref}")

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        asked = Asked(batch.open_on[body.entity], body.reason, command.principal.sub, body.amount, body.effective_on)
        may_leave = MAY_LEAVE_GROUP in command.principal.roles
        try:
            facts = await handlers.transfer_by_hand(db, source, body.to_customer, asked, batch, may_leave_group=may_leave)
        except SourceUnknown:
            raise source_unknown(RECEIPT) from None
        except handlers.CustomerUnknown:
            reasons = [Reason(code="CUSTOMER_UNKNOWN", field="to_customer")]
            raise Problem(422, "CUSTOMER_UNKNOWN", "Nothing of this customer has come here.", reasons) from None
        except handlers.OutsideTheGroup:
            detail = f"The two accounts are not of one group: this needs the role {MAY_LEAVE_GROUP}."
            raise Problem(403, "OUTSIDE_THE_GROUP", detail) from None
        except DecisionUnfit as refused:
            raise unfit(refused, "TRANSFER_REFUSED") from None
        return facts, (await ledger.shown(db, body.entity, bank_ref)).model_dump(mode="json")

    return await command.run(body.entity, work, roles=MAY_TRANSFER)
