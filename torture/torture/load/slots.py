"""Where the answer to a call is kept: which service, which of its routes, and whose books."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from torture.load.plan.desk import SERVICE_OF

_SERVICES: Final[Mapping[str, str]] = {**SERVICE_OF, "limit": "credit"}
_ROUTES: Final[Mapping[str, str]] = {
    "limit": "PUT /v1/accounts/{{account}}/limit",
    "decision": "POST /v1/adjustments/{{adjustment:path}}/{verb}",
    "refund_decision": "POST /v1/refunds/{{refund:path}}/{verb}",
    "policy_decision": "POST /v1/policies/{{policy}}/{verb}",
    "reversal": "POST /v1/receipts/{{bank_ref:path}}/{verb}",
    "payer": "POST /v1/receipts/{{bank_ref:path}}/{verb}",
    "suggestion": "POST /v1/suggestions/{{suggestion:path}}/{verb}",
}
"""Routes with something in their addresses, by kind of operation; all others are addresses."""

_PLACED: Final[Mapping[str, str]] = {
    "applications": "applications/{application:path}",
    "memos": "memos/{document_no:path}",
    "receipts": "receipts/{bank_ref:path}",
}
"""What people place, by the first name in the address."""


def service_of(kind: str) -> str:
    """Who answers calls of a kind."""
    return _SERVICES.get(kind, "invoice")


def slot_of(kind: str, route: str, body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the route of the service that an address belongs to, and the entity it is about."""
    named, verb = decided(route)
    if kind == "placing":
        what = _PLACED[route.split("/")[2]]
        return f"POST /v1/{what}/{verb}", body["entity"]
    entity = body["entity"] if "entity" in body else named.partition("|")[0] if kind in _ROUTES else ""
    return _ROUTES[kind].format(verb=verb) if kind in _ROUTES else route, entity


def decided(route: str) -> tuple[str, str]:
    """Return what an address decides about, and how: the last two parts of it."""
    named, verb = route.split("/")[-2:]
    return unquote(named), verb
