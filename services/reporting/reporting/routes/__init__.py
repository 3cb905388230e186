"""Reports over HTTP, and the first page. Reads only: every balance answers for (`as_of`, `known_at`)."""

from fastapi import APIRouter

from reporting.routes import exchange, findings, matching, page, reports

router = APIRouter()
for part in (reports, matching, findings, exchange, page):
    router.include_router(part.router)

__all__ = ["router"]
