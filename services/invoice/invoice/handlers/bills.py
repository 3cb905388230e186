"""Consolidated bills: several documents of an account under one payable reference (INV-12)."""

from collections.abc import Sequence

from chassis.database import Connection
from chassis.service import Batch, Fact
from events.ingress import check_identifier
from events.invoice import ConsolidatedBillIssued, Reason
from money import format_minor
from policies.customers import load_accounts

from invoice.domain import bills
from invoice.domain.bills import Bill, BillRequest
from invoice.domain.drafts import document_id
from invoice.domain.faults import Fault
from invoice.queries import bills as queries


class BillNumberTaken(Exception):
    """The entity has a bill of this number that was asked for otherwise. It stays as it is: take another number."""


class BillRefused(Exception):
    """These documents cannot be billed together; `reasons` are all there are."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__()
        self.reasons = list(reasons)


async def issue_bill(db: Connection, request: BillRequest, batch: Batch) -> tuple[list[Fact], queries.StoredBill]:
    """
    Put what is payable on a bill of the open day and say so; asked for under the same number once more, it is the same bill and no fact.

    Two that bill the same documents at once meet at the index of live bills: the later one begins anew and finds them taken.

    :raises BillNumberTaken: another bill has the number asked for.
    :raises BillRefused: with every reason.
    """
    open_on = batch.open_on[request.entity]
    _refuse(bills.faults_of(request, open_on), [check_identifier("customer", request.customer)])
    if request.bill_no is not None and (there := await queries.find_bill(db, request.entity, request.bill_no)) is not None:
        if there.content_hash != request.content_hash:
            raise BillNumberTaken
        return [], there
    name = (request.entity, request.customer)
    account = (await load_accounts(db, [name], batch.open_on))[name]
    if request.invoices is not None:
        payables = await queries.load_named(db, request.entity, request.invoices)
    else:
        payables = await queries.load_open(db, request.entity, account, request.currency)
    prefix = bills.running_prefix(request, open_on)
    bill_no = request.bill_no or bills.running_number(prefix, await queries.find_next_number(db, request.entity, prefix))
    bill = bills.consolidate(request, account, bill_no, payables, open_on)
    if not isinstance(bill, Bill):
        raise BillRefused(_reasons(bill))
    if await queries.is_reference_taken(db, bill.entity, bill.payment_reference):
        raise BillRefused([Reason(code="PAYMENT_REFERENCE_TAKEN", field="bill_no")])
    await queries.insert_bill(db, bill, batch.now)
    stored = await queries.find_bill(db, bill.entity, bill.bill_no)
    assert stored is not None, "it was just written"
    return [_issued(bill)], stored


def _issued(bill: Bill) -> Fact:
    """Say that a bill was issued; effective on the open day."""
    data = ConsolidatedBillIssued(
        entity=bill.entity,
        bill=bill.id,
        bill_no=bill.bill_no,
        customer=bill.customer,
        account=bill.account,
        currency=bill.currency,
        issued_on=bill.issued_on,
        through_on=bill.through_on,
        total=format_minor(bill.total_minor, bill.currency),
        invoices=[document_id(bill.entity, document.document_no) for document in bill.documents],
        payment_reference=bill.payment_reference,
        due_on=bill.due_on,
        replaces=[bills.bill_id(bill.entity, bill_no) for bill_no in bill.replaces],
    )
    return Fact(data, bill.entity, f"{bill.entity}|{bill.account}", effective_on=bill.issued_on)


def _refuse(faults: Sequence[Fault], reasons: Sequence[Reason | None]) -> None:
    every = _reasons(faults) + [reason for reason in reasons if reason is not None]
    if every:
        raise BillRefused(every)


def _reasons(faults: Sequence[Fault]) -> list[Reason]:
    return [Reason(code=fault.code, field=fault.field) for fault in faults]
