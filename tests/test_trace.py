"""One trace from the sender's `traceparent` through our services to the read model, as an OTLP endpoint sees it (XC-09)."""

import time
from collections import Counter
from datetime import date, timedelta

import pytest
from testkit.ingress import a_customer, a_receipt, an_invoice
from testkit.otlp import OtlpSink, SeenSpan
from testkit.world import World

pytestmark = pytest.mark.scenario
ENTITY, OPENS_ON = "TRACE", date(2026, 4, 1)
SENDERS_SPAN = "00f067aa0ba902b7"
FROM_ERP, FROM_BANK, FROM_CLIENT, NOT_SAMPLED = (f"{number:032x}" for number in range(1, 5))
SAMPLED = {FROM_ERP, FROM_BANK, FROM_CLIENT}
NAME, IBAN, TEXT = "Canary Traced Ltd", "XA99CANARYTRACED", "canarytraced thanks"
WAIT_S_MAX = 10

Tree = Counter[tuple[str, str, str]]
"""Spans of one trace as (service, name, parent); a parent is «service name», or «sender»."""


def sampled(trace: str) -> str:
    return f"00-{trace}-{SENDERS_SPAN}-01"


def tree(sink: OtlpSink, trace: str) -> Tree:
    spans = {span.span_id: span for span in sink.spans if span.trace_id == trace}

    def parent_of(span: SeenSpan) -> str:
        if span.parent_id == SENDERS_SPAN:
            return "sender"
        parent = spans.get(span.parent_id)
        return f"{parent.service} {parent.name}" if parent else "nobody"

    return Counter((span.service, span.name, parent_of(span)) for span in spans.values())


def wait_for(sink: OtlpSink, trace: str, expected: Tree) -> Tree:
    """Return the tree when it is as expected, or what there is after ten seconds: spans are exported a little later than they end."""
    deadline = time.monotonic() + WAIT_S_MAX
    while (found := tree(sink, trace)) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def below(parent: str, topic: str, *services: str, facts: int = 1) -> Tree:
    """What services make of so many facts that a span has caused in a topic."""
    return Counter({(f"receivables-{service}", f"process {topic}", parent): facts for service in services})


def close_open_day(world: World) -> None:
    open_on = date.fromisoformat(world.read("invoice", "/v1/business-days", ENTITY)["open_on"])
    world.close_day(ENTITY, max(open_on, OPENS_ON - timedelta(days=1)))


def test_a_sampled_invoice_and_a_sampled_receipt_can_be_followed_to_the_read_model(world: World, sink: OtlpSink) -> None:
    """XC-09: ERP -> invoice -> outbox -> Kafka -> the others; bank -> payment -> the others."""
    world.publish(a_customer(ENTITY, "C-1", IBAN, name=NAME))
    world.publish(an_invoice(ENTITY, "T-1", "C-1", "100.00", issued_on=OPENS_ON), traceparent=sampled(FROM_ERP))
    close_open_day(world)
    receipt = a_receipt(ENTITY, "T-1", "60.00", value_on=OPENS_ON, naming=f"{TEXT} T-1", iban=IBAN, debtor=NAME)
    world.publish(receipt, traceparent=sampled(FROM_BANK))
    close_open_day(world)

    invoiced = below("sender", "erp.documents", "invoice") + below(
        "receivables-invoice process erp.documents", "receivables.invoice", "payment", "credit", "dunning", "reporting"
    )
    paid = below("sender", "bank.entries", "payment") + below(  # PaymentReceived and PaymentApplied.
        "receivables-payment process bank.entries", "receivables.payment", "invoice", "credit", "dunning", "reporting", facts=2
    )
    assert wait_for(sink, FROM_ERP, invoiced) == invoiced
    assert wait_for(sink, FROM_BANK, paid) == paid
    for canary in (NAME, IBAN, TEXT.split()[0]):
        assert not [span for span in sink.spans if canary in span.text]


def test_a_command_over_http_is_the_parent_of_what_it_causes(world: World, sink: OtlpSink) -> None:
    """XC-09: the client's span, the request, and what four services make of its fact."""
    body = {"entity": ENTITY, "document_no": "T-2", "customer": "C-1", "currency": "USD", "issued_on": str(OPENS_ON), "terms": "NET30"}
    answer = world.post("invoice", "/v1/invoices", body | {"total": "10.00"}, key="t-2", traceparent=sampled(FROM_CLIENT))
    assert answer.status_code == 201, answer.text

    request = "receivables-invoice POST /v1/invoices"
    commanded = Counter({("receivables-invoice", "POST /v1/invoices", "sender"): 1}) + below(
        request, "receivables.invoice", "payment", "credit", "dunning", "reporting"
    )
    assert wait_for(sink, FROM_CLIENT, commanded) == commanded


@pytest.mark.parametrize(
    "traceparent", [None, f"00-{NOT_SAMPLED}-{SENDERS_SPAN}-00", "00-garbage"], ids=["none", "not sampled", "malformed"]
)
def test_a_fact_that_is_not_sampled_costs_no_span_of_its_own(world: World, sink: OtlpSink, traceparent: str | None) -> None:
    """Every micro-batch is one span, whatever is in it; a record gets one only when its sender asks for it."""
    batches_before = [
        len([span for span in sink.spans if span.name == name]) for name in ("batch erp.documents", "batch receivables.invoice")
    ]

    world.publish(an_invoice(ENTITY, f"T-3-{len(str(traceparent))}", "C-1", "10.00", issued_on=OPENS_ON), traceparent=traceparent)
    close_open_day(world)

    sink.named("batch erp.documents", count=batches_before[0] + 1)
    sink.named("batch receivables.invoice", count=batches_before[1] + 4)
    begun_here = {span.trace_id for span in sink.spans if span.name.startswith(("POST ", "PUT ", "turn day"))}  # Commands, notices.
    assert {span.trace_id for span in sink.spans if span.name.startswith("process ")} <= SAMPLED | begun_here
