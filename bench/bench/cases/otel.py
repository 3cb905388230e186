"""Traces on against off: a span for every batch, and for every hundredth record, whose sender asked for one."""

import os
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from chassis import tracing
from invoice.app import SERVICE as INVOICE

from bench.case import Case, Round, Target
from bench.contest import contest
from bench.facts import Record, Told
from bench.race import Race
from bench.station import as_a_service, station

NAME: Final = "otel_on_off"
NAMES: Final = (NAME,)
_OFF: Final = "off"
_SAMPLED_EVERY: Final = 100
_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Run the invoice service's step with and without an exporter; sending the spans belongs to it."""
    n, told = race.sizes.n, Told()
    with _sink() as endpoint:
        async with station(race.track, INVOICE, "otel") as one:

            async def off() -> Round:
                records = one.receive(_traced(told.issue(n)))
                with as_a_service():
                    return Round(n, await one.take(records))

            async def on() -> Round:
                with _exporting(endpoint):
                    taken = await off()
                    began_at = time.perf_counter()
                    tracing.shut_down(INVOICE.name)
                    return replace(taken, seconds=taken.seconds + time.perf_counter() - began_at)

            with race.bar(NAME, race.sizes.rounds) as bar:
                rounds = await contest(race, {NAME: on, _OFF: off}, bar)
    return [Case(NAME, "invoices", rounds[NAME], {_OFF: rounds[_OFF]}, (Target(17, 0.90, 0.97, _OFF),))]


def _traced(records: list[Record]) -> list[Record]:
    """Give every record a trace of its own, and every hundredth the flag that asks for spans."""
    return [
        replace(one, headers=[*one.headers, ("traceparent", f"00-{place + 1:032x}-{place + 1:016x}-{flag:02x}".encode())])
        for place, one in enumerate(records)
        for flag in [int(place % _SAMPLED_EVERY == 0)]
    ]


@contextmanager
def _exporting(endpoint: str) -> Iterator[None]:
    """Have the service export its spans until the block shuts that down."""
    os.environ[_ENDPOINT] = endpoint
    try:
        tracing.set_up(INVOICE.name)
        yield
    finally:
        del os.environ[_ENDPOINT]


@contextmanager
def _sink() -> Iterator[str]:
    """Take spans on a free port of this machine and forget them."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
