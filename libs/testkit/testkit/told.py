"""
What tests tell at the end of a run, beside having passed.

They say it with `record_property`, under one of the names here: a report carries it to the process that prints, whichever ran the test.
"""

from typing import Any, Final

import pytest

from testkit.crash.tally import Tally

CRASHES: Final = "crashes"
"""`Tally.plain()` of a test."""
EXAMPLES: Final = "worked examples"
"""A line of text."""


def tell(reporter: pytest.TerminalReporter) -> None:
    """Print what the tests of this run have told."""
    tally = Tally()
    for plain in _said(reporter, CRASHES):
        tally.add(plain)
    for title, lines in ((EXAMPLES, _said(reporter, EXAMPLES)), (CRASHES, tally.lines())):
        if lines:
            reporter.section(title)
            for line in lines:
                reporter.write_line(line)


def _said(reporter: pytest.TerminalReporter, name: str) -> list[Any]:
    """Find it in the last report of every test, which has all that was said until then."""
    reports = [one for some in reporter.stats.values() for one in some if isinstance(one, pytest.TestReport) and one.when == "teardown"]
    return [value for report in reports for key, value in report.user_properties if key == name]
