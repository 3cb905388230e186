"""The rules of settlement, with nothing running: examples first, then properties over generated days."""

import sys
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment.domain import (
    ON_ACCOUNT,
    RECEIPT,
    REFERENCE,
    STANDARD,
    Books,
    Entry,
    Item,
    Memo,
    Money,
    NamedDocument,
    Payer,
    Policy,
    Source,
    Standing,
    finished,
    identify,
    references_in,
    settle,
)

FIRST = date(2026, 1, 5)
NEVER = Policy("never", "test", rules=())


def day(n: int) -> date:
    """The n-th day from the first."""
    return FIRST + timedelta(days=n)


def an_item(number: str, open_minor: int, *, n: int = 1, due: int = 30, issued: int = 0) -> Item:
    return Item(f"US01|{number}|{n}", number, n, day(due), day(issued), open_minor)


def a_receipt(ref: str, minor: int, *, names: tuple[str, ...] = (), value: int = 0, came: int = 0, on_account: int = 0) -> Money:
    return Money(f"US01|{ref}", ref, day(value), minor, on_account, names, day(came), day(value))


def a_memo(number: str, minor: int, *, names: str | None = None, issued: int = 0, came: int = 0) -> Memo:
    return Memo(f"US01|{number}", number, day(issued), minor, names, day(came), day(issued))


