"""A checkout as the rules read it: files that are ours, and Python modules with their syntax trees."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_SUFFIXES = {".py", ".md", ".sql", ".toml", ".txt", ".in", ".lock", ".sh", ".html", ".css", ".json", ".csv", ""}
_FOLDERS_SKIPPED = {"__pycache__", "build", "dist", "vendor"}
_HIDDEN_FOLDERS_READ = {".ci", ".github"}


@dataclass(frozen=True)
class Module:
    """One Python file: its path below the root with forward slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree."""
        return list(ast.walk(self.tree))

    @property
    def is_test(self) -> bool:
        return "/tests/" in f"/{self.path}"

    @property
    def is_migration(self) -> bool:
        return "/migrations/" in self.path


class Checkout:
    """The files below `root` that are written by people or committed for them; caches, environments and state are left out."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def files(self) -> list[str]:
        """Paths below the root, sorted, with forward slashes."""
        return sorted(path.relative_to(self.root).as_posix() for path in _walk(self.root))

    @cached_property
    def modules(self) -> list[Module]:
        """Every Python file, tests, scripts and migrations included."""
        return [Module(path, self.read(path)) for path in self.files if path.endswith(".py")]

    @cached_property
    def services(self) -> list[str]:
        """The services by name, sorted."""
        return sorted({path.split("/")[1] for path in self.files if path.startswith("services/")})

    def code_of(self, service: str) -> list[Module]:
        """The modules of a service's package: what runs, without tests and migrations."""
        return [module for module in self.modules if module.path.startswith(f"services/{service}/{service}/")]

    def has(self, path: str) -> bool:
        return (self.root / path).exists()

    def read(self, path: str) -> str:
        """Return the text of a file, empty where there is none."""
        file = self.root / path
        return file.read_text(encoding="utf-8") if file.is_file() else ""


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir():
            hidden = path.name.startswith(".") and path.name not in _HIDDEN_FOLDERS_READ
            if not hidden and path.name not in _FOLDERS_SKIPPED and not path.name.endswith(".egg-info"):
                yield from _walk(path)
        elif path.suffix in _SUFFIXES:
            yield path
