"""The import contracts of `.importlinter`, run over any copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

_MEMBERS = ("libs/*", "services/*", "demo", "bench", "torture")


class ContractsUnread(Exception):
    """The contracts could not be run at all; the message is what import-linter said."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which contracts were kept and which broken, by their ids, and the whole report."""

    kept: Collection[str]
    broken: Collection[str]
    report: str


def contracts(root: Path) -> dict[str, str]:
    """Return the names of the contracts by id."""
    text = (root / ".importlinter").read_text(encoding="utf-8")
    return dict(re.findall(r"^\[importlinter:contract:(.+)\]\nname = (.+)$", text, re.MULTILINE))


def copy_packages(root: Path, to: Path) -> None:
    """Copy the contracts and every package of the workspace, without tests and migrations."""
    to.mkdir(parents=True, exist_ok=True)
    shutil.copy(root / ".importlinter", to)
    for member in _members(root):
        package = member / member.name
        shutil.copytree(package, to / package.relative_to(root), ignore=shutil.ignore_patterns("__pycache__"))


def check(root: Path, *, cache: Path) -> Verdict:
    """
    Run all contracts over the packages below `root`, whatever is installed.

    :raises ContractsUnread: they could not be run.
    """
    path = os.pathsep.join(str(member) for member in _members(root))
    ran = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-logo", "--cache-dir", str(cache)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = {
        contract: found[1]
        for contract, name in contracts(root).items()
        if (found := re.search(rf"^{re.escape(name)} (KEPT|BROKEN)", ran.stdout, re.MULTILINE))
    }
    if verdicts.keys() != contracts(root).keys():
        raise ContractsUnread(ran.stdout + ran.stderr)
    kept = {contract for contract, verdict in verdicts.items() if verdict == "KEPT"}
    return Verdict(kept, verdicts.keys() - kept, ran.stdout)


def _members(root: Path) -> list[Path]:
    """The members that have code: a folder with a package of its own name."""
    return [member for pattern in _MEMBERS for member in sorted(root.glob(pattern)) if (member / member.name / "__init__.py").exists()]
