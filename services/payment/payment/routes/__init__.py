"""HTTP of the payment service."""

from fastapi import APIRouter

from payment.routes import applications, findings, ledger, open_items, policies, refunds, returns, suggestions, unidentified

router = APIRouter()
# What ends in a word before what ends in anything.
for part in (open_items, applications, findings, suggestions, unidentified, ledger, policies, refunds, returns):
    router.include_router(part.router)

__all__ = ["router"]
