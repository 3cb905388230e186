"""What tests tell at the end of a run."""

import pytest

pytest_plugins = "pytester"

CONFTEST = """
from testkit import told

def pytest_terminal_summary(terminalreporter):
    told.tell(terminalreporter)
"""
SAYING = """
import pytest
from testkit import told
from testkit.crash.tally import Tally

@pytest.fixture
def tally(record_property):
    tally = Tally()
    yield tally
    record_property(told.CRASHES, tally.plain())

def test_killed_and_well(tally, record_property):
    record_property(told.EXAMPLES, "A1 is played")
    with tally.killed("points"):
        tally.note("points", "one of many")

def test_killed_and_not_well(tally):
    with tally.killed("points"):
        raise ValueError
"""


@pytest.mark.parametrize("processes", ["-n0", "-n2"])
def test_what_all_tests_counted_is_told_together_whoever_ran_them(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, processes: str
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # Starts in half the time.
    pytester.makeini("[pytest]\naddopts = --import-mode=importlib -p xdist -p no:cacheprovider\n")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_one=SAYING, test_two=SAYING)
    result = pytester.runpytest_subprocess(processes)
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*= worked examples =*",
            "A1 is played",
            "A1 is played",
            "*= crashes =*",
            "points: killed at 4 places, passed 2",
            "    one of many",
        ]
    )
