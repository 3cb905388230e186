"""Time is an argument: one module reads the clock, and no statement asks the database for it."""

import ast
import re
from collections.abc import Iterator

from testkit.tidy.checkout import Checkout, Module
from testkit.tidy.names import references

THE_CLOCK = "libs/chassis/chassis/clock.py"
_READS = {"datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"}
_SQL_CLOCK = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(|\b(current_(date|time|timestamp)|localtime(stamp)?)\b",
    re.IGNORECASE,
)


def clock_reads(checkout: Checkout) -> list[str]:
    """Nobody but the clock asks what time it is, tests included."""
    return [
        f"{module.path}:{line}: reads the clock; time is an argument"
        for module in checkout.modules
        if module.path != THE_CLOCK
        for name, line in references(module)
        if name in _READS
    ]


def clock_reads_in_sql(checkout: Checkout) -> list[str]:
    """No statement, default or trigger takes the database's time: a replay would end in other books."""
    found = [
        f"{module.path}:{line}: a statement reads the clock"
        for module in checkout.modules
        if module.path.startswith(("services/", "libs/chassis/chassis/", "libs/policies/policies/")) and not module.is_test
        for line, text in _texts(module)
        if _SQL_CLOCK.search(text)
    ]
    return found + [
        f"{path}:{number}: a statement reads the clock"
        for path in checkout.files
        if path.endswith(".sql")
        for number, line in enumerate(checkout.read(path).splitlines(), start=1)
        if _SQL_CLOCK.search(line)
    ]


def _texts(module: Module) -> Iterator[tuple[int, str]]:
    """Yield the string literals that are not docstrings."""
    docstrings = {id(node.value) for node in module.nodes if isinstance(node, ast.Expr)}
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value
