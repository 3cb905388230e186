"""Who may import whom: the contracts of `.importlinter` hold, and each of them is broken by a violation planted in a copy of the tree."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from testkit.tidy import imports
from testkit.tidy.imports import ContractsUnread, Verdict

ROOT = Path(__file__).parents[1]
Planted = Callable[[str, str], Verdict]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What import-linter has read of unchanged files, for all runs."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all packages."""
    copy = tmp_path_factory.mktemp("copy")
    imports.copy_packages(ROOT, copy)
    return copy


@pytest.fixture
def planted(copied: Path, cache: Path) -> Planted:
    """Add lines to a module of the copy, or make it, for one run of the contracts."""

    def run(path: str, lines: str) -> Verdict:
        module = copied / path
        before = module.read_text() if module.exists() else None
        module.write_text(f"{before or ''}\n{lines}\n")
        try:
            return imports.check(copied, cache=cache)
        finally:
            module.unlink() if before is None else module.write_text(before)

    return run


PLANTS = [
    ("services-are-strangers", "services/invoice/invoice/domain/documents.py", "from credit import domain as theirs"),
    ("shape", "services/payment/payment/utils.py", "PENNIES = 100"),
    ("shape", "services/credit/credit/schemas.py", "from credit import routes"),
    ("libs", "libs/money/money/split.py", "from events import topics"),
    ("mechanism-knows-no-service", "libs/testkit/testkit/otlp.py", "from credit import domain"),
    ("services-bring-no-tools", "services/reporting/reporting/queries/folds.py", "from launcher import ports"),
    ("demo-is-an-outsider", "demo/demo/oracle.py", "from chassis import clock"),
    ("torture-is-an-outsider", "torture/torture/cli.py", "from events import topics"),
    ("pure-domain", "services/dunning/dunning/domain.py", "import httpx"),
    ("tables-are-private", "services/invoice/invoice/schemas/documents.py", "from invoice import tables"),
    ("worker-imports-no-web", "services/invoice/invoice/queries/documents.py", "from fastapi import Query"),
]


def test_the_contracts_hold(cache: Path) -> None:
    verdict = imports.check(ROOT, cache=cache)
    assert not verdict.broken, verdict.report


@pytest.mark.parametrize(("contract", "path", "lines"), PLANTS, ids=[f"{contract}: {path}" for contract, path, _ in PLANTS])
def test_a_planted_violation_breaks_its_contract_and_no_other(contract: str, path: str, lines: str, planted: Planted) -> None:
    verdict = planted(path, lines)
    assert verdict.broken == {contract}, verdict.report
    assert Path(path).stem in verdict.report


def test_every_contract_has_its_planted_violation() -> None:
    assert imports.contracts(ROOT).keys() == {contract for contract, _, _ in PLANTS}


def test_contracts_that_cannot_be_run_are_not_taken_for_kept(copied: Path, cache: Path, tmp_path: Path) -> None:
    text = (copied / ".importlinter").read_text()
    (tmp_path / ".importlinter").write_text(re.sub(r"\bmoney\n", "no_such_package\n", text, count=1))
    with pytest.raises(ContractsUnread, match="no_such_package"):
        imports.check(tmp_path, cache=cache)
