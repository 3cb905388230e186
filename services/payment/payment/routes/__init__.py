"""HTTP of the payment service."""

from fastapi import APIRouter

from payment.routes import (
    applications,
    deposits,
    findings,
    ledger,
    open_items,
    policies,
    refunds,
    returns,
    suggestions,
    transfers,
    unidentified,
)

router = APIRouter()
# What ends in a word before what ends in anything.
for part in (open_items, applications, deposits, findings, suggestions, unidentified, ledger, policies, refunds, returns, transfers):
    router.include_router(part.router)

__all__ = ["router"]
