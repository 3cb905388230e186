"""Mutants: a package of ours with one rule left out, in a folder of its own, for tests that have to notice."""

import importlib.util
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class MutantStale(Exception):
    """The text a mutant replaces does not stand exactly once in the file it names: the code has moved on, and the mutant has to follow."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement in a module of the package; `file` is relative to it."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule of a package left out, why it is there, and which tests have to notice (empty: the tier that reads the file knows)."""

    id: str
    why: str
    package: str
    edits: Sequence[Edit]
    noticed_by: Sequence[str] = ()


def read_mutants(file: Path) -> list[Mutant]:
    """Read mutants from a TOML file: a table each with `why`, `edits` of `file`, `old`, `new`, and perhaps `package` and `noticed_by`."""
    content: Mapping[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    return [
        Mutant(name, one["why"], one.get("package", "chassis"), [Edit(**edit) for edit in one["edits"]], one.get("noticed_by", ()))
        for name, one in content.items()
    ]


def write_mutated(mutant: Mutant, folder: Path) -> None:
    """
    Copy the package into a folder, which is to be put first on the import path, and apply the mutant to the copy.

    :raises MutantStale: a text to be replaced is not there, or there more than once.
    """
    spec = importlib.util.find_spec(mutant.package)
    locations = spec.submodule_search_locations if spec else None
    assert locations, f"{mutant.package} is no package of ours"
    home = folder / mutant.package
    shutil.copytree(locations[0], home, ignore=shutil.ignore_patterns("__pycache__"))
    migrations = Path(locations[0]).parent / "migrations"
    if migrations.exists():  # A service looks for them beside itself.
        shutil.copytree(migrations, folder / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    for edit in mutant.edits:
        path = home / edit.file
        text = path.read_text(encoding="utf-8")
        if text.count(edit.old) != 1:
            raise MutantStale(f"{mutant.id}: {edit.file} holds {text.count(edit.old)} times:\n{edit.old}")
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
