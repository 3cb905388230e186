"""What a name in a module means, as far as its imports tell."""

import ast
from collections.abc import Iterator

from testkit.tidy.checkout import Module


def references(module: Module) -> Iterator[tuple[str, int]]:
    """Yield every name that comes from an import, dotted in full, with its line: `date.today` is `datetime.date.today`."""
    imported = _imported(module)
    for node in module.nodes:
        if isinstance(node, ast.Attribute | ast.Name) and (dotted := _dotted(node, imported)):
            yield dotted, node.lineno


def calls(module: Module) -> Iterator[tuple[str, int]]:
    """Yield every call of a name that comes from an import, dotted in full, with its line."""
    imported = _imported(module)
    for node in module.nodes:
        if isinstance(node, ast.Call) and (dotted := _dotted(node.func, imported)):
            yield dotted, node.lineno


def _imported(module: Module) -> dict[str, str]:
    """Return what each local name stands for; imports within functions count for the whole module."""
    names: dict[str, str] = {}
    for node in module.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _dotted(node: ast.expr, imported: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return imported.get(node.id)
    if isinstance(node, ast.Attribute) and (owner := _dotted(node.value, imported)):
        return f"{owner}.{node.attr}"
    return None
