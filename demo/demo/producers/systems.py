"""The systems we read, and the files their documents come in."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from events.fact import Event

from demo.mapping import Unreadable
from demo.producers import erpnext, odoo, quickbooks, stripe, xero
from demo.producers.draft import Books
from demo.producers.fields import Json

Reader = Callable[[Json, Books], list[Event]]


class System(StrEnum):
    """A system whose documents we read; the value is its name on the command line and the end of its source, `/erp/stripe`."""

    QUICKBOOKS = "quickbooks"
    XERO = "xero"
    STRIPE = "stripe"
    ERPNEXT = "erpnext"
    ODOO = "odoo"

    @property
    def source(self) -> str:
        """The CloudEvents source its facts are published under."""
        return f"/erp/{self}"


READERS: Final[Mapping[System, Reader]] = {
    System.QUICKBOOKS: quickbooks.read,
    System.XERO: xero.read,
    System.STRIPE: stripe.read,
    System.ERPNEXT: erpnext.read,
    System.ODOO: odoo.read,
}


def documents_of(path: Path) -> list[Json]:
    """
    Read a file: one JSON object, or a list of them. Numbers with a point are `Decimal`.

    :raises Unreadable: no file, not JSON, or neither an object nor a list of objects.
    """
    try:
        read: Any = json.loads(path.read_bytes(), parse_float=Decimal, parse_constant=_refuse)
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:  # Not JSON, and not UTF-8, are ValueErrors.
        raise Unreadable(f"{path} is not JSON: {error}.") from None
    documents = read if isinstance(read, list) else [read]
    if not all(isinstance(document, Mapping) for document in documents):
        raise Unreadable(f"{path} holds neither a JSON object nor a list of objects.")
    return documents


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")
