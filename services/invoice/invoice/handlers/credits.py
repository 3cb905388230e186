"""Credit memos that people issue over an invoice: what of them is tax follows from it (INV-06)."""

from fractions import Fraction

import msgspec
from chassis.database import Connection
from events.ingress import check_identifier
from events.invoice import Reason
from money import AmountRefused, CurrencyUnknown, format_minor, parse_minor

from invoice.domain import Document, Draft
from invoice.domain.components import credit_in_parts, tax_in_total
from invoice.queries import documents as queries


async def state_tax(db: Connection, memo: Document) -> Document:
    """State the tax of a memo that names an invoice and says only its total, in proportion to what is left of the invoice's."""
    ref = memo.ref_document_no
    if memo.kind != "credit_memo" or ref is None or memo.has_components:
        return memo
    credited = await queries.lock_credited(db, memo.entity, ref, memo.document_no)
    if credited is None or credited.currency != memo.currency:
        return memo
    return memo.with_tax(tax_in_total(credited.billed, credited.before, memo.total_minor))


async def state_total(db: Connection, draft: Draft, net: str) -> Draft | list[Reason]:
    """
    Make the total of a memo that says its net amount: with its share of the tax of the invoice it names, each part rounded for itself.

    Returns every reason why that cannot be done: the invoice must be here, say its tax, and have so much left.
    """
    try:
        net_minor = parse_minor(net, draft.currency)
    except (AmountRefused, CurrencyUnknown) as error:
        return [Reason(code=error.code, field="net" if isinstance(error, AmountRefused) else "currency")]
    ref = draft.ref_document_no
    if ref is None or check_identifier("ref_document_no", ref) is not None:
        return [Reason(code="MISSING" if ref is None else "BAD_IDENTIFIER", field="ref_document_no")]
    credited = await queries.lock_credited(db, draft.entity, ref, draft.document_no)
    if credited is None or credited.currency != draft.currency:
        return [Reason(code="TAX_UNKNOWN", field="ref_document_no")]
    if not 0 < net_minor <= credited.billed.net_minor - credited.before.net_minor:
        return [Reason(code="NET_OUT_OF_RANGE", field="net")]
    parts = credit_in_parts(credited.billed, credited.before, Fraction(net_minor, credited.billed.net_minor))
    return msgspec.structs.replace(
        draft, net=net, total=format_minor(parts.total_minor, draft.currency), tax=format_minor(parts.tax_minor, draft.currency)
    )
