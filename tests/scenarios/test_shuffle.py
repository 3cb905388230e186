"""
A14: the worked examples as one stream, every fact twice, shuffled, the bank before the ERP, end in the same books as told in order.

What is compared is all that anybody can ask the five services. Which examples are in the stream, and what they must say to the cent, stands
in `test_shuffle_figures.py`. `SEED=n` repeats a run.
"""

import asyncio
import hashlib
from collections import Counter

import asyncpg
import pytest
from chassis.record import Fresh, classify, content_of
from testkit import books
from testkit.books import Retold
from testkit.ingress import context_of
from testkit.world import World

pytestmark = pytest.mark.scenario
INGRESS = ("erp.documents", "erp.customers", "erp.reference", "bank.entries")
PUBLISHED = ("receivables.invoice", "receivables.payment", "receivables.credit", "receivables.collections")
REVERSED, APPLIED = "receivables.ApplicationReversed.v1", "receivables.PaymentApplied.v1"
READ_MODEL = ("item", "cube", "account_delta", "receipt_day", "notice")


def test_every_fact_from_outside_came_twice_and_facts_of_all_services_were_repeated(shuffled: Retold) -> None:
    """A14, EVT-02: the stream is what it claims to be."""
    stories = shuffled.in_disorder.values()
    came = Counter((fact.envelope.type, fact.envelope.id) for topic in INGRESS for fact in facts_in(shuffled, topic))
    said = {topic: Counter(fact.envelope.id for fact in facts_in(shuffled, topic)) for topic in PUBLISHED}

    assert came == Counter([(context.type, context.id) for story in stories for context in map(context_of, story.facts)] * 2)
    assert {topic: max(times.values()) for topic, times in said.items()} == dict.fromkeys(PUBLISHED, 2)


def test_the_ledger_had_to_reorder_what_it_had_applied_before_the_rest_of_the_day_was_there(shuffled: Retold) -> None:
    """A14: a disorder that changes nothing on the way would prove nothing."""
    reversals = [fact for fact in facts_in(shuffled, "receivables.payment") if fact.envelope.type == REVERSED]
    assert "reordered" in {content_of(fact.data)["reason"] for fact in reversals}


def test_cash_was_applied_in_every_way_there_is_and_taken_back_for_every_reason(shuffled: Retold) -> None:
    """A14, PAY-05 to PAY-13: discounts, charges, returns, refunds, rates; by rules, references and people."""
    till = shuffled.in_disorder["TILL"].entity
    facts = [(fact.envelope.type, content_of(fact.data)) for fact in facts_in(shuffled, "receivables.payment") if fact.entity == till]
    said = {kind.removeprefix("receivables.").removesuffix(".v1") for kind, _ in facts}
    assert {"DiscountGranted", "DiscountRevoked", "AdjustmentPosted", "PaymentReversed", "RefundIssued", "FxRealised"} <= said
    assert {"ShortPaymentDetected", "OverpaymentDetected", "InstalmentOverdue"} <= said
    assert {data["reason"] for kind, data in facts if kind == REVERSED} == {"reordered", "returned", "person"}
    assert {data["rule"] for kind, data in facts if kind == APPLIED} >= {"reference", "exact_item", "oldest_first", "person"}


def test_every_item_and_memo_has_the_same_open_amount_in_all_services(shuffled: Retold) -> None:
    """A14, W1, EVT-03, INV-01, INV-05, INV-06, PAY-07: ledger, documents, dunning and reporting, item by item."""
    shuffled.must_agree_on(books.items)


def test_people_and_policies_have_decided_the_same(shuffled: Retold) -> None:
    """A14, INV-07, INV-08, INV-09, INV-12: write-offs and what came of them, late charges, billing schedules and bills."""
    shuffled.must_agree_on(books.decisions)


def test_the_invoice_service_has_told_the_same_facts(shuffled: Retold) -> None:
    """A14, EVT-03: documents, voids, instalments that fell due, charges, approvals, refusals: each once, with the same dates."""
    shuffled.must_agree_on(books.facts_of_documents)


def test_the_money_of_every_receipt_is_in_the_same_place(shuffled: Retold) -> None:
    """A14, PAY-02, PAY-04, PAY-08, PAY-11: unidentified, unapplied, on-account and applied, with the dates of each application."""
    shuffled.must_agree_on(books.dispositions)


def test_every_account_has_the_same_exposure_and_is_allowed_the_same(shuffled: Retold) -> None:
    """A14, CRD-01, CRD-02: a limit set twice is set once, a fact that came twice is counted once."""
    shuffled.must_agree_on(books.exposures)


def test_the_same_notices_were_sent(shuffled: Retold) -> None:
    """A14, W1, COL-01, COL-02: by account, day, level, items and amounts."""
    shuffled.must_agree_on(books.notices)


def test_aging_is_the_same_as_of_every_day_as_it_was_known_then_and_as_it_is_known_now(shuffled: Retold) -> None:
    """A14, RPT-01, RPT-02, M9."""
    shuffled.must_agree_on(books.aging)


def test_every_month_rolls_forward_to_the_same_close_with_the_same_key_figures(shuffled: Retold) -> None:
    """A14, RPT-03, RPT-08."""
    shuffled.must_agree_on(books.closes)


def test_money_was_matched_as_well_and_the_same_was_found(shuffled: Retold) -> None:
    """A14, PAY-17: what was reordered on the way is no quality of matching."""
    shuffled.must_agree_on(books.matching)


def test_the_read_model_rebuilt_from_offset_0_is_the_same_byte_by_byte_twice(shuffled: Retold) -> None:
    """A14, EVT-05, R1: the rows of both tellings, and every report made from them."""
    rows, reports = read_model(shuffled.world), reports_of(shuffled)

    for _ in range(2):
        done = shuffled.world.rebuild()
        assert (done.returncode, done.stderr) == (0, "")
        assert "it was the same, row by row" in done.stdout
        assert read_model(shuffled.world) == rows
        assert reports_of(shuffled) == reports


def facts_in(shuffled: Retold, topic: str) -> list[Fresh]:
    """What stands in a topic about the entities told in disorder."""
    entities = {story.entity for story in shuffled.in_disorder.values()}
    found = map(classify, shuffled.world.log(topic))
    return [one for one in found if isinstance(one, Fresh) and one.entity in entities]


def read_model(world: World) -> dict[str, str]:
    """A digest of the rows of each table, without the instant at which one was folded."""

    async def dump() -> dict[str, str]:
        connection = await asyncpg.connect(world.stack.urls().databases["reporting"])
        try:
            found = {
                table: [row["line"] for row in await connection.fetch(f"SELECT (to_jsonb(t) - 'folded_at')::text AS line FROM {table} t")]
                for table in READ_MODEL
            }
        finally:
            await connection.close()
        assert all(found.values()), "an empty table proves nothing"
        return {table: hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() for table, lines in found.items()}

    return asyncio.run(dump())


def reports_of(shuffled: Retold) -> list[bytes]:
    """The bytes of the reports on every entity of the stream."""
    world, found = shuffled.world, []
    for story in (*shuffled.in_order.values(), *shuffled.in_disorder.values()):
        answers = [world.get("reporting", "/v1/aging", entity=story.entity, as_of=day, by="customer") for day in story.days]
        answers += [world.get("reporting", "/v1/kpis", entity=story.entity), world.get("reporting", "/", entity=story.entity)]
        answers += [world.get("reporting", "/v1/items", entity=story.entity, customer=one) for one in story.customers]
        assert {answer.status_code for answer in answers} == {200}
        found += [answer.content for answer in answers]
    return found
