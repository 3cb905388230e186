"""S1: a row belongs to the entity its key names. That none is readable under another entity's role comes with row-level security."""

from collections.abc import Iterator

from torture.check.books import Adjustment, Document, DunnedItem, Item, Memo, Notice, ReportedItem, ReportedNotice, ReturnFee
from torture.check.evidence import Evidence
from torture.check.finding import Finding
from torture.check.ledger_rows import Allowance, Application, Exchanged, LedgerAdjustment, LedgerItem, LedgerMemo, Receipt, Refund


def s1_rows_belong_to_the_entity_of_their_key(evidence: Evidence) -> Iterator[Finding]:
    """S1: in every view."""
    books = evidence.books
    named = [("invoice", row.document, row.entity) for row in books.rows("invoice", Document)]
    named += [("invoice", row.item, row.entity) for row in books.rows("invoice", Item)]
    named += [("invoice", row.memo, row.entity) for row in books.rows("invoice", Memo)]
    named += [("invoice", name, row.entity) for row in books.rows("invoice", Adjustment) for name in (row.adjustment, row.item)]
    named += [("payment", row.item, row.entity) for row in books.rows("payment", LedgerItem)]
    named += [("payment", name, row.entity) for row in books.rows("payment", LedgerAdjustment) for name in (row.adjustment, row.item)]
    named += [("payment", row.memo, row.entity) for row in books.rows("payment", LedgerMemo)]
    named += [("payment", row.receipt, row.entity) for row in books.rows("payment", Receipt)]
    named += [("payment", name, row.entity) for row in books.rows("payment", Refund) for name in (row.refund, row.receipt)]
    named += [("invoice", row.receipt, row.entity) for row in books.rows("invoice", ReturnFee)]
    named += [("dunning", row.item, row.entity) for row in books.rows("dunning", DunnedItem)]
    named += [("dunning", row.notice, f"{row.entity}|{row.account}|{row.currency}") for row in books.rows("dunning", Notice)]
    named += [("dunning", item, row.entity) for row in books.rows("dunning", Notice) for item in row.items]
    named += [("reporting", row.item, row.entity) for row in books.rows("reporting", ReportedItem)]
    named += [("reporting", row.notice, f"{row.entity}|{row.account}|{row.currency}") for row in books.rows("reporting", ReportedNotice)]
    for service, name, owner in named:
        if not name.startswith(f"{owner}|"):
            yield Finding("S1", f"{service} {name}", f"stands under {owner}")
    pairs = [(one.application, one.source, one.item) for one in books.rows("payment", Application)]
    pairs += [(one.allowance, one.receipt, one.item) for one in books.rows("payment", Allowance)]
    pairs += [(one.application, one.receipt, one.item) for one in books.rows("payment", Exchanged)]
    for name, source, item in pairs:
        if source.split("|")[0] != item.split("|")[0]:
            yield Finding("S1", name, f"{source} pays {item} of another entity")


def s1_facts_belong_to_the_entity_of_their_key(evidence: Evidence) -> Iterator[Finding]:
    """S1: of facts, the entity in key, context and data is one."""
    for fact in evidence.log.firsts:
        if fact.key.startswith("?|"):
            continue  # The answer to something that named no entity.
        entities = {fact.key.split("|")[0], fact.entity, fact.data.get("entity", fact.entity)}
        if len(entities) > 1:
            yield Finding("S1", fact.id, f"speaks of the entities {sorted(map(str, entities))}")
