"""Which policy is in force on a day, and until when a proposal may be decided about (XC-05, XC-07)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policies.versions import EXPIRES_DAYS, PolicyVersion, Proposal, in_force

DAY = date(2026, 1, 5)


def versions(*dated: tuple[str, date]) -> list[PolicyVersion]:
    return sorted((PolicyVersion(number, day, {}) for number, day in dated), key=lambda one: (one.valid_from, int(one.version)))


@pytest.mark.parametrize(
    ("on", "version"), [(date(2025, 12, 31), None), (date(2026, 1, 1), "3"), (date(2026, 2, 28), "3"), (date(2026, 3, 1), "1")]
)
def test_the_policy_that_begins_last_by_a_day_is_in_force_on_it(on: date, version: str | None) -> None:
    """XC-07: one approved later for an earlier day does not undo those that begin after it."""
    found = in_force(versions(("1", date(2026, 3, 1)), ("2", date(2026, 1, 1)), ("3", date(2026, 1, 1))), on)
    assert (found.version if found else None) == version


@given(st.lists(st.dates(date(2026, 1, 1), date(2026, 1, 9)), unique=True), st.dates(date(2026, 1, 1), date(2026, 1, 9)))
def test_what_is_in_force_is_never_dated_later(days: list[date], on: date) -> None:
    found = in_force(versions(*((str(n), day) for n, day in enumerate(days, start=1))), on)
    assert (found.valid_from if found else None) == max((day for day in days if day <= on), default=None)


@pytest.mark.parametrize(("days", "status"), [(0, "proposed"), (EXPIRES_DAYS, "proposed"), (EXPIRES_DAYS + 1, "expired")])
def test_a_proposal_expires_by_the_business_day(days: int, status: str) -> None:
    """XC-05: by the day it is asked on, so that no clock and no job decides it."""
    assert Proposal(None, "maker-1", DAY).status_on(DAY + timedelta(days=days)) == status
    assert Proposal("approved", "maker-1", DAY).status_on(DAY + timedelta(days=days)) == "approved"


def test_nobody_decides_about_a_proposal_of_their_own_nor_twice_nor_too_late() -> None:
    """XC-05: four eyes."""
    proposed, late = Proposal(None, "maker-1", DAY), DAY + timedelta(days=EXPIRES_DAYS + 1)

    assert proposed.objection_to("checker-1", DAY) is None
    assert proposed.objection_to("maker-1", DAY) == "MAKER_IS_CHECKER"
    assert proposed.objection_to("checker-1", late) == "PROPOSAL_EXPIRED"
    assert Proposal("rejected", "maker-1", DAY).objection_to("checker-1", late) == "PROPOSAL_DECIDED"
