"""One hop, one event at a time."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Final, Self

from events import envelope as cloudevents
from money import parse_minor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.case import Round
from bench.facts import Told
from bench.naive.tables import SCHEMA, Inbox, Invoice, Outbox, Table

_SHARE: Final = 40
_LEAST: Final = 100

_TOPIC: Final = "naive.invoice"


class Instalment(BaseModel):
    """One part of the total."""

    due_on: date
    amount: str


class InvoiceIssued(BaseModel):
    """What the ERP says, validated field by field."""

    entity: str
    document_no: str
    customer: str
    currency: str
    issued_on: date
    total: str
    instalments: list[Instalment]


def fewer(n: int) -> int:
    """Return how many events the naive hop gets where others get `n`: it would take all day."""
    return max(_LEAST, n // _SHARE)


class Hop:
    """The naive invoice service, and the invoices it is told: its own, the same in every run."""

    def __init__(self, engine: AsyncEngine, provider: TracerProvider) -> None:
        self._engine = engine
        self._tracer = provider.get_tracer("naive")
        self._told = Told()

    @classmethod
    @asynccontextmanager
    async def opened(cls, dsn: str) -> AsyncIterator[Self]:
        """Make the naive tables in a database and open the service on them while the block runs."""
        engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://"))
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(_Nowhere()))
        try:
            async with engine.begin() as connection:
                await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
                await connection.run_sync(Table.metadata.create_all)
            yield cls(engine, provider)
        finally:
            provider.shutdown()
            await engine.dispose()

    async def take(self, n: int) -> Round:
        """Handle the next n invoices, each in a transaction of its own."""
        records = self._told.issue(n)
        began_at = time.perf_counter()
        for record in records:
            with self._tracer.start_as_current_span("process InvoiceIssued") as span:
                context, data = cloudevents.read(record.headers, record.value)
                span.set_attribute("messaging.message.id", context.id)
                await self._take(context, InvoiceIssued.model_validate_json(data))
        return Round(n, time.perf_counter() - began_at)

    async def _take(self, context: cloudevents.Envelope, issued: InvoiceIssued) -> None:
        async with AsyncSession(self._engine) as session:
            if await session.get(Inbox, (context.source, context.id)) is not None:
                return
            session.add(Inbox(source=context.source, id=context.id))
            session.add(
                Invoice(
                    id=f"{issued.entity}|{issued.document_no}",
                    entity=issued.entity,
                    account=issued.customer,
                    currency=issued.currency,
                    issued_on=issued.issued_on,
                    due_on=issued.instalments[0].due_on,
                    total_minor=parse_minor(issued.total, issued.currency),
                )
            )
            session.add(Outbox(topic=_TOPIC, key=f"{issued.entity}|{issued.customer}", value=issued.model_dump_json().encode()))
            await session.commit()


class _Nowhere(SpanExporter):
    """Where spans end when only their making is to be counted."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS
