"""Where a list goes on: the last number or place of a page, as text that nobody is tempted to make up."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from chassis.http import Problem
from events.ingress import check_identifier

PLACE_MAX: Final = 2**63 - 1  # As far as the database counts.


def write_cursor(number: str) -> str:
    """Write the number a page ends with."""
    return urlsafe_b64encode(number.encode()).decode()


def read_cursor(cursor: str) -> str:
    """
    Read what `write_cursor` wrote.

    :raises Problem: 400 for anything else.
    """
    try:
        number = urlsafe_b64decode(cursor.encode()).decode()
    except ValueError:  # Not ASCII, not base64, not UTF-8: all of them are ValueErrors.
        number = ""
    if check_identifier("cursor", number):
        raise _invalid()
    return number


def write_place(place: int) -> str:
    """Write the place, counted by the database, that a page ends with."""
    return write_cursor(str(place))


def read_place(cursor: str) -> int:
    """
    Read what `write_place` wrote.

    :raises Problem: 400 for anything else.
    """
    try:
        place = int(urlsafe_b64decode(cursor.encode()).decode("ascii"))
    except ValueError:  # Not ASCII, not base64, not a number: all of them are ValueErrors.
        place = -1
    if not 0 <= place <= PLACE_MAX:
        raise _invalid()
    return place


def _invalid() -> Problem:
    return Problem(400, "CURSOR_INVALID", "The cursor is not one that a page before this one gave.")
