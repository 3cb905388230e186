"""How commands that are refused are answered, where more than one route does."""

from collections.abc import Sequence

from chassis.http import Problem
from events.invoice import Reason

from invoice.handlers import CONFLICT, DocumentNumberTaken


def document_refused(reasons: Sequence[Reason]) -> Problem:
    """Say every reason why something is no document."""
    return Problem(422, "DOCUMENT_REFUSED", "The document is not acceptable as it was sent.", reasons)


def number_taken(taken: DocumentNumberTaken) -> Problem:
    """Say that its number stands for something else."""
    return Problem(409, CONFLICT.code, str(taken.__doc__), [CONFLICT])
