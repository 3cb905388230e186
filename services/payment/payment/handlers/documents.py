"""Invoices and credit memos: they become items and open credit, and tell whose money receipts that name them are."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events.envelope import Envelope
from events.invoice import CreditMemoIssued, InvoiceIssued
from money import parse_minor

from payment.domain import MEMO, RECEIPT, REFERENCE, digest_of
from payment.handlers.bookings import ACCOUNT, INVOICE, in_order
from payment.handlers.payers import Move, lock_with_movable, move_receipts
from payment.handlers.settlement import Named, settle_accounts
from payment.queries import intake, locks
from payment.queries.intake import NewDocument, NewItem, NewMemo

Document: TypeAlias = InvoiceIssued | CreditMemoIssued
Name: TypeAlias = tuple[str, str]

_KINDS: Final[Mapping[type[Document], str]] = {InvoiceIssued: INVOICE, CreditMemoIssued: MEMO}


async def open_items(db: Connection, received: Sequence[Received[Document]], batch: Batch) -> list[Fact]:
    """
    Open the items of invoices and the credit of memos, and settle their accounts.

    A receipt without a payer that names one of them finds its payer; one that found its payer today moves to a better named one.

    :raises AmountRefused, CurrencyUnknown: a fact does not carry amounts of its currency.
    """
    documents = [one.data for one in received]
    rows = [_row(one, batch) for one in documents]
    digests = {one.digest for one in rows}
    await locks.lock_names(db, digests)
    ids = await intake.insert_documents(db, rows)
    names = {(one.entity, one.account) for one in documents}
    accounts, moves = await lock_with_movable(db, names, digests, batch.open_on)
    account_ids = {name: account.id for name, account in accounts.items()}
    await intake.insert_items(db, [item for one in documents if isinstance(one, InvoiceIssued) for item in _items(one, ids, account_ids)])
    await intake.insert_memos(db, [_memo(one, ids, account_ids) for one in documents if isinstance(one, CreditMemoIssued)])

    causes = _causes(received, moves)
    bookings = await move_receipts(db, moves, accounts, batch.open_on, causes)
    afresh = {name for move in moves for name in move.touches} | {(one.entity, one.account) for one in rows if one.kind == MEMO}
    days = {accounts[name]: batch.open_on[name[0]] for name in sorted(names | afresh)}
    settled = await settle_accounts(db, days, causes, Named(as_documents=digests), [accounts[name] for name in afresh])
    return in_order(bookings + settled)


def _row(document: Document, batch: Batch) -> NewDocument:
    return NewDocument(
        entity=document.entity,
        document_no=document.document_no,
        kind=_KINDS[type(document)],
        account=document.account,
        customer=document.customer,
        currency=document.currency,
        issued_on=document.issued_on,
        booked_on=batch.open_on[document.entity],
        digest=digest_of(document.entity, REFERENCE, document.document_no.casefold()),
    )


def _items(invoice: InvoiceIssued, ids: Mapping[Name, int], account_ids: Mapping[Name, int]) -> list[NewItem]:
    document_id, account_id = ids[invoice.entity, invoice.document_no], account_ids[invoice.entity, invoice.account]
    return [NewItem(document_id, account_id, one.n, one.due_on, parse_minor(one.amount, invoice.currency)) for one in invoice.instalments]


def _memo(memo: CreditMemoIssued, ids: Mapping[Name, int], account_ids: Mapping[Name, int]) -> NewMemo:
    """`ref_invoice` is the id of an invoice in facts; we keep its number."""
    number = None if memo.ref_invoice is None else memo.ref_invoice.removeprefix(f"{memo.entity}|")
    total_minor = parse_minor(memo.total, memo.currency)
    return NewMemo(ids[memo.entity, memo.document_no], account_ids[memo.entity, memo.account], number, total_minor)


def _causes(received: Sequence[Received[Document]], moves: Sequence[Move]) -> dict[tuple[str, str], Envelope]:
    """A document causes what happens to it and on its account; the first document a moved receipt names causes its move."""
    causes: dict[tuple[str, str], Envelope] = {}
    for one in received:
        causes.setdefault((ACCOUNT, f"{one.data.entity}|{one.data.account}"), one.envelope)
        causes[_KINDS[type(one.data)], f"{one.data.entity}|{one.data.document_no}"] = one.envelope
    for move in moves:
        entity = move.receipt.entity
        of = [causes.get((kind, f"{entity}|{number}")) for number in move.references for kind in (INVOICE, MEMO)]
        cause = next((envelope for envelope in of if envelope is not None), None)
        if cause is not None:
            causes[RECEIPT, move.receipt.receipt] = cause
    return causes
