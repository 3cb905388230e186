"""
Facts as typed classes, their CloudEvents envelope and the catalogue made from them.

One module per publisher: `erp` and `bank` hold what others publish to us, `invoice`, `payment`, `credit`, `dunning` what our services
publish, `business_day` the markers every service passes on. Importing this package registers all of them.
"""

from events import bank, business_day, credit, dunning, erp, invoice, payment
from events.fact import Event, FactKind, facts, kind_of, kind_of_type

__all__ = [
    "Event",
    "FactKind",
    "bank",
    "business_day",
    "credit",
    "dunning",
    "erp",
    "facts",
    "invoice",
    "kind_of",
    "kind_of_type",
    "payment",
]
