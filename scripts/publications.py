"""
Where facts are published, found in the source: every place that constructs a class of `libs/events`, and what a function leads to.

A name is followed through imports, through calls and references by name, and through method names of the service's own classes.
So it finds at least what can happen from a function; it does not know which branch is taken.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from events import facts
from events.fact import FactKind

FunctionId = tuple[str, str]
"""Module and qualified name, such as ("payment.domain", "Books.apply"); the name is empty for code outside functions."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A place where a fact is constructed; `function` is empty outside functions."""

    wire_name: str
    file: Path
    line: int
    function: str


@dataclass(slots=True)
class Source:
    """What was read of one package: publications and references by function, functions by their bare names."""

    publications: dict[FunctionId, list[Publication]] = field(default_factory=dict)
    references: dict[FunctionId, set[FunctionId]] = field(default_factory=dict)
    methods: dict[str, set[FunctionId]] = field(default_factory=dict)
    called_methods: dict[FunctionId, set[str]] = field(default_factory=dict)
    aliases: dict[FunctionId, FunctionId] = field(default_factory=dict)

    def all_publications(self) -> list[Publication]:
        """Every place that constructs a fact, by file and line."""
        return sorted((one for found in self.publications.values() for one in found), key=lambda one: (one.file, one.line))

    def publications_from(self, start: FunctionId) -> list[Publication]:
        """Every place that can be reached from a function, by file and line."""
        reached: set[FunctionId] = set()
        waiting = [start]
        while waiting:
            current = waiting.pop()
            if current in reached:
                continue
            reached.add(current)
            waiting += self.references.get(current, ())
            if current in self.aliases:
                waiting.append(self.aliases[current])
            for method in self.called_methods.get(current, ()):
                waiting += self.methods.get(method, ())
        found = [one for function in reached for one in self.publications.get(function, ())]
        return sorted(found, key=lambda one: (one.file, one.line))


def read_package(folder: Path, package: str) -> Source:
    """Read every module of a package folder."""
    source = Source()
    for path in sorted(folder.rglob("*.py")):
        parts = [*package.split("."), *path.relative_to(folder).with_suffix("").parts]
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        _Reader(source, path, module).visit(ast.parse(path.read_text(), str(path)))
    return source


_BY_CLASS: Mapping[tuple[str, str], FactKind] = {(f"events.{kind.owner}", kind.event.__name__): kind for kind in facts().values()}


class _Reader(ast.NodeVisitor):
    """Walks one module, noting for each function, class and module-level name what it constructs and what it refers to."""

    def __init__(self, source: Source, path: Path, module: str) -> None:
        self.source, self.path, self.module = source, path, module
        self.imported: dict[str, tuple[str, str]] = {}  # Local name: the module, and the name in it or "" for the module itself.
        self.scope: list[ast.AST] = []
        self.names: list[str] = []

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.split(".")[0]
            self.imported[alias.asname or top] = (alias.name if alias.asname else top, "")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            name = alias.asname or alias.name
            self.imported[name] = (node.module or "", alias.name)
            self.source.aliases[self.module, name] = (node.module or "", alias.name)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._walk(node.name, node, node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outside = self._here()
        within = self.scope[-1] if self.scope else None
        here = self._walk(node.name, node, node)
        if isinstance(within, ast.ClassDef):
            self.source.methods.setdefault(node.name, set()).add(here)
        elif within is not None:  # A function within a function is reached with it.
            self.source.references.setdefault(outside, set()).add(here)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if names and not self.scope:  # A table of functions at module level: whoever reads it may call them.
            self._walk(names[0], node, node.value)
            return
        if self.scope:  # `fact = A if … else B`, to be constructed under that name.
            for chosen in _choices(node.value):
                self._note_publication(chosen)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Name) and not self.scope and node.value is not None:
            self._walk(node.target.id, node, node.value)
        else:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self._note_publication(node.func)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        self._refer(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if self._target(node) is None:
            self.source.called_methods.setdefault(self._here(), set()).add(node.attr)
        self._refer(node)
        self.generic_visit(node)

    def _note_publication(self, node: ast.expr) -> None:
        kind = _BY_CLASS.get(self._target(node) or ("", ""))
        if kind is not None:
            place = Publication(kind.type, self.path, node.lineno, ".".join(self.names))
            self.source.publications.setdefault(self._here(), []).append(place)

    def _walk(self, name: str, scope: ast.AST, body: ast.AST) -> FunctionId:
        """Visit a body under a name of its own and return that name."""
        self.names.append(name)
        self.scope.append(scope)
        here = self._here()
        if body is scope:
            self.generic_visit(body)
        else:
            self.visit(body)
        self.scope.pop()
        self.names.pop()
        return here

    def _here(self) -> FunctionId:
        return self.module, ".".join(self.names)

    def _refer(self, node: ast.expr) -> None:
        target = self._target(node)
        if target is not None:
            self.source.references.setdefault(self._here(), set()).add(target)

    def _target(self, node: ast.expr) -> tuple[str, str] | None:
        """Return the module and the name in it that an expression means, if imports or this module tell."""
        if isinstance(node, ast.Name):
            module, name = self.imported.get(node.id, (self.module, node.id))
            return (module, name) if name else None
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in self.imported:
            module, name = self.imported[node.value.id]
            return (f"{module}.{name}" if name else module, node.attr)
        return None


def _choices(value: ast.expr) -> list[ast.expr]:
    return [*_choices(value.body), *_choices(value.orelse)] if isinstance(value, ast.IfExp) else [value]
