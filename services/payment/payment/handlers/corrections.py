"""Voids and approved adjustments: taken in beside the documents they are about, for the settlement of the day."""

from collections.abc import Mapping, Sequence
from typing import Any

from chassis.database import Connection
from chassis.service import Batch, Received
from events.invoice import InvoiceVoided, WriteOffApproved
from money import parse_minor

from payment.handlers.loading import Brought
from payment.queries import corrections
from payment.queries.corrections import NewAdjustment, NewVoid


class ItemUnknown(Exception):
    """
    A void or an adjustment is about a document or an item that is not here on its account, or is voided already.

    Both follow their document under one key, so this is a fault of somebody's: the fact is parked.
    """


async def correct(db: Connection, received: Sequence[Received[Any]], account_ids: Mapping[tuple[str, str], int], batch: Batch) -> Brought:
    """
    Keep the voids and adjustments among the facts, and say what they are about; the rest is the settlement's.

    :raises ItemUnknown: see there. AmountRefused, CurrencyUnknown: a fact does not carry amounts of its currency.
    """
    voids = [_void(one, batch) for one in received if isinstance(one.data, InvoiceVoided)]
    adjustments = [_adjustment(one, account_ids, batch) for one in received if isinstance(one.data, WriteOffApproved)]
    voided = await corrections.void_documents(db, voids) if voids else []
    adjusted = await corrections.insert_adjustments(db, adjustments) if adjustments else []
    if lost := [one for one in voids if (one.entity, one.document_no) not in {(row["entity"], row["document_no"]) for row in voided}]:
        raise ItemUnknown(f"no document {lost[0].document_no} to void")
    if lost_items := {one.adjustment for one in adjustments} - {row["adjustment"] for row in adjusted}:
        raise ItemUnknown(f"no item for the adjustment {min(lost_items)}")
    return Brought({row["id"]: row["account_id"] for row in voided}, {row["id"]: row["item_id"] for row in adjusted})


def _void(one: Received[InvoiceVoided], batch: Batch) -> NewVoid:
    return NewVoid(one.data.entity, one.data.document_no, one.effective_on, batch.open_on[one.data.entity])


def _adjustment(one: Received[WriteOffApproved], account_ids: Mapping[tuple[str, str], int], batch: Batch) -> NewAdjustment:
    """An item's id in facts is `entity|document_no|n`."""
    approved = one.data
    document, _, n = approved.item.rpartition("|")
    return NewAdjustment(
        adjustment=approved.request,
        entity=approved.entity,
        document_no=document.removeprefix(f"{approved.entity}|"),
        n=int(n),
        account_id=account_ids[approved.entity, approved.account],
        kind=approved.kind,
        approved_minor=parse_minor(approved.amount, approved.currency),
        tax_minor=parse_minor(approved.tax, approved.currency),
        effective_on=one.effective_on,
        booked_on=batch.open_on[approved.entity],
    )
