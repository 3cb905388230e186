"""Reading source for what it publishes: through imports, tables, methods and functions within functions, and no further."""

import sys
from pathlib import Path
from textwrap import dedent

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))  # Scripts are run, not installed.
from publications import read_package  # noqa: E402

HANDLERS = """
    from events import invoice
    from shop import domain
    from shop.domain import Books, decide as resolve

    async def direct(db, facts, batch):
        return [invoice.InvoiceIssued()]

    async def through_an_import(db, facts, batch):
        return resolve(facts)

    async def through_a_module(db, facts, batch):
        return domain.decide(facts)

    async def through_a_table(db, facts, batch):
        return [domain.FOLDS[type(fact)](fact) for fact in facts]

    async def through_a_method(db, facts, batch):
        return Books().close()

    async def through_an_inner_function(db, facts, batch):
        def inner():
            return direct(db, facts, batch)
        return [inner()]

    async def through_a_choice(db, facts, batch):
        kind = invoice.InvoiceIssued if facts else invoice.DocumentRejected
        return [kind()]

    async def only_reads(db, facts, batch):
        match facts:
            case invoice.InvoiceIssued():
                return []
"""
DOMAIN = """
    from events.invoice import CreditMemoIssued as Memo

    def decide(facts):
        return decide(facts[1:]) + [Memo()]

    FOLDS = {int: decide}

    class Books:
        def close(self):
            return self._memo()

        def _memo(self):
            return Memo()
"""


@pytest.mark.parametrize(
    ("function", "published"),
    [
        ("direct", ["receivables.InvoiceIssued.v1"]),
        ("through_an_import", ["receivables.CreditMemoIssued.v1"]),
        ("through_a_module", ["receivables.CreditMemoIssued.v1"]),
        ("through_a_table", ["receivables.CreditMemoIssued.v1"]),
        ("through_a_method", ["receivables.CreditMemoIssued.v1"]),
        ("through_an_inner_function", ["receivables.InvoiceIssued.v1"]),
        ("through_a_choice", ["receivables.DocumentRejected.v1", "receivables.InvoiceIssued.v1"]),
        ("only_reads", []),
    ],
)
def test_what_a_function_leads_to_is_found(function: str, published: list[str], tmp_path: Path) -> None:
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "orders.py").write_text(dedent(HANDLERS))
    (tmp_path / "handlers" / "__init__.py").write_text(f"from shop.handlers.orders import {function}\n")
    (tmp_path / "domain.py").write_text(dedent(DOMAIN))
    source = read_package(tmp_path, "shop")
    for module in ("shop.handlers.orders", "shop.handlers"):
        assert sorted(one.wire_name for one in source.publications_from((module, function))) == published


def test_places_are_named_by_file_line_and_function(tmp_path: Path) -> None:
    (tmp_path / "domain.py").write_text(dedent(DOMAIN))
    places = [(one.file.name, one.line, one.function) for one in read_package(tmp_path, "shop").all_publications()]
    assert places == [("domain.py", 5, "decide"), ("domain.py", 14, "Books._memo")]
