"""What the read model does with each fact, when a day turns, and when it is made anew. Nothing is decided and nothing is published."""

from reporting.handlers.anew import gather
from reporting.handlers.closing import books_to_close, close_books
from reporting.handlers.customers import name_customers, record_notices
from reporting.handlers.findings import FINDINGS, record_findings
from reporting.handlers.money import FOLDS, fold_money
from reporting.handlers.suggestions import SUGGESTING, record_suggestions

__all__ = [
    "FINDINGS",
    "FOLDS",
    "SUGGESTING",
    "books_to_close",
    "close_books",
    "fold_money",
    "gather",
    "name_customers",
    "record_findings",
    "record_notices",
    "record_suggestions",
]
