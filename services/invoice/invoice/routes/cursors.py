"""Where a list goes on: the last number of a page, as text that nobody is tempted to make up."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from chassis.http import Problem
from events.ingress import check_identifier


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
        raise Problem(400, "CURSOR_INVALID", "The cursor is not one that a page before this one gave.")
    return number
