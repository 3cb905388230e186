"""How the processes of one run share its tests."""

import re

import pytest
from launcher.folders import checkout

pytest_plugins = "pytester"

CONFTEST = """
import time
import pytest
from testkit import side_by_side

@pytest.fixture(scope="session")
def world():
    time.sleep(1)

def pytest_xdist_make_scheduler(config, log):
    return side_by_side.FromBothEnds(config, log)

def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        side_by_side.arrange(items)
"""
STORY = "import pytest\npytestmark = pytest.mark.scenario\ndef test_it(world): pass\ndef test_again(world): pass\n"
OTHERS = {"quick": "", "table": "pytestmark = pytest.mark.db\n", "log": "pytestmark = pytest.mark.kafka\n"}


@pytest.fixture
def tree(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Three files each without servers, with a database and with a log, and two stories."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # Starts in half the time.
    pytester.makeini("[pytest]\naddopts = --import-mode=importlib -p xdist -p no:cacheprovider\nmarkers =\n  db\n  kafka\n  scenario\n")
    pytester.makeconftest(CONFTEST)
    pytester.mkpydir("tests").joinpath("scenarios").mkdir()
    names = {f"test_{n}_{kind}": f"import pytest\n{mark}def test_it(): pass\n" for kind, mark in OTHERS.items() for n in range(3)}
    pytester.makepyfile(**names, **{"tests/scenarios/test_one": STORY, "tests/scenarios/test_two": STORY})
    return pytester


def test_stories_stay_together_and_one_process_begins_with_them_the_other_with_what_needs_no_servers(tree: pytest.Pytester) -> None:
    result = tree.runpytest_subprocess("-v", "-n2", "--dist=loadfile", "--no-loadscope-reorder")
    result.assert_outcomes(passed=9 + 4)
    ran = re.findall(r"^\[(gw\d)\].* PASSED (\S+)", result.stdout.str(), re.MULTILINE)
    begun = [[test for by, test in ran if by == process][:4] for process in ("gw0", "gw1")]
    assert sorted(begun) == [  # Either may be the first.
        [f"test_{name}.py::test_it" for name in ("2_quick", "1_quick", "0_quick", "2_table")],
        [f"tests/scenarios/test_{name}.py::test_{test}" for name in ("one", "two") for test in ("it", "again")],
    ]


def test_whatever_uses_the_running_system_is_handed_out_with_it() -> None:
    """A file left out would start a second system beside the first."""
    from testkit import side_by_side

    files = {str(path.relative_to(checkout())): path.read_text() for path in (checkout() / "tests").rglob("test_*.py")}
    telling = {name for name, text in files.items() if re.search(r"\bworld: World\b", text)}
    assert telling
    assert {side_by_side.unit_of(name) for name in telling} == {side_by_side.WORLD}
