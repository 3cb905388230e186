"""The OpenAPI document: what FastAPI says, with problems, the bearer token and the required Idempotency-Key added."""

from collections.abc import Callable, Mapping
from typing import Any

_PROBLEM: Mapping[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457. `code` is stable, `detail` is for people, `reasons` names every fault by field.",
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "reasons": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "field"],
                "properties": {"code": {"type": "string"}, "field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "trace_id": {"type": "string"},
    },
}
_REFERENCE: Mapping[str, Any] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused: the request had no effect.", "content": _REFERENCE},
    "5XX": {"description": "Failed on our side: send the same request with the same key again.", "content": _REFERENCE},
}


def completed(openapi: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Wrap `FastAPI.openapi`, which keeps its document: completing it twice changes nothing."""

    def complete() -> dict[str, Any]:
        document = openapi()
        components = document.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = dict(_PROBLEM)
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
        document["security"] = [{"bearer": []}]
        for operation in (one for path in document["paths"].values() for one in path.values()):
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "Idempotency-Key":
                    parameter["required"] = True
                    parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": 255}
        return document

    return complete
