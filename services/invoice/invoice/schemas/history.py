"""What happened to a document, and where its open amount comes from, as they are shown over HTTP."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from events import erp
from events.fact import kind_of
from money import format_minor
from pydantic import BaseModel

from invoice.domain import Kind, Movement, MovementKind, document_id, item_id
from invoice.domain.history import Happening, Placed
from invoice.domain.split import Parts, RuleSet
from invoice.queries.reads import Asked, StoredDocument, StoredVoid
from invoice.schemas.reads import CauseOut

_ERP_TYPES: Final = {
    "invoice": kind_of(erp.InvoiceIssued).type,
    "debit_memo": kind_of(erp.DebitMemoIssued).type,
    "credit_memo": kind_of(erp.CreditMemoIssued).type,
}


class FactOut(BaseModel):
    """
    A fact by its CloudEvent: `id`, `type`, `source`; `caused_by` is the id of the fact it followed from, `trace_id` that of its W3C trace.
    """

    id: str
    type: str
    source: str
    caused_by: str | None = None
    trace_id: str | None = None

    @classmethod
    def of(cls, movement: Movement) -> "FactOut":
        """Show the settlement fact that told of a movement."""
        told = movement.told
        trace_id = told.traceparent.split("-")[1] if told.traceparent and told.traceparent.count("-") == 3 else None
        service = told.id.partition("/")[0]
        return cls(id=told.id, type=told.type, source=f"/receivables/{service}", caused_by=told.causation_id, trace_id=trace_id)

    @classmethod
    def behind(cls, stored: StoredDocument) -> "FactOut | None":
        """Show the fact a document came in; None where it was given over HTTP or made here."""
        if stored.source is None or stored.source_id is None:
            return None
        opening = stored.origin == "opening_balance"
        type_ = kind_of(erp.OpeningBalanceLoaded).type if opening else _ERP_TYPES[stored.kind]
        return cls(id=stored.source_id, type=type_, source=stored.source)


class SplitOut(BaseModel):
    """What of a movement concerns which part of the document; `over` is what was applied beyond its total."""

    goods: str
    tax: str
    freight: str
    charges: str
    over: str

    @classmethod
    def of(cls, split: Parts, currency: str) -> "SplitOut":
        """Show a split; less than nothing where something was given back."""
        return cls(
            goods=format_minor(split.goods_minor, currency),
            tax=format_minor(split.tax_minor, currency),
            freight=format_minor(split.freight_minor, currency),
            charges=format_minor(split.charges_minor, currency),
            over=format_minor(split.over_minor, currency),
        )


class EventOut(BaseModel):
    """
    One thing that happened to a document.

    `act` is the application, discount or adjustment, `counterpart` the receipt, memo or item on its other side; `rule` says why it was made
    or what kind of discount or adjustment it is, `reason` why something was taken back or voided. `tax` is the tax a discount or adjustment
    stated, `split` what INV-11 makes of it. `document_no` is another document: the one that replaced this one, or a charge's debit memo.
    """

    event: Happening
    item: str | None
    amount: str
    open_before: str
    open_after: str
    effective_on: date
    booked_on: date
    recorded_at: datetime | None
    act: str | None = None
    counterpart: str | None = None
    rule: str | None = None
    reason: str | None = None
    tax: str | None = None
    split: SplitOut | None = None
    document_no: str | None = None
    fact: FactOut | None = None

    @classmethod
    def of(cls, placed: Placed, currency: str, came_from: FactOut | None) -> "EventOut":
        """Show an event in its place; `came_from` is the fact behind the document itself."""
        event, movement = placed.event, placed.event.movement
        shown = cls(
            event=event.happening,
            item=event.item,
            amount=format_minor(event.amount_minor, currency),
            open_before=format_minor(placed.before_minor, currency),
            open_after=format_minor(placed.after_minor, currency),
            effective_on=event.effective_on,
            booked_on=event.booked_on,
            recorded_at=event.recorded_at,
            reason=event.reason,
            document_no=event.document_no,
            fact=came_from if event.happening == "issued" else None,
        )
        if movement is None:
            return shown
        return shown.model_copy(
            update={
                "act": movement.act,
                "counterpart": movement.counterpart,
                "rule": movement.rule,
                "tax": None if movement.tax_minor is None else format_minor(movement.tax_minor, currency),
                "split": SplitOut.of(placed.split, currency) if placed.split else None,
                "fact": FactOut.of(movement),
            }
        )


class HistoryOut(BaseModel):
    """
    Every dated event of a document in booked order, of what was booked on or before `known_at`.

    `rule_set` is how movements are split over goods, tax, freight and charges, of the version `policy_version` of the policy `split`.
    """

    document: str
    kind: Kind
    currency: str
    known_at: date | None
    rule_set: RuleSet
    policy_version: str
    events: list[EventOut]

    @classmethod
    def of(cls, stored: StoredDocument, placed: Sequence[Placed], rule_set: RuleSet, version: str, asked: Asked) -> "HistoryOut":
        """Show the history of a document."""
        came_from = FactOut.behind(stored)
        return cls(
            document=document_id(stored.entity, stored.document_no),
            kind=stored.kind,
            currency=stored.currency,
            known_at=asked.known_at,
            rule_set=rule_set,
            policy_version=version,
            events=[EventOut.of(one, stored.currency, came_from) for one in placed],
        )


class LessOut(BaseModel):
    """One movement that made the open amount what it is: `amount` was taken off (below zero: given back), `left` is what stayed."""

    amount: str
    left: str
    kind: MovementKind
    act: str
    counterpart: str | None
    rule: str | None
    reason: str | None
    effective_on: date
    booked_on: date
    fact: FactOut


class ExplainedOut(BaseModel):
    """One item, or the whole of a credit memo: `billed` (0 once voided) less every movement is `open`."""

    subject: str
    due_on: date | None
    billed: str
    less: list[LessOut]
    open: str

    @classmethod
    def of(cls, subject: str, due_on: date | None, billed_minor: int, movements: Sequence[Movement], currency: str) -> "ExplainedOut":
        """Show how movements, in booked order, lead from what was billed to what is open."""
        less, left_minor = [], billed_minor
        for movement in movements:
            left_minor -= movement.amount_minor
            less.append(
                LessOut(
                    amount=format_minor(movement.amount_minor, currency),
                    left=format_minor(left_minor, currency),
                    kind=movement.kind,
                    act=movement.act,
                    counterpart=movement.counterpart,
                    rule=movement.rule,
                    reason=movement.reason,
                    effective_on=movement.effective_on,
                    booked_on=movement.booked_on,
                    fact=FactOut.of(movement),
                )
            )
        billed, left = format_minor(billed_minor, currency), format_minor(left_minor, currency)
        return cls(subject=subject, due_on=due_on, billed=billed, less=less, open=left)


class VoidOut(BaseModel):
    """Why nothing is billed any more: since when, and the fact that asked for it, None for one that was asked for over HTTP."""

    effective_on: date
    booked_on: date
    reason: str | None
    replaced_by: str | None
    came_from: CauseOut | None

    @classmethod
    def of(cls, void: StoredVoid) -> "VoidOut":
        """Show a void."""
        return cls(
            effective_on=void.effective_on,
            booked_on=void.booked_on,
            reason=void.reason,
            replaced_by=void.replaced_by,
            came_from=CauseOut(source=void.source, id=void.source_id) if void.source and void.source_id else None,
        )


class ExplanationOut(BaseModel):
    """
    The open amount of a document, from the top down to the facts that made it.

    `open` is the sum of what is open of each subject; `billed` is `total`, or 0 where the document was void by then. `came_from` is the
    fact the document itself came in, None for one given over HTTP or made here (then `origin` and `origin_id` say of what).
    """

    document: str
    kind: Kind
    account: str
    currency: str
    as_of: date | None
    known_at: date | None
    open: str
    billed: str
    total: str
    void: VoidOut | None
    issued_on: date
    booked_on: date
    came_from: FactOut | None
    origin: str | None
    origin_id: str | None
    items: list[ExplainedOut]

    @classmethod
    def of(cls, stored: StoredDocument, movements: Sequence[Movement], asked: Asked) -> "ExplanationOut":
        """Explain a document; `movements` are those of its items, or of the memo, in booked order."""
        document, currency = document_id(stored.entity, stored.document_no), stored.currency
        subjects: list[tuple[str, date | None, int]] = [
            (item_id(document, part.n), part.due_on, part.billed_minor) for part in stored.instalments
        ]
        items = [
            ExplainedOut.of(subject, due_on, billed_minor, [one for one in movements if one.subject == subject], currency)
            for subject, due_on, billed_minor in subjects or [(document, None, stored.billed_minor)]
        ]
        return cls(
            document=document,
            kind=stored.kind,
            account=stored.account,
            currency=currency,
            as_of=asked.as_of,
            known_at=asked.known_at,
            open=format_minor(stored.open_minor, currency),
            billed=format_minor(stored.billed_minor, currency),
            total=format_minor(stored.total_minor, currency),
            void=VoidOut.of(stored.void) if stored.void and stored.document_status == "voided" else None,
            issued_on=stored.issued_on,
            booked_on=stored.booked_on,
            came_from=FactOut.behind(stored),
            origin=stored.origin,
            origin_id=stored.origin_id,
            items=items,
        )
