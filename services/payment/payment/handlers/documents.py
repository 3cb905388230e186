"""Documents: they become items and open credit, tell whose money receipts that name them are, are voided and written off."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events.envelope import Envelope
from events.invoice import Billed, CreditMemoIssued, DebitMemoIssued, InvoiceIssued, InvoiceVoided, WriteOffApproved
from money import parse_minor

from payment.domain import ADJUSTMENT, MEMO, RECEIPT, REFERENCE, digest_of
from payment.domain.instalments import early_payment, share
from payment.handlers.bookings import ACCOUNT, DEBIT_MEMO, INVOICE, in_order
from payment.handlers.corrections import correct
from payment.handlers.kept import early_to_json
from payment.handlers.payers import Move, lock_with_movable, move_receipts
from payment.handlers.references import references_of
from payment.handlers.settlement import Named, settle_accounts
from payment.queries import intake, locks
from payment.queries.intake import NewDocument, NewItem, NewMemo
from payment.queries.references import insert_references

Document: TypeAlias = Billed | CreditMemoIssued
Told: TypeAlias = Document | InvoiceVoided | WriteOffApproved
Name: TypeAlias = tuple[str, str]

_KINDS: Final[Mapping[type[Document], str]] = {InvoiceIssued: INVOICE, DebitMemoIssued: DEBIT_MEMO, CreditMemoIssued: MEMO}


async def record_documents(db: Connection, received: Sequence[Received[Told]], batch: Batch) -> list[Fact]:
    """
    Open the items of invoices and debit memos and the credit of memos, take in voids and approved adjustments, and settle their accounts.

    A receipt without a payer that names a document finds its payer; one that found its payer today moves to a better named one.

    :raises AmountRefused, CurrencyUnknown: a fact does not carry amounts of its currency.
    :raises ItemUnknown: a void or an adjustment is about what is not here.
    """
    documents = [one.data for one in received if isinstance(one.data, Billed | CreditMemoIssued)]
    rows = [_row(one, batch) for one in documents]
    more = references_of([one for one in documents if isinstance(one, Billed)])
    digests = {one.digest for one in rows} | {one.digest for one in more}
    await locks.lock_names(db, digests)
    ids = await intake.insert_documents(db, rows)
    await insert_references(db, more)
    names = {(one.data.entity, one.data.account) for one in received}
    accounts, moves = await lock_with_movable(db, names, digests, batch.open_on)
    account_ids = {name: account.id for name, account in accounts.items()}
    await intake.insert_items(db, [item for one in documents if isinstance(one, Billed) for item in _items(one, ids, account_ids)])
    await intake.insert_memos(db, [_memo(one, ids, account_ids) for one in documents if isinstance(one, CreditMemoIssued)])
    brought = await correct(db, received, account_ids, batch)

    causes = _causes(received, moves)
    bookings = await move_receipts(db, moves, accounts, batch.open_on, causes)
    afresh = {name for move in moves for name in move.touches}
    afresh |= {(one.data.entity, one.data.account) for one in received if not isinstance(one.data, Billed)}
    days = {accounts[name]: batch.open_on[name[0]] for name in sorted(names | afresh)}
    settled = await settle_accounts(db, days, causes, Named(as_documents=digests), [accounts[name] for name in afresh], brought)
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
        terms=document.terms if isinstance(document, Billed) else None,
        total_minor=parse_minor(document.total, document.currency),
        tax_minor=None if document.tax is None else parse_minor(document.tax, document.currency),
        base_currency=document.valuation.currency if isinstance(document, Billed) and document.valuation is not None else None,
    )


def _items(billed: Billed, ids: Mapping[Name, int], account_ids: Mapping[Name, int]) -> list[NewItem]:
    document_id, account_id = ids[billed.entity, billed.document_no], account_ids[billed.entity, billed.account]
    amounts = [parse_minor(one.amount, billed.currency) for one in billed.instalments]
    early = early_payment(billed.discount, billed.currency, amounts)
    base: Sequence[int | None] = [None] * len(amounts)
    if billed.valuation is not None:
        base = share(parse_minor(billed.valuation.total, billed.valuation.currency), amounts)
    return [
        NewItem(document_id, account_id, one.n, one.due_on, amount, None if terms is None else early_to_json(terms), worth)
        for one, amount, terms, worth in zip(billed.instalments, amounts, early, base, strict=True)
    ]


def _memo(memo: CreditMemoIssued, ids: Mapping[Name, int], account_ids: Mapping[Name, int]) -> NewMemo:
    """`ref_invoice` is the id of an invoice in facts; we keep its number."""
    number = None if memo.ref_invoice is None else memo.ref_invoice.removeprefix(f"{memo.entity}|")
    total_minor = parse_minor(memo.total, memo.currency)
    return NewMemo(ids[memo.entity, memo.document_no], account_ids[memo.entity, memo.account], number, total_minor)


def _causes(received: Sequence[Received[Told]], moves: Sequence[Move]) -> dict[tuple[str, str], Envelope]:
    """What came causes what happens to it and on its account; the first document a moved receipt names causes its move."""
    causes: dict[tuple[str, str], Envelope] = {}
    for one in received:
        causes.setdefault((ACCOUNT, f"{one.data.entity}|{one.data.account}"), one.envelope)
        causes[_subject(one.data)] = one.envelope
    for move in moves:
        entity = move.receipt.entity
        of = [causes.get((kind, f"{entity}|{number}")) for number in move.references for kind in (INVOICE, MEMO)]
        cause = next((envelope for envelope in of if envelope is not None), None)
        if cause is not None:
            causes[RECEIPT, move.receipt.receipt] = cause
    return causes


def _subject(told: Told) -> tuple[str, str]:
    """Return what a fact is about, by kind and id in facts."""
    match told:
        case CreditMemoIssued():
            return MEMO, told.memo
        case WriteOffApproved():
            return ADJUSTMENT, told.request
        case Billed() | InvoiceVoided():
            return INVOICE, told.invoice
