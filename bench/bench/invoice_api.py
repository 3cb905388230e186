"""
`python -m bench.invoice_api`: the invoice service's HTTP side as `python -m chassis invoice api` serves it, with one route more.

That route takes the same body and does nothing with it, so that what a commit costs can be told from what a request costs.
"""

import asyncio
import os
import signal
from typing import Final

import uvloop
from chassis import business_day, logs
from chassis.clock import system_clock
from chassis.database import Database
from chassis.entities import load_entities
from chassis.http.app import create_app
from chassis.outbox import Wake
from chassis.serving import HttpServer, bind
from chassis.settings import load_settings
from invoice.app import SERVICE
from invoice.schemas import InvoiceBody

from bench.station import as_a_service

NO_OP: Final = "/v1/no-op"


async def no_op(body: InvoiceBody) -> dict[str, str]:
    """Take an invoice for read."""
    return {"document_no": body.document_no}


async def serve() -> None:
    """Serve until SIGTERM."""
    settings = load_settings(SERVICE.name, os.environ)
    entities = load_entities(settings.entities_file)
    logs.set_up(SERVICE.name, level=settings.log_level)
    database = await Database.open(settings.database_url.get_secret_value())
    async with database.transaction() as db:
        await business_day.declare(db, entities)
    app = create_app(SERVICE, database, entities, settings, system_clock, Wake())
    app.post(NO_OP)(no_op)
    server = HttpServer(app, bind(settings.http_host, settings.http_port))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.run()
    await database.close()


if __name__ == "__main__":
    with as_a_service(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
