"""How an ERP or a bank writes an event on Kafka: CloudEvents 1.0, binary or structured mode, as plain JSON and headers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

INVOICE: Final = "erp.InvoiceIssued.v1"
DEBIT: Final = "erp.DebitMemoIssued.v1"
MEMO: Final = "erp.CreditMemoIssued.v1"
VOID: Final = "erp.InvoiceVoided.v1"
OPENING: Final = "erp.OpeningBalanceLoaded.v1"
CUSTOMER: Final = "erp.CustomerUpserted.v1"
ENTRY: Final = "bank.EntryBooked.v1"
RETURN: Final = "bank.EntryReturned.v1"
ADVICE: Final = "bank.RemittanceAdvised.v1"
RATE: Final = "erp.FxRatePublished.v1"
STRUCTURED: Final = b"application/cloudevents+json; charset=utf-8"
SOURCES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("erp.documents", "erp.customers", "erp.reference"), "/erp/torture"),
    "bank.entries": "/bank/torture",
}

Header: TypeAlias = tuple[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Record:
    """
    A record to publish. Names of headers are bytes, because a hostile one may be anything.

    `partition` None leaves it to the key. `zipped` compresses the batch the record travels in (gzip).
    """

    topic: str
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: tuple[Header, ...] = ()
    partition: int | None = None
    zipped: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether an ordinary client can publish it."""
        return not self.zipped and (self.key is not None or self.value is not None) and all(_is_utf8(name) for name, _ in self.headers)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def encoded(content: object) -> bytes:
    """Write JSON as most senders do, without spaces, in UTF-8."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def attributes(type_: str, source: str, id_: str, **more: str) -> dict[str, str]:
    """Return the context attributes of an event; `more` are extensions."""
    return {"specversion": "1.0", "id": id_, "type": type_, "source": source, **more}


def binary_headers(context: Mapping[str, str], *more: Header) -> tuple[Header, ...]:
    """Write context attributes as the headers of binary mode."""
    written: list[Header] = [(f"ce_{name}".encode(), value.encode()) for name, value in context.items()]
    return (*written, (b"content-type", b"application/json"), *more)


def in_binary_mode(topic: str, key: str, context: Mapping[str, str], data: object, *more: Header) -> Record:
    """Put an event into a record: context in headers, data as the value."""
    return Record(topic, key.encode(), encoded(data), binary_headers(context, *more))


def in_structured_mode(topic: str, key: str, context: Mapping[str, str], data: object, *more: Header) -> Record:
    """Put an event into a record as one JSON object."""
    return Record(topic, key.encode(), encoded({**context, "data": data}), ((b"content-type", STRUCTURED), *more))


def turned(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with its fields in another order and one that nobody knows, which says the same."""
    return {**dict(reversed(list(body.items()))), "sent_by": "torture"}