def applied(entries: dict[Entry, int]) -> dict[tuple[str, str], int]:
    """By source and item, without their entity."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for entry, minor in entries.items():
        if entry.item:
            found[entry.source.id.removeprefix("US01|"), entry.item.removeprefix("US01|").removesuffix("|1")] += minor
    return dict(found)


def on_account(entries: dict[Entry, int]) -> int:
    return sum(minor for entry, minor in entries.items() if entry.rule == ON_ACCOUNT)


def test_a4_money_without_a_reference_pays_the_oldest_due_first_and_the_last_one_in_part() -> None:
    """A4, rule 5 with partials: receipt 600.00 over A 500.00, B 300.00, C 200.00."""
    items = [an_item("C", 200_00, due=31), an_item("A", 500_00, due=5), an_item("B", 300_00, due=15)]
    assert applied(settle(Books(items, [], [a_receipt("R", 600_00)]), FIRST, STANDARD)) == {("R", "A"): 500_00, ("R", "B"): 100_00}


def test_items_due_on_one_day_are_paid_by_document_number_and_instalment() -> None:
    """A4: of two equal items with the same due date the lowest (document number, instalment) is paid."""
    items = [an_item("B", 100), an_item("A", 100, n=2), an_item("A", 100, n=1)]
    entries = settle(Books(items, [], [a_receipt("R", 200)]), FIRST, STANDARD)
    assert sorted(entry.item for entry in entries) == ["US01|A|1", "US01|A|2"]


def test_money_pays_the_invoices_it_names_in_the_order_of_the_remittance() -> None:
    """PAY-04, PAY-07: one receipt over two items, neither of them the oldest."""
    items = [an_item("A", 100, due=1), an_item("B", 100, due=2), an_item("C", 100, due=3)]
    entries = settle(Books(items, [], [a_receipt("R", 150, names=("C", "B"))]), FIRST, STANDARD)
    assert applied(entries) == {("R", "C"): 100, ("R", "B"): 50}
    assert {entry.rule for entry in entries} == {REFERENCE}


def test_a3_what_the_named_invoice_does_not_need_is_on_account_from_the_value_date() -> None:
    """A3, PAY-08: 2,500.00 for an invoice of 2,350.00."""
    entries = settle(Books([an_item("INV-3", 2350_00)], [], [a_receipt("R", 2500_00, names=("INV-3",), value=2)]), day(2), STANDARD)
    assert applied(entries) == {("R", "INV-3"): 2350_00}
    assert {entry.effective_on: minor for entry, minor in entries.items() if entry.rule == ON_ACCOUNT} == {day(2): 150_00}


def test_money_that_names_a_settled_invoice_is_on_account_and_what_names_nothing_stays_unapplied() -> None:
    """PAY-08: the double payment of a settled invoice is deliberate credit."""
    assert on_account(settle(Books([], [], [a_receipt("R", 100, names=("INV-1",))]), FIRST, STANDARD)) == 100
    assert settle(Books([], [], [a_receipt("R", 100)]), FIRST, STANDARD) == {}


def test_a3_held_money_pays_a_later_invoice_on_the_day_of_the_act() -> None:
    """A3, PAY-08: on-account money becomes unapplied again and is applied, both effective on the booked day."""
    held = a_receipt("R", 0, names=("INV-3",), on_account=150_00)
    entries = settle(Books([an_item("INV-4", 400_00, issued=3)], [], [held]), day(4), STANDARD)
    assert applied(entries) == {("R", "INV-4"): 150_00}
    assert on_account(entries) == -150_00
    assert {entry.effective_on for entry in entries} == {day(4)}


def test_money_of_the_day_is_applied_on_the_later_of_its_value_date_and_the_document_date() -> None:
    """PAY-08, also where the document is of an earlier booked day."""
    for value, issued in ((3, 1), (1, 3)):
        books = Books([an_item("A", 100, issued=issued)], [], [a_receipt("R", 100, value=value, came=9)])
        assert [entry.effective_on for entry in settle(books, day(9), STANDARD)] == [day(3)]


def test_held_money_is_never_applied_before_a_document_dated_ahead() -> None:
    books = Books([an_item("A", 100, issued=8)], [], [a_receipt("R", 100)])
    assert [entry.effective_on for entry in settle(books, day(4), STANDARD)] == [day(8)]


def test_the_money_held_when_the_day_opened_is_used_before_the_money_of_the_day() -> None:
    books = Books([an_item("A", 100)], [], [a_receipt("R-0", 100, value=3, came=3), a_receipt("R-9", 100, value=1, came=0)])
    assert applied(settle(books, day(3), STANDARD)) == {("R-9", "A"): 100}


def test_named_money_comes_before_held_money_whatever_came_first() -> None:
    books = Books([an_item("A", 100)], [], [a_receipt("R-0", 100), a_receipt("R-9", 100, names=("A",), came=3)])
    assert applied(settle(books, day(3), STANDARD)) == {("R-9", "A"): 100}


def test_under_the_policy_never_only_names_are_followed() -> None:
    """PAY-08 and A11: no automatic application, neither of money nor of open credit."""
    books = Books([an_item("A", 100)], [a_memo("M", 10)], [a_receipt("R", 50), a_receipt("S", 30, names=("A",))])
    assert applied(settle(books, FIRST, NEVER)) == {("S", "A"): 30}


def test_a5_a_memo_makes_the_invoice_it_names_worth_less_before_money_pays_it() -> None:
    """A5: 1,200.00 less a memo of 300.00; the customer pays 1,200.00 and has 300.00 on-account."""
    books = Books([an_item("INV-5", 1200_00)], [a_memo("M", 300_00, names="INV-5")], [a_receipt("R", 1200_00, names=("INV-5",))])
    entries = settle(books, FIRST, STANDARD)
    assert applied(entries) == {("M", "INV-5"): 300_00, ("R", "INV-5"): 900_00}
    assert on_account(entries) == 300_00


def test_a5_memo_credit_on_account_pays_the_oldest_first() -> None:
    """A5: 300.00 over X 200.00 and Y 400.00 leaves X 0 and Y 300.00."""
    books = Books([an_item("Y", 400_00, due=9), an_item("X", 200_00, due=8)], [a_memo("M", 300_00)], [])
    assert applied(settle(books, FIRST, STANDARD)) == {("M", "X"): 200_00, ("M", "Y"): 100_00}


def test_a_memo_waits_for_the_invoice_it_names_and_what_that_does_not_need_is_open_credit() -> None:
    waiting = a_memo("M", 300, names="INV-9")
    assert settle(Books([an_item("A", 100)], [waiting], []), FIRST, STANDARD) == {}
    books = Books([an_item("A", 100), an_item("INV-9", 120, n=2), an_item("INV-9", 80, n=1)], [waiting], [])
    assert sum(settle(books, FIRST, STANDARD).values()) == 300


def test_an_item_worth_less_gives_back_its_latest_application_first_dated_as_the_memo() -> None:
    """A5 the other way round: paid in two receipts, then credited; what comes back is on-account."""
    old = [
        Standing(f"a{n}", Source(RECEIPT, f"US01|R-{n}"), REFERENCE, minor, day(n), day(n)) for n, minor in ((0, 700), (1, 200), (2, 300))
    ]
    item = replace(an_item("INV-5", 0), standing=tuple(old))
    money = [a_receipt(f"R-{n}", 0, names=("INV-5",), value=n, came=n) for n in range(3)]
    entries = settle(Books([item], [a_memo("M", 400, names="INV-5", issued=4, came=5)], money), day(5), STANDARD)

    taken = {entry.application: (minor, entry.effective_on) for entry, minor in entries.items() if minor < 0}
    assert taken == {"a2": (-300, day(4)), "a1": (-100, day(4))}
    assert on_account(entries) == 400
    assert applied(entries)["M", "INV-5"] == 400


def test_what_was_given_back_pays_other_items_the_same_day_but_not_before_it_was_free() -> None:
    item = replace(an_item("A", 0), standing=(Standing("a", Source(RECEIPT, "US01|R"), REFERENCE, 100, day(0), day(0)),))
    books = Books([item, an_item("B", 70)], [a_memo("M", 100, names="A", issued=7, came=2)], [a_receipt("R", 0, names=("A",))])
    entries = settle(books, day(2), STANDARD)
    assert {(minor, entry.effective_on) for entry, minor in entries.items() if entry.item == "US01|B|1"} == {(70, day(7))}
    assert on_account(entries) == 30


@pytest.mark.parametrize(
    ("remittance", "found"),
    [
        ("INV-1", ["inv-1"]),
        ("  INV-1. ", ["inv-1.", "inv-1"]),
        ("Inv INV-1,INV-2; thanks", ["inv inv-1,inv-2; thanks", "inv-1,inv-2", "inv-1", "inv-2"]),
        ("RE 2026/001", ["re 2026/001", "2026/001", "2026", "001", "re-2026", "re2026", "re-2026-001", "re2026001"]),
        ("thanks", ["thanks"]),
        ("Rechnung Müller", ["rechnung müller"]),
        ("", []),
        ("x" * 65, []),
    ],
)
def test_a_remittance_is_cut_into_what_could_be_a_document_number(remittance: str, found: list[str]) -> None:
    """PAY-04: tokens, no substrings; a number after a word may be spelled as one with it, with a hyphen or without."""
    assert references_in(remittance) == found


@given(st.text())
def test_any_remittance_can_be_read(remittance: str) -> None:
    assert all(0 < len(one) <= 64 for one in references_in(remittance))


def test_the_first_document_named_says_whose_money_it_is_before_the_bank_account_and_the_customer_number() -> None:
    """PAY-04, PAY-11: reference first, then the remembered bank account, then what the entry says."""
    named = [NamedDocument(2, "INV-1", "C-1"), NamedDocument(1, "INV-2", "C-2")]
    assert identify(named, "C-3", "C-4") == Payer("C-2", "reference")
    assert identify([], "C-3", "C-4") == Payer("C-3", "bank_account")
    assert identify([], None, "C-4") == Payer("C-4", "customer")
    assert identify([], None, None) is None


def test_a_receipt_that_pays_its_invoice_in_full_is_finished_and_one_that_leaves_something_is_not() -> None:
    for minor, expected in ((100, 1), (90, 0), (110, 0)):
        books = Books([an_item("A", 100)], [], [a_receipt("R", minor, names=("A",))])
        target = settle(books, FIRST, STANDARD)
        assert len(finished(books, target, {})) == expected
    assert finished(books, target, target) == set()


def test_twice_the_items_and_money_take_about_twice_the_steps() -> None:
    """An account with thousands of open items stays fast: counted in calls, so that no clock decides."""

    def calls(n: int) -> int:
        counted = 0

        def count(*_: Any) -> None:
            nonlocal counted
            counted += 1

        books = Books([an_item(f"I{i:05}", 10, due=i % 90) for i in range(n)], [], [a_receipt(f"R{i:05}", 10) for i in range(n)])
        sys.setprofile(count)
        try:
            settle(books, FIRST, STANDARD)
        finally:
            sys.setprofile(None)
        return counted

    assert calls(2_000) < 2.2 * calls(1_000)
