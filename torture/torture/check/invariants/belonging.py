"""S1: a row belongs to the entity its key names. That none is readable under another entity's role comes with row-level security."""

from collections.abc import Iterator

from torture.check.books import (
    Adjustment,
    Application,
    Document,
    DunnedItem,
    Item,
    LedgerAdjustment,
    LedgerItem,
    LedgerMemo,
    Memo,
    Notice,
    Receipt,
    ReportedItem,
    ReportedNotice,
)
from torture.check.evidence import Evidence
from torture.check.finding import Finding


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
    named += [("dunning", row.item, row.entity) for row in books.rows("dunning", DunnedItem)]
    named += [("dunning", row.notice, f"{row.entity}|{row.account}|{row.currency}") for row in books.rows("dunning", Notice)]
    named += [("dunning", item, row.entity) for row in books.rows("dunning", Notice) for item in row.items]
    named += [("reporting", row.item, row.entity) for row in books.rows("reporting", ReportedItem)]
    named += [("reporting", row.notice, f"{row.entity}|{row.account}|{row.currency}") for row in books.rows("reporting", ReportedNotice)]
    for service, name, owner in named:
        if not name.startswith(f"{owner}|"):
            yield Finding("S1", f"{service} {name}", f"stands under {owner}")
    for one in books.rows("payment", Application):
        if one.source.split("|")[0] != one.item.split("|")[0]:
            yield Finding("S1", one.application, f"{one.source} pays {one.item} of another entity")


def s1_facts_belong_to_the_entity_of_their_key(evidence: Evidence) -> Iterator[Finding]:
    """S1: of facts, the entity in key, context and data is one."""
    for fact in evidence.log.firsts:
        if fact.key.startswith("?|"):
            continue  # The answer to something that named no entity.
        entities = {fact.key.split("|")[0], fact.entity, fact.data.get("entity", fact.entity)}
        if len(entities) > 1:
            yield Finding("S1", fact.id, f"speaks of the entities {sorted(map(str, entities))}")
