"""HTTP of the invoice service."""

from fastapi import APIRouter

from invoice.routes import adjustments, billing, bills, charges, documents, explain, memo_requests, policies, reads, reference

router = APIRouter()
for part in (adjustments, documents, memo_requests, reads, explain, policies, reference, billing, bills, charges):
    router.include_router(part.router)

__all__ = ["router"]
