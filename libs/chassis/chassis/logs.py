"""
Logs as one JSON object a line on stdout (readable text on a terminal), with the trace they belong to.

Fields are an allow-list: a log line that names another field gets it withheld, so that no name, bank account or remittance text reaches a
log by accident. Of an exception its class, the first line of its message and its frames are kept; Postgres quotes rows in the lines after.
"""

import logging
import logging.config
import sys
import traceback
from types import TracebackType
from typing import Any, TextIO

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

FIELDS = frozenset(
    """
    event level timestamp logger service role part error why hint kind stack trace_id span_id pid host port version signal withheld
    topic topics partition partitions offset next_offset end_offset key sequence expected reason reasons waits_for group generation
    entity entities day open_on turning_on complete_up_to missing chunk account accounts patience_s
    records facts rows outcome handled held parked late count batch size attempt held_max seconds pause_s lag id state
    method route status principal code check faults path type
    notice items level total currency noticed_on
    """.split()  # noqa: SIM905 - a list of a hundred quoted words reads worse
)
TEXT_MAX = 300
_SELF_TOLD = ("uvicorn.access",)  # Requests are counted and traced by us; their paths stay out of the log.


def set_up(service: str, *, level: str = "INFO", stream: TextIO | None = None) -> None:
    """
    Send structlog's and the standard library's logs (uvicorn, aiokafka, asyncio) the same way.

    Start uvicorn with `log_config=None, access_log=False`, or it undoes this.
    """
    out = stream or sys.stdout
    render: Processor = structlog.dev.ConsoleRenderer() if out.isatty() else structlog.processors.JSONRenderer(ensure_ascii=False)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_service(service),
        name_trace,
        shorten_exception,
        withhold,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _SELF_TOLD:
        logging.getLogger(name).disabled = True
    logging.getLogger("aiokafka").setLevel(max(logging.WARNING, root.level))


def _name_service(service: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add


def name_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the current span's `trace_id` and `span_id`; nothing outside a span."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"], event["span_id"] = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    return event


def shorten_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by `kind`, `error` and `stack` (file:line function, innermost last)."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else sys.exc_info()[1] if given else None
    if error is not None:
        event["kind"] = type(error).__name__
        event["error"] = str(error)
        event["stack"] = _frames(error.__traceback__)
    return event


def _frames(where: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(where)]


def withhold(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep allowed fields only, name the others under `withheld`, cut texts to their first line and 300 characters."""
    withheld = sorted(name for name in event if name not in FIELDS and not name.startswith("_"))
    kept: dict[str, Any] = {name: _cut(value) for name, value in event.items() if name not in withheld}
    return {**kept, "withheld": withheld} if withheld else kept


def _cut(value: object) -> object:
    if not isinstance(value, str):
        return value
    return value.split("\n", 1)[0][:TEXT_MAX]
