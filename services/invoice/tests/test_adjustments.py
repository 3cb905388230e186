"""What may be taken off an item, how much of it is tax, and what became of it."""

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain.adjustments import (
    AdjustableDocument,
    Ask,
    AskedBefore,
    OpenItem,
    Standing,
    Wanted,
    adjustment_id,
    examine_ask,
    gross_and_recovered,
    open_item,
    status_of,
    tax_part,
)


def an_item(n: int = 1, open_minor: int = 480_00, reserved_minor: int = 0) -> OpenItem:
    return OpenItem(n, open_minor, reserved_minor, tolerated_minor=0, asked_times=0)


def a_document(*items: OpenItem, **changes: Any) -> AdjustableDocument:
    """INV-8 of A7: 480.00, of which 80.00 is tax."""
    common = {"row_id": 1, "entity": "US01", "document_no": "INV-8", "customer": "C-1", "account": "C-1", "currency": "USD"}
    figures = {"is_voided": False, "total_minor": 480_00, "tax_minor": 80_00, "adjusted_minor": 0}
    return AdjustableDocument(**{**common, **figures, "items": items or (an_item(),), **changes})


def an_ask(**changes: Any) -> Ask:
    return Ask(**{"entity": "US01", "document_no": "INV-8", "kind": "bad_debt", "reason": "INSOLVENT", **changes})


def test_all_that_is_open_is_meant_where_no_amount_is_said() -> None:
    """INV-08"""
    found = examine_ask(an_ask(), a_document(an_item(reserved_minor=100_00)))

    assert found == Wanted(an_item(reserved_minor=100_00), "bad_debt", "INSOLVENT", 380_00)


@pytest.mark.parametrize(
    ("ask", "document", "faults"),
    [
        (an_ask(), None, [("ITEM_UNKNOWN", "document_no")]),
        (
            an_ask(kind="theft", reason="Mr. Smith died"),
            None,
            [("KIND_UNKNOWN", "kind"), ("REASON_INVALID", "reason"), ("ITEM_UNKNOWN", "document_no")],
        ),
        (an_ask(n=2), a_document(), [("ITEM_UNKNOWN", "n")]),
        (an_ask(), a_document(an_item(1), an_item(2)), [("INSTALMENT_MISSING", "n")]),
        (an_ask(), a_document(is_voided=True), [("ITEM_VOIDED", "document_no")]),
        (an_ask(amount="480.01"), a_document(), [("AMOUNT_ABOVE_OPEN", "amount")]),
        (an_ask(amount="380.01"), a_document(an_item(reserved_minor=100_00)), [("AMOUNT_ABOVE_OPEN", "amount")]),
        (an_ask(), a_document(an_item(open_minor=0)), [("NOTHING_OPEN", "document_no")]),
        (an_ask(amount="1.00"), a_document(an_item(reserved_minor=480_00)), [("NOTHING_OPEN", "document_no")]),
        (an_ask(amount="1.005", kind=""), a_document(), [("KIND_UNKNOWN", "kind"), ("AMOUNT_TOO_PRECISE", "amount")]),
        (an_ask(amount="0.00"), a_document(), [("AMOUNT_NOT_POSITIVE", "amount")]),
        (an_ask(amount="-1.00"), a_document(is_voided=True), [("ITEM_VOIDED", "document_no"), ("AMOUNT_NOT_POSITIVE", "amount")]),
    ],
)
def test_what_cannot_be_asked_for_is_told_every_reason(
    ask: Ask, document: AdjustableDocument | None, faults: list[tuple[str, str]]
) -> None:
    """INV-08: the item exists and is not voided, the amount is within what is open and not asked for already."""
    assert examine_ask(ask, document) == faults


def test_what_is_asked_for_or_approved_and_not_yet_posted_is_reserved() -> None:
    """INV-08"""
    today, since = date(2026, 1, 6), date(2026, 1, 5)
    pending = AskedBefore(1, True, 50_00, 0, 0, by_policy=False, decided_on=None)
    lapsed = AskedBefore(1, False, 40_00, 0, 0, by_policy=False, decided_on=today)
    partly_posted = AskedBefore(1, False, 30_00, 30_00, 10_00, by_policy=False, decided_on=since)
    never_posted = AskedBefore(1, False, 20_00, 20_00, 0, by_policy=False, decided_on=date(2026, 1, 4))
    by_policy = AskedBefore(1, False, 3_20, 3_20, 3_20, by_policy=True, decided_on=today)
    of_another = AskedBefore(2, True, 7_00, 0, 0, by_policy=False, decided_on=None)

    item = open_item(1, 480_00, [pending, lapsed, partly_posted, never_posted, by_policy, of_another], since)

    assert item == OpenItem(1, 480_00, reserved_minor=70_00, tolerated_minor=3_20, asked_times=5)


def test_the_tax_in_all_of_480_00_is_80_00() -> None:
    """INV-08, A7"""
    assert a_document().tax_of(480_00) == 80_00
    assert a_document(adjusted_minor=240_00).tax_of(240_00) == 40_00


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(1, 10**9), min_size=1, max_size=12))
def test_the_tax_parts_of_a_document_written_off_piece_by_piece_sum_to_its_tax(tax_minor: int, pieces: list[int]) -> None:
    """INV-08: the last takes the rest."""
    total_minor = sum(pieces)
    before = [sum(pieces[:place]) for place in range(len(pieces) + 1)]
    parts = [tax_part(tax_minor, total_minor, start, end - start) for start, end in pairwise(before)]

    assert sum(parts) == tax_minor


@given(
    st.integers(1, 10**9).flatmap(
        lambda total: st.tuples(st.just(total), st.integers(0, total), st.integers(0, total), st.integers(0, total))
    )
)
def test_a_tax_part_lies_between_nothing_and_the_amount(figures: tuple[int, int, int, int]) -> None:
    total_minor, tax_minor, before_minor, amount_minor = figures

    assert 0 <= tax_part(tax_minor, total_minor, before_minor, amount_minor) <= amount_minor


def test_a_tax_part_is_within_half_a_cent_of_the_proportion() -> None:
    assert [tax_part(1, 3, 0, minor) for minor in (1, 2, 3)] == [0, 1, 1]
    assert tax_part(0, 0, 0, 0) == 0


def test_a_recovery_leaves_what_was_written_off_in_all_as_it_was() -> None:
    """INV-08, A7: 240.00 comes in, 480.00 were written off."""
    approved, recovered = Standing(480_00, 80_00), Standing(240_00, 40_00)

    assert gross_and_recovered(approved, approved, recovered) == (approved, recovered)
    assert status_of("approved", approved, recovered) == "recovered"


def test_a_recovery_that_is_undone_is_no_second_write_off() -> None:
    """INV-08: posted once more, so that the sums are 720.00 and 240.00."""
    approved, again = Standing(480_00, 80_00), Standing(720_00, 120_00)

    assert gross_and_recovered(approved, again, Standing(240_00, 40_00)) == (approved, Standing(0, 0))
    assert status_of("recovered", approved, Standing(0, 0)) == "posted"


def test_a_request_that_was_not_approved_keeps_its_status() -> None:
    nothing = Standing(0, 0)

    assert status_of("rejected", nothing, nothing) == "rejected"
    assert status_of("posted", nothing, nothing) == "approved"


def test_adjustments_of_an_item_are_counted() -> None:
    assert adjustment_id("US01", "2026/0001", 1, 2) == "US01|adj|2026/0001|1|2"
