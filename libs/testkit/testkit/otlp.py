"""A sink for traces: an OTLP/HTTP endpoint in this process that keeps the spans it is sent, so that tests can look at the tree."""

import gzip
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

WAIT_S_MAX = 10.0


@dataclass(frozen=True, slots=True)
class SeenSpan:
    """One exported span; ids are lower-case hex, `parent_id` is empty for a root, `links` are span ids, `text` is all of it."""

    service: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[str, ...]
    failed: bool
    text: str


class OtlpSink:
    """`with OtlpSink() as sink:` listens on a free port of this machine; give `sink.endpoint` as OTEL_EXPORTER_OTLP_ENDPOINT."""

    def __init__(self) -> None:
        self._spans: list[SeenSpan] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def spans(self) -> Sequence[SeenSpan]:
        """What has come so far, in order of arrival."""
        return tuple(self._spans)

    def named(self, name: str, *, count: int = 1) -> list[SeenSpan]:
        """Wait until at least `count` spans of this name have come and return them; AssertionError after 10 seconds."""
        until = time.monotonic() + WAIT_S_MAX
        while len(found := [span for span in self._spans if span.name == name]) < count:
            assert time.monotonic() < until, f"{len(found)} of {count} spans {name}; seen: {sorted({span.name for span in self._spans})}"
            time.sleep(0.02)
        return found

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        spans = self._spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                spans.extend(_read(body))
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing on stderr."""

        return Handler


def _read(body: bytes) -> list[SeenSpan]:
    found = []
    for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        names = [one.value.string_value for one in of_resource.resource.attributes if one.key == "service.name"]
        for span in (span for of_scope in of_resource.scope_spans for span in of_scope.spans):
            links = tuple(link.span_id.hex() for link in span.links)
            ids = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
            found.append(SeenSpan(names[0] if names else "", span.name, span.kind, *ids, links, span.status.code == 2, str(span)))
    return found
