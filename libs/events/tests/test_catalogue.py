"""The catalogue for people and machines, from the classes alone."""

import pytest
from events import Event, facts
from events.asyncapi import PARTITIONS, dangling, document
from events.catalogue import does_not_imply, meaning, publisher, render
from events.fact import FactKind
from events.topics import EVERY, TOPICS

CONSUMERS = {"erp.InvoiceIssued.v1": ["invoice"], "receivables.InvoiceIssued.v1": ["payment", "credit"]}


@pytest.mark.parametrize("kind", facts().values(), ids=lambda kind: kind.type)
def test_every_fact_says_when_it_is_published_and_what_it_does_not_imply(kind: FactKind) -> None:
    assert meaning(kind).startswith(("Published ", "Stands "))
    assert meaning(kind).endswith(".")
    assert does_not_imply(kind).endswith(".")


@pytest.mark.parametrize("kind", facts().values(), ids=lambda kind: kind.type)
def test_every_fact_has_a_topic_of_ours_and_a_versioned_name_of_its_publisher(kind: FactKind) -> None:
    family, name, version = kind.type.split(".")
    assert kind.topic in (*TOPICS, EVERY)
    assert family == (kind.owner if kind.owner in ("erp", "bank") else "receivables")
    assert (name, version) == (kind.event.__name__, "v1")


def test_a_docstring_that_does_not_say_what_the_fact_does_not_imply_is_refused() -> None:
    class Vague(Event, frozen=True, kw_only=True):
        """Published sometimes."""

    with pytest.raises(ValueError, match="does not imply"):
        does_not_imply(FactKind(Vague, "receivables.Vague.v1", "receivables.invoice", "invoice", "0.1.0"))


def test_a_sentence_ends_at_its_full_stop_and_not_at_one_in_a_name() -> None:
    class Dotted(Event, frozen=True, kw_only=True):
        """
        Published on `receivables.invoice` at 2.5 percent. More follows.

        Does not imply v1. `More` follows.
        """

    kind = FactKind(Dotted, "receivables.Dotted.v1", "receivables.invoice", "invoice", "0.1.0")
    assert (meaning(kind), does_not_imply(kind)) == ("Published on `receivables.invoice` at 2.5 percent.", "v1.")


def test_the_page_has_a_row_for_every_fact_and_an_arrow_for_every_listener() -> None:
    page = render(CONSUMERS)
    for wire_name, kind in facts().items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| [`{wire_name}`]")]
        assert f"| {publisher(kind)} |" in row
    for arrow in ('erp -->|"InvoiceIssued"| invoice', 'invoice -->|"InvoiceIssued"| payment', 'invoice -->|"InvoiceIssued"| credit'):
        assert arrow in page


def test_the_asyncapi_document_says_who_publishes_and_who_hears() -> None:
    whole = document(CONSUMERS, {}, version="0.1.0")
    hears = whole["operations"]["payment-hears-receivables-invoice"]
    assert hears["action"] == "receive"
    assert hears["messages"] == [{"$ref": "#/channels/receivables.invoice/messages/receivables.InvoiceIssued.v1"}]
    assert whole["operations"]["invoice-publishes-receivables-invoice"]["action"] == "send"
    assert "erp-publishes-erp-documents" not in whole["operations"], "what others do is not an operation of ours"
    assert dangling(whole) == []


def test_every_channel_has_its_partitions_and_the_markers_that_stand_in_it() -> None:
    for topic, channel in document(CONSUMERS, {}, version="0.1.0")["channels"].items():
        assert (channel["address"], channel["bindings"]["kafka"]["partitions"]) == (topic, PARTITIONS)
        assert "receivables.BusinessDayStarted.v1" in channel["messages"]
        assert ("receivables.DayOpenedWithout.v1" in channel["messages"]) == topic.startswith("receivables.")
