"""Poison by how it is said: keys, headers and CloudEvents attributes on ingress topics that are missing, doubled, forged or broken."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from torture.check.expected import Outcome
from torture.load.poison.ingress import LABEL, a_customer, an_entry, an_invoice, billed, record
from torture.load.poison.kind import Dose, Poison
from torture.load.wire import CUSTOMER, ENTRY, INVOICE, STRUCTURED, Header, Record, attributes, encoded

NO_CLOUDEVENT: Final = "NOT_A_CLOUDEVENT"
Spoil: TypeAlias = Callable[[Record], Record]
_MARKER: Final = b"receivables.BusinessDayStarted.v1"


def _sound(name: str) -> Record:
    return record(INVOICE, name, encoded(an_invoice(name)))


def _without(of: Record, *names: bytes) -> Record:
    return replace(of, headers=tuple(header for header in of.headers if header[0] not in names))


def _with(of: Record, *more: Header) -> Record:
    """Put headers in place of those of the same name."""
    return replace(_without(of, *(name for name, _ in more)), headers=(*_without(of, *(name for name, _ in more)).headers, *more))


def _besides(of: Record, *more: Header) -> Record:
    """Put headers behind those that are there."""
    return replace(of, headers=(*of.headers, *more))


def _structured(of: Record, value: bytes) -> Record:
    return replace(of, value=value, headers=((LABEL, of.key or b""), (b"content-type", STRUCTURED)))


def _unreadable() -> list[Poison]:
    """No CloudEvent: refused by every service that hears the topic."""
    context = attributes(INVOICE, "/erp/torture", "poison")
    body = an_invoice("structured")
    change: Mapping[str, Spoil] = {
        "no-headers": lambda sound: replace(sound, headers=()),
        "header-id-missing": lambda sound: _without(sound, b"ce_id"),
        "header-type-missing": lambda sound: _without(sound, b"ce_type"),
        "header-source-missing": lambda sound: _without(sound, b"ce_source"),
        "header-specversion-missing": lambda sound: _without(sound, b"ce_specversion"),
        "header-without-value": lambda sound: _with(sound, (b"ce_id", None)),
        "header-empty": lambda sound: _with(sound, (b"ce_type", b"")),
        "header-name-not-utf8": lambda sound: _besides(sound, (b"\xff\xfe", b"what")),
        "header-not-utf8": lambda sound: _with(sound, (b"ce_source", b"/erp/\xff")),
        "header-twice-the-last-empty": lambda sound: _besides(sound, (b"ce_id", b"")),
        "header-too-long": lambda sound: _with(sound, (b"ce_id", b"x" * 513)),
        "header-with-nul": lambda sound: _with(sound, (b"ce_id", b"a\x00b")),
        "specversion-of-the-past": lambda sound: _with(sound, (b"ce_specversion", b"0.3")),
        "sequence-not-a-number": lambda sound: _besides(sound, (b"ce_sequence", b"first")),
        "booked-on-malformed": lambda sound: _besides(sound, (b"ce_bookedon", b"31.12.2024")),
        "effective-on-malformed": lambda sound: _besides(sound, (b"ce_effectiveon", b"yesterday")),
        "tombstone": lambda sound: replace(sound, value=None),
        "structured-not-json": lambda sound: _structured(sound, b"{"),
        "structured-an-array": lambda sound: _structured(sound, encoded([context])),
        "structured-id-a-number": lambda sound: _structured(sound, encoded({**context, "id": 7, "data": body})),
        "structured-without-type": lambda sound: _structured(
            sound, encoded({"specversion": "1.0", "id": "1", "source": "/a", "data": body})
        ),
        "structured-base64-broken": lambda sound: _structured(sound, encoded({**context, "data_base64": "=not base64="})),
        "structured-deep": lambda sound: _structured(sound, b'{"id":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
        "marker-unreadable": lambda sound: _with(replace(sound, value=b'{"entity":"US01"}'), (b"ce_type", _MARKER)),
        "marker-of-no-day": lambda sound: _with(replace(sound, value=b'{"entity":"US01","date":"soon"}'), (b"ce_type", _MARKER)),
    }
    spoilt = [(name, spoil(_sound(name))) for name, spoil in change.items()]
    spoilt.append(("entry-tombstone", replace(record(ENTRY, "entry-tombstone", None))))
    spoilt.append(
        ("entry-without-headers", replace(record(ENTRY, "entry-without-headers", encoded(an_entry("entry-without-headers"))), headers=()))
    )
    spoilt.append(("customer-tombstone", record(CUSTOMER, "customer-tombstone", None)))
    return [Poison(name, (Dose(one, Outcome.REFUSED, NO_CLOUDEVENT),)) for name, one in spoilt]


def _refused() -> list[Poison]:
    """CloudEvents whose data is not what it should be, for the way it is packed, or that speak for somebody else."""
    context = attributes(INVOICE, "/erp/torture", "poison")
    another, entry, customer = (b"ce_entity", b"JP01"), "entry-entity-forged", "customer-entity-forged"
    packed = base64.b64encode(encoded(an_invoice("structured-half", total=None))).decode()
    spoilt = (
        ("structured-without-data", _structured(_sound("structured-without-data"), encoded({**context, "id": "no-data"})), "NOT_AN_OBJECT"),
        ("structured-base64-half", _structured(_sound("structured-base64-half"), encoded({**context, "data_base64": packed})), "MISSING"),
        ("entity-forged", _besides(_sound("entity-forged"), another), "ENTITY_MISMATCH"),
        ("entry-entity-forged", _besides(record(ENTRY, entry, encoded(an_entry(entry))), another), "ENTITY_MISMATCH"),
        ("customer-entity-forged", _besides(record(CUSTOMER, customer, encoded(a_customer(customer))), another), "ENTITY_MISMATCH"),
    )
    return [Poison(name, (Dose(one, Outcome.REFUSED, code),)) for name, one, code in spoilt]


def _ignored() -> list[Poison]:
    """Types that nobody subscribes to on this topic, and markers that say nothing new."""
    change = {
        "type-unknown": (b"ce_type", b"erp.InvoiceDreamt.v1"),
        "type-of-tomorrow": (b"ce_type", b"erp.InvoiceIssued.v2"),
        "type-in-capitals": (b"ce_type", b"ERP.INVOICEISSUED.V1"),
        "type-of-another-topic": (b"ce_type", ENTRY.encode()),
        "type-of-ours": (b"ce_type", b"receivables.InvoiceIssued.v1"),
    }
    said = [(name, _with(_sound(name), header)) for name, header in change.items()]
    for name, entity, day in (("marker-of-nobody", "ZZ99", "2025-01-02"), ("marker-of-the-past", "US01", "2001-01-01")):
        said.append((name, _with(replace(_sound(name), value=encoded({"entity": entity, "date": day})), (b"ce_type", _MARKER))))
    said.append(("entry-type-unknown", _with(record(ENTRY, "entry-type-unknown", b"{}"), (b"ce_type", b"bank.EntryReversed.v1"))))
    said.append(("customer-type-unknown", _with(record(CUSTOMER, "customer-type-unknown", b"\xff"), (b"ce_type", b"erp.CustomerGone.v1"))))
    return [Poison(name, (Dose(one, Outcome.IGNORED),)) for name, one in said]


def _accepted() -> list[Poison]:
    """Odd on the outside, plain in what is said."""
    change: Mapping[str, Spoil] = {
        "key-null": lambda sound: replace(sound, key=None, partition=0),
        "key-empty": lambda sound: replace(sound, key=b"", partition=0),
        "key-huge": lambda sound: replace(sound, key=b"k" * 100_000),
        "key-not-utf8": lambda sound: replace(sound, key=b"\xff\x00\xfe"),
        "header-name-empty": lambda sound: _besides(sound, (b"", b"what")),
        "header-nobody-knows-without-value": lambda sound: _besides(sound, (b"x-nothing", None)),
        "header-twice": lambda sound: replace(sound, headers=((b"ce_type", b"erp.Dream.v1"), *sound.headers)),
        "headers-a-thousand": lambda sound: _besides(sound, *((f"x-{n}".encode(), b"y" * 50) for n in range(1000))),
        "content-type-wrong": lambda sound: _with(sound, (b"content-type", b"image/png")),
        "content-type-missing": lambda sound: _without(sound, b"content-type"),
        "booked-on-ten-years-off": lambda sound: _besides(sound, (b"ce_bookedon", b"2035-01-02")),
        "booked-on-ten-years-ago": lambda sound: _besides(sound, (b"ce_bookedon", b"2015-01-02")),
        "occurred-ten-years-off": lambda sound: _besides(sound, (b"ce_time", b"2035-01-01T00:00:00Z")),
        "occurred-never": lambda sound: _besides(sound, (b"ce_time", b"not a time")),
        "sequence-of-its-own": lambda sound: _besides(sound, (b"ce_sequence", b"-7")),
        "traceparent-malformed": lambda sound: _besides(sound, (b"traceparent", b"00-zz-\xff-01")),
        "partitionkey-of-another": lambda sound: _besides(sound, (b"ce_partitionkey", b"US01|C-01")),
    }
    said = [(name, spoil(_sound(name))) for name, spoil in change.items()]
    for name, data in (("structured-and-sound", "data"), ("structured-in-base64", "data_base64")):
        body = encoded(an_invoice(name))
        whole = {**attributes(INVOICE, "/erp/torture", name), data: an_invoice(name) if data == "data" else base64.b64encode(body).decode()}
        said.append((name, _structured(_sound(name), encoded(whole))))
    accepted = [Poison(name, (Dose(one, Outcome.ACCEPTED, "", billed(name)),)) for name, one in said]
    named = "customer-of-poison"
    return [*accepted, Poison(named, (Dose(record(CUSTOMER, named, encoded(a_customer(named))), Outcome.ACCEPTED),))]


ENVELOPES: Final[Sequence[Poison]] = (*_unreadable(), *_refused(), *_ignored(), *_accepted())
"""Poison in what is around the data."""
