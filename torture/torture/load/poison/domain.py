"""Poison on topics of our own, under keys of its own: it blocks these and nobody else's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from torture.check.expected import Outcome
from torture.load.poison.ingress import LABEL
from torture.load.poison.kind import Dose, Poison
from torture.load.wire import STRUCTURED, Record, attributes, binary_headers, encoded

INVOICES: Final = "receivables.invoice"
ISSUED: Final = "receivables.InvoiceIssued.v1"
DEBITED: Final = "receivables.DebitMemoIssued.v1"
VOIDED: Final = "receivables.InvoiceVoided.v1"
APPROVED: Final = "receivables.WriteOffApproved.v1"
FELL_DUE: Final = "receivables.InstalmentFellDue.v1"
APPLIED: Final = "receivables.PaymentApplied.v1"
POSTED: Final = "receivables.AdjustmentPosted.v1"
TAKEN_BACK: Final = "receivables.AdjustmentReversed.v1"
DISCOUNTED: Final = "receivables.DiscountGranted.v1"
REVOKED: Final = "receivables.DiscountRevoked.v1"
RETURNED: Final = "receivables.PaymentReversed.v1"
PAID_BACK: Final = "receivables.RefundIssued.v1"
EXCHANGED: Final = "receivables.FxRealised.v1"
NOTICED: Final = "receivables.DunningNoticeSent.v1"
DREAMT: Final = "receivables.InvoiceDreamt.v1"

_TOPIC_OF: Final[Mapping[str, str]] = {
    **dict.fromkeys((ISSUED, DEBITED, VOIDED, APPROVED, FELL_DUE, DREAMT), INVOICES),
    **dict.fromkeys((APPLIED, POSTED, TAKEN_BACK, DISCOUNTED, REVOKED, RETURNED, PAID_BACK, EXCHANGED), "receivables.payment"),
    NOTICED: "receivables.collections",
}
_ACCOUNT: Final = "P-99"
"""Nothing may ever stand in its books: what is published here as if it were sound must not be applied."""


def _issued(name: str, **changes: Any) -> dict[str, Any]:
    number = f"P-{name}"[:60]
    body = {
        "entity": "US01",
        "invoice": f"US01|{number}",
        "document_no": number,
        "type": "380",
        "customer": _ACCOUNT,
        "account": _ACCOUNT,
        "currency": "USD",
        "issued_on": "2025-01-02",
        "total": "10.00",
        "instalments": [{"n": 1, "due_on": "2025-01-07", "amount": "10.00"}],
    }
    return {**body, **changes}


def _applied(name: str, **changes: Any) -> dict[str, Any]:
    number = f"P-{name}"[:60]
    body = {
        "entity": "US01",
        "application": f"receipt|{number}",
        "receipt": f"US01|{number}",
        "item": f"US01|{number}|1",
        "invoice": f"US01|{number}",
        "customer": _ACCOUNT,
        "account": _ACCOUNT,
        "currency": "USD",
        "due_on": "2025-01-07",
        "amount": "10.00",
        "rule": "reference",
    }
    return {**body, **changes}


def _written_off(name: str, **changes: Any) -> dict[str, Any]:
    """
    Return what is said of an adjustment, a discount, a return, a refund or a gain; what each of them does not know does not matter.
    """
    number = f"P-{name}"[:60]
    body = {
        **_applied(name),
        "discount": f"earned|{number}",
        "refund": f"US01|refund|{number}|1",
        "value_on": "2025-01-02",
        "approved_by": "approver-1",
        "gain": "1.00",
        "loss": "0.00",
        "request": f"US01|adj|{number}|1|1",
        "adjustment": f"US01|adj|{number}|1|1",
        "tax": "0.00",
        "kind": "bad_debt",
        "requested_by": "clerk-1",
        "policy_version": "standard-1",
        "reason": "recovered",
    }
    return {**body, **changes}


def _record(name: str, type_: str, data: object, **context: str | None) -> Record:
    """Put data into a record as our own services do; an attribute that is None is left out."""
    key = f"poison|{name}"
    sequence = context.get("sequence", "1")
    own = attributes(type_, "/poison", f"poison/{name}/{sequence}", partitionkey=key, sequence="1", entity="US01", bookedon="2025-01-02")
    told = {attribute: value for attribute, value in {**own, **context}.items() if value is not None}
    value = data if isinstance(data, bytes) else encoded(data)
    return Record(_TOPIC_OF[type_], key.encode(), value, binary_headers(told, (LABEL, name.encode())))


def _parked(name: str, record: Record, reason: str) -> Poison:
    return Poison(name, (Dose(record, Outcome.PARKED, reason),))


def _unreadable() -> list[Poison]:
    """No fact of ours: parked by every service that hears the topic."""
    changes: Mapping[str, dict[str, str | None]] = {
        "fact-without-sequence": {"sequence": None},
        "fact-sequence-not-a-number": {"sequence": "one"},
        "fact-sequence-with-decimals": {"sequence": "1.0"},
        "fact-without-entity": {"entity": None},
        "fact-without-key": {"partitionkey": None},
        "fact-with-empty-key": {"partitionkey": ""},
        "fact-key-too-long": {"partitionkey": "k" * 513},
        "fact-without-type": {"type": None},
        "fact-booked-on-malformed": {"bookedon": "01/02/2025"},
        "fact-booked-on-never": {"bookedon": "2025-13-45"},
        "fact-of-the-past": {"specversion": "0.2"},
    }
    told = [(name, _record(name, ISSUED, _issued(name), **change)) for name, change in changes.items()]
    tombstone = _record("fact-tombstone", ISSUED, _issued("fact-tombstone"))
    bare = _record("fact-without-headers", ISSUED, _issued("fact-without-headers"))
    structured = _record("fact-structured-not-json", ISSUED, {})
    headless = _record("fact-header-not-utf8", APPLIED, _applied("fact-header-not-utf8"))
    nameless = _record("fact-header-name-not-utf8", APPLIED, _applied("fact-header-name-not-utf8"))
    marker = _record("fact-marker-unreadable", NOTICED, {"entity": 7})
    told += [
        ("fact-tombstone", replace(tombstone, value=None)),
        ("fact-without-headers", replace(bare, headers=())),
        ("fact-header-not-utf8", replace(headless, headers=(*headless.headers, (b"ce_correlationid", b"\xff")))),
        ("fact-header-name-not-utf8", replace(nameless, headers=(*nameless.headers, (b"\xc3", b"what")))),
        ("fact-structured-not-json", replace(structured, value=b"<xml/>", headers=((b"content-type", STRUCTURED),))),
        ("fact-marker-unreadable", replace(marker, headers=(*marker.headers, (b"ce_type", b"receivables.BusinessDayStarted.v1")))),
    ]
    return [_parked(name, record, "unreadable") for name, record in told]


def _undecodable() -> list[Poison]:
    """A fact whose data is not what its type says: parked by those who subscribe to the type."""
    deep = b'{"more":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    told = (
        ("fact-not-utf8", ISSUED, b'{"entity":"\xff"}'),
        ("fact-not-json", ISSUED, b"{entity: US01}"),
        ("fact-empty", ISSUED, b""),
        ("fact-nan", ISSUED, b'{"total":NaN}'),
        ("fact-deep", ISSUED, deep),
        ("fact-field-missing", ISSUED, {"entity": "US01"}),
        ("fact-field-of-wrong-type", ISSUED, _issued("fact-field-of-wrong-type", instalments="none")),
        ("fact-day-that-never-was", APPLIED, _applied("fact-day-that-never-was", due_on="2025-02-30")),
        ("notice-undecodable", NOTICED, {"entity": "US01", "items": "all"}),
        ("debit-memo-without-instalments", DEBITED, _issued("debit-memo-without-instalments", instalments=None)),
        ("void-undecodable", VOIDED, _issued("void-undecodable", instalments="none")),
        ("approval-undecodable", APPROVED, _written_off("approval-undecodable", amount=10)),
        ("adjustment-undecodable", POSTED, _written_off("adjustment-undecodable", tax=None)),
        ("recovery-undecodable", TAKEN_BACK, _written_off("recovery-undecodable", due_on="soon")),
        ("discount-undecodable", DISCOUNTED, _written_off("discount-undecodable", kind=None)),
        ("reversal-undecodable", RETURNED, _written_off("reversal-undecodable", reopened="all")),
        ("refund-undecodable", PAID_BACK, _written_off("refund-undecodable", refund=7)),
    )
    return [_parked(name, _record(name, type_, data), "undecodable") for name, type_, data in told]


def _misplaced() -> list[Poison]:
    """Money moved by a fact on a topic where only documents are told: parked by those who would have believed it."""
    applied, posted = "fact-on-another-topic", "adjustment-on-another-topic"
    returned = "reversal-on-another-topic"
    told = (
        (returned, replace(_record(returned, RETURNED, _written_off(returned)), topic=_TOPIC_OF[ISSUED])),
        (applied, replace(_record(applied, APPLIED, _applied(applied)), topic=_TOPIC_OF[ISSUED])),
        (posted, replace(_record(posted, POSTED, _written_off(posted)), topic=_TOPIC_OF[ISSUED])),
    )
    return [_parked(name, record, "misplaced") for name, record in told]


def _failing() -> list[Poison]:
    """A fact that reads well and cannot be handled: found by halving the batch it is in."""
    told = (
        ("fact-amount-in-words", ISSUED, {"total": "ten", "instalments": [{"n": 1, "due_on": "2025-01-07", "amount": "ten"}]}),
        ("fact-currency-unknown", ISSUED, {"currency": "XQQ"}),
        ("fact-amount-forty-digits", ISSUED, {"total": "1" * 40, "instalments": [{"n": 1, "due_on": "2025-01-07", "amount": "1" * 40}]}),
    )
    issued = [_parked(name, _record(name, type_, _issued(name, **change)), "failed") for name, type_, change in told]
    name, words = "void-in-words", {"total": "ten", "instalments": [{"n": 1, "due_on": "2025-01-07", "amount": "ten"}]}
    others = (
        ("application-amount-exponent", APPLIED, _applied("application-amount-exponent", amount="1e3")),
        ("adjustment-amount-exponent", POSTED, _written_off("adjustment-amount-exponent", amount="1e3")),
        ("recovery-in-no-currency", TAKEN_BACK, _written_off("recovery-in-no-currency", currency="XQQ")),
        ("discount-amount-exponent", DISCOUNTED, _written_off("discount-amount-exponent", amount="1e3")),
        ("revocation-below-the-cent", REVOKED, _written_off("revocation-below-the-cent", amount="0.001")),
        ("reversal-in-no-currency", RETURNED, _written_off("reversal-in-no-currency", currency="XQQ", fee="1.00")),
        ("refund-amount-in-words", PAID_BACK, _written_off("refund-amount-in-words", amount="ten")),
        ("gain-of-infinity", EXCHANGED, _written_off("gain-of-infinity", gain="Infinity")),
        ("approval-of-nothing-there", APPROVED, _written_off("approval-of-nothing-there")),
        (name, VOIDED, _issued(name, **words)),
    )
    return [*issued, *(_parked(name, _record(name, type_, data), "failed") for name, type_, data in others)]


def _out_of_turn() -> list[Poison]:
    """Sequences that are not the next, and what stands behind something parked. Nothing of it may be applied."""
    gap = "fact-after-a-gap"
    repeated = "fact-sequence-repeated"
    behind = "fact-behind-a-parked-one"
    forged = "fact-of-unknown-entity"
    huge = "fact-sequence-huge"
    first = [Dose(_record(name, DREAMT, {}), Outcome.IGNORED) for name in (gap, repeated)]
    return [
        Poison(gap, (first[0], Dose(_record(gap, ISSUED, _issued(gap), sequence="3"), Outcome.PARKED, "gap"))),
        Poison(repeated, (first[1], Dose(_record(repeated, ISSUED, _issued(repeated), id="poison/other"), Outcome.IGNORED))),
        Poison("fact-sequence-zero", (Dose(_record("fact-sequence-zero", ISSUED, _issued("zero"), sequence="0"), Outcome.IGNORED),)),
        Poison(
            "fact-sequence-negative", (Dose(_record("fact-sequence-negative", ISSUED, _issued("neg"), sequence="-1"), Outcome.IGNORED),)
        ),
        Poison(huge, (Dose(_record(huge, ISSUED, _issued(huge), sequence="9" * 30), Outcome.PARKED, "gap"),)),
        Poison(
            behind,
            (
                Dose(_record(behind, ISSUED, b"{"), Outcome.PARKED, "undecodable"),
                Dose(_record(behind, ISSUED, _issued(behind), sequence="2"), Outcome.PARKED, "behind"),
            ),
        ),
        Poison(
            forged,
            (
                Dose(_record(forged, ISSUED, _issued(forged, entity="ZZ99"), entity="ZZ99"), Outcome.PARKED, "entity_unknown"),
                Dose(_record(forged, ISSUED, _issued(forged), sequence="2"), Outcome.PARKED, "behind"),
            ),
        ),
    ]


def _ignored() -> list[Poison]:
    """Facts that nobody subscribes to, or nobody who hears the topic, however odd."""
    name, approved = "fact-with-null-key", "approval-on-another-topic"
    dreams = (
        ("fact-of-unknown-type", _record("fact-of-unknown-type", DREAMT, b"\xff\xff")),
        ("fact-of-tomorrow", replace(_record("fact-of-tomorrow", DREAMT, _issued("tomorrow"), type="receivables.InvoiceIssued.v7"))),
        ("fact-booked-ten-years-off", _record("fact-booked-ten-years-off", DREAMT, {}, bookedon="2035-01-02")),
        (approved, replace(_record(approved, APPROVED, _written_off(approved)), topic=_TOPIC_OF[APPLIED])),
        ("fact-nobody-hears", _record("fact-nobody-hears", FELL_DUE, {"entity": 7})),
        ("fact-with-extra-attributes", _record("fact-with-extra-attributes", DREAMT, {}, colour="blue", nextof="kin")),
        (name, replace(_record(name, DREAMT, {}), key=None, partition=0)),
    )
    return [Poison(name, (Dose(record, Outcome.IGNORED),)) for name, record in dreams]


def before_its_predecessor(name: str) -> Poison:
    """A fact that nobody subscribes to, published before the one it follows: parked on a gap until an operator redrives it."""
    second, first = _record(name, DREAMT, {}, sequence="2"), _record(name, DREAMT, {})
    return Poison(name, (Dose(second, Outcome.PARKED, "gap"), Dose(first, Outcome.IGNORED)))


DOMAIN: Final[Sequence[Poison]] = (*_unreadable(), *_undecodable(), *_misplaced(), *_failing(), *_out_of_turn(), *_ignored())
"""Poison among the facts of the services."""
