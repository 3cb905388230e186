"""Parts of a day that are finished, so that the rest of the day need not look at them again."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

from payment.domain.books import ALLOWANCE, FX, MEMO, RECEIPT, REFERENCE, Books, Entry, Source

Node: TypeAlias = Source | str
"""A source, or the id of an item."""


def finished(books: Books, target: Mapping[Entry, int], booked: Mapping[Entry, int]) -> set[Entry]:
    """
    Return the entries of `target` that `settle` need not decide again unless something new names what they join.

    Sources and items form one part when one pays or names the other. A part is finished when all its money and credit is spent, all its
    items are settled, and all of that was done by reference, just now: nothing of it can meet what is outside, because all of that has been
    weighed already, and what is still to come has to name one of its invoices, or be an invoice that one of its receipts names. A part
    with a void, an adjustment or a person's decision is never finished: it is rare, and one that may come settles the whole day again. What
    a payment was allowed to keep back belongs to it.
    """
    part = _Parts()
    left: dict[Node, int] = defaultdict(int, {item.id: item.open_minor for item in books.items})
    left |= {Source(RECEIPT, one.id): one.unapplied_minor + one.on_account_minor for one in books.money}
    left |= {Source(MEMO, one.id): one.remaining_minor for one in books.memos}
    by_document: dict[str, list[str]] = defaultdict(list)
    for item in books.items:
        by_document[item.document_no].append(item.id)
    for money in books.money:
        part.join(Source(RECEIPT, money.id), *(item for name in money.names for item in by_document.get(name, ())))
    for memo in books.memos:
        part.join(Source(MEMO, memo.id), *by_document.get(memo.names or "", ()))
    unfinished: set[Node] = {node for one in books.decisions for node in (one.source, one.item) if node}
    unfinished |= {one.item for one in books.adjustments}
    for entry, minor in target.items():
        if entry.rule == FX:
            continue
        source = _payer(entry)
        if entry.item:
            part.join(source, entry.item)
            left[entry.item] -= minor
            left[source] -= minor if source == entry.source else 0
        is_settled = bool(entry.item) and (entry.rule == REFERENCE or entry.source.kind == ALLOWANCE)
        if not is_settled or minor < 0 or entry in booked:
            unfinished.add(source)
    open_parts = {part.of(node) for node in part.nodes() if left[node] or node in unfinished}
    return {entry for entry in target if part.of(_payer(entry)) not in open_parts}


def _payer(entry: Entry) -> Source:
    """The money or credit an entry is about: of an allowance, the payment that kept it back."""
    return Source(RECEIPT, entry.source.id) if entry.source.kind == ALLOWANCE else entry.source


class _Parts:
    """Disjoint sets of nodes (union-find with path halving)."""

    def __init__(self) -> None:
        self._parent: dict[Node, Node] = {}

    def nodes(self) -> list[Node]:
        return list(self._parent)

    def of(self, node: Node) -> Node:
        parent = self._parent
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(self, *nodes: Node) -> None:
        first = self.of(nodes[0])
        for node in nodes[1:]:
            self._parent[self.of(node)] = first
