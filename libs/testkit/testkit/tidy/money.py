"""Amounts are exact: no float near them, and columns that hold them as whole minor units beside their currency."""

import ast
import re
from collections.abc import Collection

from sqlalchemy import CHAR, BigInteger, Date, DateTime, Float, MetaData, Numeric, Table

from testkit.tidy.checkout import Checkout

_NEAR_MONEY = re.compile(
    r"^(libs/money/money|libs/events/events|libs/policies/policies|services/\w+/\w+/(domain|handlers|queries|schemas|tables))\b"
)


def floats(checkout: Checkout) -> list[str]:
    """Neither the type nor a literal of it where amounts are read, decided, kept or written."""
    return [
        f"{module.path}:{node.lineno}: a float near money"
        for module in checkout.modules
        if _NEAR_MONEY.match(module.path)
        for node in module.nodes
        if (isinstance(node, ast.Name) and node.id == "float") or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]


def loose_columns(metadata: MetaData, *, currency_elsewhere: Collection[str] = ()) -> list[str]:
    """
    Amounts are BIGINT with a CHAR(3) currency in their row or in the row it refers to, instants are timestamptz, dates are dates.

    :param currency_elsewhere: tables whose rows may come before the row that has their currency.
    """
    found = []
    for table in metadata.sorted_tables:
        amounts = [column for column in table.columns if column.name.endswith("_minor")]
        found += [f"{column} is not BIGINT" for column in amounts if not isinstance(column.type, BigInteger)]
        if amounts and table.name not in currency_elsewhere and not _has_currency(table):
            found.append(f"{table.name} holds amounts and neither a currency nor a reference to a row with one")
        for column in table.columns:
            kind = column.type
            if column.name == "currency" and not (isinstance(kind, CHAR) and kind.length == 3):
                found.append(f"{column} is not CHAR(3)")
            if isinstance(kind, Float | Numeric):
                found.append(f"{column} is not exact")
            if (column.name.endswith("_at") or isinstance(kind, DateTime)) and not (isinstance(kind, DateTime) and kind.timezone):
                found.append(f"{column} is not timestamptz")
            if column.name.endswith("_on") and not isinstance(kind, Date):
                found.append(f"{column} is not a date")
    return found


def _has_currency(table: Table) -> bool:
    return "currency" in table.columns or any(
        _has_currency(key.column.table) for key in table.foreign_keys if key.column.table is not table
    )
