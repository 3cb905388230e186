"""The oracle on the worked examples of the domain, in amounts: A1, A3, A4, A5, A7."""

from collections.abc import Sequence
from datetime import date

from demo.clues import numbers_in
from demo.figures import Figures, figures_at, moved_in, unidentified_at
from demo.interest import charged
from demo.ledger import (
    BillAnew,
    CreditMemo,
    Customer,
    Entry,
    House,
    Invoice,
    LateCharges,
    Ledger,
    Rate,
    Receipt,
    Refund,
    Return,
    Schedule,
    TakeOff,
    Void,
    WriteOff,
)
from demo.oracle import fold, play

HOUSE = House("US01", "USD", "UTC", "")


def an_invoice(number: str, amount: int, issued_on: date, due_on: date, customer: str = "C-1") -> Invoice:
    return Invoice(number, customer, "USD", issued_on, due_on, amount * 100)


def a_receipt(ref: str, amount: int, value_on: date, remittance: str | None = None, *, bank_account: str | None = "ACC-1") -> Receipt:
    return Receipt(ref, "USD", value_on, amount * 100, remittance, bank_account)


def figures(entries: Sequence[Entry], as_of: date, known_at: date = date.max, customer: str = "C-1") -> Figures:
    known = Customer("C-1", date(2026, 1, 1), "Somebody", "ACC-1")
    return figures_at(fold(Ledger(HOUSE, (known, *entries))), as_of, known_at).get((customer, "USD"), Figures())


def test_a1_part_payments_leave_the_rest_open_in_its_bucket() -> None:
    entries = [
        an_invoice("INV-1", 12_000, date(2026, 1, 5), date(2026, 2, 4)),
        a_receipt("B-1", 5_000, date(2026, 2, 20), "INV-1"),
        a_receipt("B-2", 3_000, date(2026, 3, 10), "INV-1"),
    ]

    assert figures(entries, date(2026, 2, 28)).buckets["1-30"] == 700_000
    assert figures(entries, date(2026, 3, 31)).shown() == {
        "open": 400_000,
        "current": 0,
        "1-30": 0,
        "31-60": 400_000,
        "61-90": 0,
        "90+": 0,
        "unapplied": 0,
        "on_account": 0,
    }


def test_a3_what_an_invoice_does_not_need_is_on_account_and_pays_the_next_one() -> None:
    entries = [
        an_invoice("INV-3", 2_350, date(2026, 1, 5), date(2026, 2, 4)),
        a_receipt("B-1", 2_500, date(2026, 1, 20), "INV-3"),
        an_invoice("INV-4", 400, date(2026, 1, 25), date(2026, 2, 24)),
    ]

    before = figures(entries, date(2026, 1, 24))
    assert (before.open, before.on_account, before.unapplied) == (0, 15_000, 0)
    after = figures(entries, date(2026, 1, 25))
    assert (after.open, after.on_account) == (25_000, 0)


def test_a4_money_that_names_nothing_pays_the_oldest_first_and_an_unknown_payers_money_is_nobodys() -> None:
    items = [
        an_invoice("A", 500, date(2026, 1, 2), date(2026, 1, 10)),
        an_invoice("B", 300, date(2026, 1, 3), date(2026, 1, 20)),
        an_invoice("C", 200, date(2026, 1, 4), date(2026, 2, 5)),
    ]
    day = date(2026, 1, 25)

    six_hundred = figures([*items, a_receipt("B-1", 600, day)], day)
    assert six_hundred.buckets == {"current": 20_000, "1-30": 20_000, "31-60": 0, "61-90": 0, "90+": 0}

    too_much = figures([*items, a_receipt("B-1", 1_100, day)], day)
    assert (too_much.open, too_much.unapplied, too_much.on_account) == (0, 10_000, 0)

    postings = fold(Ledger(HOUSE, (*items, a_receipt("B-1", 300, day, bank_account="ACC-9"))))
    assert figures_at(postings, day)["C-1", "USD"].open == 100_000
    assert unidentified_at(postings, day) == {"USD": 30_000}


def test_money_that_came_before_its_invoice_is_its_payers_from_its_value_date_once_that_is_known() -> None:
    entries = [
        a_receipt("B-1", 400, date(2026, 1, 28), "INV-9", bank_account=None),
        an_invoice("INV-9", 400, date(2026, 2, 3), date(2026, 3, 3)),
    ]

    assert not figures(entries, date(2026, 1, 31), known_at=date(2026, 1, 31))
    assert figures(entries, date(2026, 1, 31)).unapplied == 40_000
    assert not figures(entries, date(2026, 2, 3))


def test_a4_money_of_an_unknown_account_finds_its_payer_the_day_after_the_account_is_told() -> None:
    entries = [
        an_invoice("A", 500, date(2026, 1, 2), date(2026, 1, 10)),
        a_receipt("B-1", 300, date(2026, 1, 25), bank_account="acc 9"),
        Customer("C-1", date(2026, 1, 27), "Somebody", "ACC9"),
    ]

    assert figures(entries, date(2026, 1, 27), known_at=date(2026, 1, 27)).open == 50_000
    assert figures(entries, date(2026, 1, 25), known_at=date(2026, 1, 28)).open == 20_000, "applied with the original value date"


def test_a5_a_memo_makes_its_invoice_worth_less_whether_it_comes_before_the_money_or_after() -> None:
    invoice = an_invoice("INV-5", 1_200, date(2026, 1, 5), date(2026, 2, 4))
    day = date(2026, 3, 31)
    for memo_on, paid_on in ((date(2026, 1, 10), date(2026, 1, 20)), (date(2026, 1, 20), date(2026, 1, 10)), (date(2026, 1, 10),) * 2):
        memo = CreditMemo("CM-1", "C-1", "USD", memo_on, 30_000, "INV-5")
        alone = figures([invoice, memo], day)
        assert (alone.open, alone.on_account) == (90_000, 0)
        paid = figures([invoice, memo, a_receipt("B-1", 1_200, paid_on, "INV-5")], day)
        assert (paid.open, paid.unapplied, paid.on_account) == (0, 0, 30_000)


def test_a5_an_on_account_memo_pays_the_oldest_first() -> None:
    entries = [
        an_invoice("X", 200, date(2026, 1, 5), date(2026, 2, 4)),
        an_invoice("Y", 400, date(2026, 1, 5), date(2026, 2, 14)),
        CreditMemo("CM-1", "C-1", "USD", date(2026, 1, 10), 30_000, None),
    ]

    assert figures(entries, date(2026, 2, 10)).buckets == {"current": 30_000, "1-30": 0, "31-60": 0, "61-90": 0, "90+": 0}


def test_the_order_of_rows_within_a_day_does_not_matter() -> None:
    day = date(2026, 1, 10)
    entries: list[Entry] = [
        an_invoice("X", 200, day, date(2026, 2, 4)),
        a_receipt("B-1", 150, day, "X"),
        a_receipt("B-2", 150, day, "X"),
        CreditMemo("CM-1", "C-1", "USD", day, 5_000, "X"),
        an_invoice("Y", 100, day, date(2026, 1, 20), customer="C-2"),
    ]

    assert figures(entries, day).shown() == figures(entries[::-1], day).shown()
    assert (figures(entries, day).open, figures(entries, day).on_account) == (0, 15_000)


def test_numbers_are_found_in_a_payers_text_as_words_and_never_as_parts_of_words() -> None:
    assert numbers_in("Invoice INV-1, thank you") == ("invoice inv-1, thank you", "inv-1")
    assert numbers_in("INV-1/INV-2") == ("inv-1/inv-2", "inv-1", "inv-2")
    assert numbers_in("  ") == numbers_in(None) == ()


def test_a1_interest_runs_on_what_was_open_by_the_day() -> None:
    entries = [
        LateCharges(date(2026, 1, 5), "9"),
        an_invoice("INV-1", 12_000, date(2026, 1, 5), date(2026, 2, 4)),
        a_receipt("B-1", 5_000, date(2026, 2, 20), "INV-1"),
        a_receipt("B-2", 3_000, date(2026, 3, 10), "INV-1"),
        a_receipt("B-3", 1, date(2026, 3, 31), "nothing"),
    ]

    def by(ends_on: date) -> dict[str, int]:
        ledger = Ledger(HOUSE, tuple(entry for entry in entries if not isinstance(entry, Receipt) or entry.value_on <= ends_on))
        return {number: minor for (_, number), minor in charged(ledger, fold(ledger)).items()}

    assert by(date(2026, 3, 10)) == {"INV-1": 6_115}, "through 28 February"
    assert by(date(2026, 3, 31)) == {"INV-1": 9_912}, "through 31 March"


def test_a7_what_was_written_off_is_recovered_by_money_that_names_it_and_by_no_other() -> None:
    invoice, day = an_invoice("INV-8", 480, date(2026, 1, 5), date(2026, 2, 4)), date(2026, 6, 1)
    given_up: list[Entry] = [invoice, WriteOff("INV-8", date(2026, 5, 1))]

    named = [*given_up, a_receipt("B-1", 240, date(2026, 5, 20), "INV-8")]
    assert [figures(named, on).open for on in (date(2026, 4, 30), date(2026, 5, 1), day)] == [48_000, 0, 0]
    assert (figures(named, day).unapplied, figures(named, day).on_account) == (0, 0)
    moved = moved_in(fold(Ledger(HOUSE, tuple(named))), date(2026, 5, 1))["USD"]
    assert {cause: minor for cause, minor in moved.items() if minor} == {"settled": 24_000, "written_off": 24_000}

    nameless = figures([*given_up, a_receipt("B-1", 240, date(2026, 5, 20), bank_account=None)], day, customer="")
    assert nameless == Figures()
    assert figures([*given_up, Receipt("B-1", "USD", date(2026, 5, 20), 24_000, None, "ACC-1")], day).unapplied == 24_000


def test_a_void_gives_back_money_and_memos_whenever_it_comes() -> None:
    invoice, other = an_invoice("I-1", 300, date(2026, 1, 5), date(2026, 2, 4)), an_invoice("I-2", 90, date(2026, 1, 6), date(2026, 2, 9))
    paid, memo = a_receipt("B-1", 200, date(2026, 1, 10), "I-1"), CreditMemo("M-1", "C-1", "USD", date(2026, 1, 9), 10_000, "I-1")
    day = date(2026, 3, 1)

    for voided_on in (date(2026, 1, 4), date(2026, 1, 5), date(2026, 1, 9), date(2026, 1, 10), date(2026, 1, 20)):
        shown = figures([invoice, other, paid, memo, Void("I-1", "C-1", voided_on)], day)
        assert (shown.open, shown.unapplied, shown.on_account) == (0, 0, 21_000), voided_on


def test_a_schedule_bills_every_month_on_its_day_or_the_last_and_its_first_invoice_comes_a_day_late() -> None:
    entries = [
        Schedule("R", "C-1", "USD", date(2026, 1, 31), 14, 100),
        a_receipt("B-1", 1, date(2026, 2, 14), "R-20260131"),
        a_receipt("B-2", 1, date(2026, 4, 30), "R-20260228"),
    ]
    billed = [one for one in fold(Ledger(HOUSE, tuple(entries))) if one.cause == "invoiced"]

    assert [(one.document_no, one.booked_on) for one in billed] == [
        ("R-20260131", date(2026, 2, 1)),
        ("R-20260228", date(2026, 2, 28)),
        ("R-20260331", date(2026, 3, 31)),
        ("R-20260430", date(2026, 4, 30)),
    ]


def a_discounted(number: str, amount: int, issued_on: date) -> Invoice:
    return Invoice(number, "C-1", "USD", issued_on, date(2026, 2, 4), amount * 100, discount=(2, 10))


def test_a2_less_two_percent_in_time_settles_and_too_late_leaves_the_discount_open() -> None:
    invoice = a_discounted("INV-2", 1_000, date(2026, 1, 5))

    assert figures([invoice, a_receipt("B-1", 980, date(2026, 1, 15), "INV-2")], date(2026, 1, 15)).open == 0
    assert figures([invoice, a_receipt("B-1", 980, date(2026, 1, 16), "INV-2")], date(2026, 1, 16)).open == 2_000
    assert figures([invoice, a_receipt("B-1", 1_000, date(2026, 1, 15), "INV-2")], date(2026, 1, 15)).shown()["on_account"] == 0
    part = [invoice, a_receipt("B-1", 490, date(2026, 1, 12), "INV-2")]
    assert figures(part, date(2026, 1, 12)).open == 50_000, "of a part in time the part is discounted"
    moved = moved_in(fold(Ledger(HOUSE, (*part, Customer("C-1", date(2026, 1, 1), "n", "ACC-1")))), date(2026, 1, 1))["USD"]
    assert (moved["settled"], moved["discounted"]) == (49_000, 1_000)


def test_a6_money_that_a_bank_takes_back_opens_what_it_paid_with_its_discount_and_its_fee_is_owed_at_once() -> None:
    entries: list[Entry] = [
        a_discounted("INV-6", 1_000, date(2026, 3, 2)),
        a_receipt("B-1", 980, date(2026, 3, 5), "INV-6"),
        Return("RT-1", "B-1", "USD", date(2026, 3, 14), 98_000, 3_500),
        a_receipt("B-2", 1, date(2026, 3, 20), "nothing", bank_account=None),
    ]

    assert figures(entries, date(2026, 3, 13)).open == 0
    assert figures(entries, date(2026, 3, 14)).open == 103_500, "the fee is dated on the day of the return"
    assert figures(entries, date(2026, 3, 20), known_at=date(2026, 3, 15)).open == 100_000, "and known two days later"
    moved = moved_in(fold(Ledger(HOUSE, tuple(entries))), date(2026, 3, 1))["USD"]
    assert {cause: minor for cause, minor in moved.items() if minor} == {"invoiced": 100_000, "charged": 3_500, "reversed": 98_000}


def test_a5_what_a_person_takes_off_no_rule_uses_until_it_is_paid_back() -> None:
    taken: list[Entry] = [
        an_invoice("INV-1", 500, date(2026, 1, 5), date(2026, 2, 4)),
        a_receipt("B-1", 500, date(2026, 1, 20), "INV-1"),
        TakeOff("B-1", date(2026, 1, 22)),
        an_invoice("INV-2", 100, date(2026, 1, 23), date(2026, 2, 4)),
    ]
    before, after = figures(taken, date(2026, 1, 21)), figures(taken, date(2026, 1, 23))
    assert (before.open, after.open, after.on_account) == (0, 60_000, 50_000)

    paid_back = [*taken, Refund("B-1", date(2026, 1, 25))]
    assert (figures(paid_back, date(2026, 1, 25)).on_account, figures(paid_back, date(2026, 1, 25)).open) == (0, 60_000)
    assert moved_in(fold(Ledger(HOUSE, tuple(paid_back))), date(2026, 1, 1))["USD"]["refunded"] == 50_000


def test_a10_the_last_part_takes_the_rounding_of_what_rates_gain() -> None:
    entries = (
        Rate("EUR", date(2026, 1, 1), "1.10"),
        Invoice("INV-1", "C-1", "EUR", date(2026, 1, 5), date(2026, 2, 4), 1_000_000),
        Rate("EUR", date(2026, 1, 10), "1.14"),
        Receipt("B-1", "EUR", date(2026, 1, 20), 400_000, "INV-1"),
        Rate("EUR", date(2026, 2, 1), "1.06"),
        Receipt("B-2", "EUR", date(2026, 2, 20), 600_000, "INV-1"),
    )
    gained = play(Ledger(HOUSE, entries)).gained
    assert gained == {(("C-1", "EUR"), date(2026, 1, 20)): 16_000, (("C-1", "EUR"), date(2026, 2, 20)): -24_000}


def test_children_settle_under_their_parent_from_the_day_after_that_is_told() -> None:
    """PAY-11: what came before stays where it is; a transfer of the parent that names nothing pays the oldest of all."""
    told: list[Entry] = [
        Customer("C-2", date(2026, 1, 4), "Child", None, "C-1"),
        an_invoice("OLD-1", 10, date(2026, 1, 4), date(2026, 2, 1), customer="C-2"),
        an_invoice("A", 20, date(2026, 1, 5), date(2026, 2, 4), customer="C-2"),
        an_invoice("B", 30, date(2026, 1, 6), date(2026, 2, 5)),
        a_receipt("B-1", 40, date(2026, 1, 20)),
    ]
    day = date(2026, 1, 31)

    assert (figures(told, day).open, figures(told, day, customer="C-2").open) == (1_000, 1_000)
    assert figures([*told, a_receipt("B-2", 10, day, "OLD-1", bank_account=None)], day, customer="C-2").open == 0


def test_money_that_names_documents_of_two_customers_goes_to_both_with_its_own_value_date() -> None:
    """PAY-11: to the second one when the next day begins; on the day it came what is left of it pays nothing of the first one's."""
    came, later = date(2026, 1, 20), date(2026, 1, 21)
    told: list[Entry] = [
        an_invoice("A-1", 100, date(2026, 1, 5), date(2026, 2, 4)),
        an_invoice("OLDER", 500, date(2026, 1, 5), date(2026, 1, 6)),
        an_invoice("B-1", 70, date(2026, 1, 6), date(2026, 2, 5), customer="C-2"),
        a_receipt("BR-1", 180, came, "A-1 B-1"),
        a_receipt("BR-2", 1, date(2026, 1, 25), "nothing", bank_account=None),
    ]

    assert (figures(told, came, known_at=came).open, figures(told, came, known_at=came).on_account) == (50_000, 8_000)
    assert figures(told, came, known_at=came, customer="C-2").open == 7_000
    assert figures(told, came, known_at=later, customer="C-2").open == 0
    moved = moved_in(fold(Ledger(HOUSE, (Customer("C-1", date(2026, 1, 1), "n", "ACC-1"), *told))), came)["USD"]
    assert moved["transferred"] == 7_000


def test_a_deposit_pays_what_bears_its_order_and_nothing_else() -> None:
    """PAY-16"""
    deposit = Receipt("B-1", "USD", date(2026, 1, 10), 100_000, None, "ACC-1", deposit_for="SO-7")
    older = an_invoice("OLDER", 300, date(2026, 1, 5), date(2026, 1, 6))
    first = Invoice("X", "C-1", "USD", date(2026, 1, 15), date(2026, 2, 4), 70_000, order="so-7")
    second = Invoice("Y", "C-1", "USD", date(2026, 1, 20), date(2026, 2, 4), 80_000, order="SO-7")

    assert (figures([older, deposit], date(2026, 1, 10)).open, figures([older, deposit], date(2026, 1, 10)).on_account) == (30_000, 100_000)
    drawn = figures([older, deposit, first, second], date(2026, 1, 20))
    assert (drawn.open, drawn.on_account) == (80_000, 0)
    assert figures([older, deposit, second, first], date(2026, 1, 15)).on_account == 30_000


def test_what_is_billed_anew_stays_paid_and_is_owed_two_days_later_from_the_day_it_was_taken_back() -> None:
    """PAY-10; where any of the money is on no item, nothing is done."""
    day, end = date(2026, 3, 14), date(2026, 3, 20)
    last = a_receipt("B-2", 1, end, "nothing", bank_account=None)
    paid: list[Entry] = [an_invoice("I", 100, date(2026, 3, 2), date(2026, 4, 1)), a_receipt("B-1", 100, date(2026, 3, 5), "I")]
    anew: list[Entry] = [*paid, BillAnew("B-1", day), last]

    assert [figures(anew, end, known_at=date(2026, 3, on)).open for on in (15, 16)] == [0, 10_000]
    assert figures(anew, day).open == 10_000
    moved = moved_in(fold(Ledger(HOUSE, (Customer("C-1", date(2026, 1, 1), "n", "ACC-1"), *anew))), day)["USD"]
    assert {cause: minor for cause, minor in moved.items() if minor} == {
        "invoiced": 10_000,
        "settled": 10_000,
        "charged": 10_000,
        "reversed": 10_000,
    }
    too_much: list[Entry] = [paid[0], a_receipt("B-1", 101, date(2026, 3, 5), "I"), BillAnew("B-1", day), last]
    assert (figures(too_much, end).open, figures(too_much, end).on_account) == (0, 100)


def test_parents_in_a_circle_are_accounts_of_their_own_and_a_memo_goes_where_its_invoice_is() -> None:
    """PAY-11"""
    told: list[Entry] = [
        an_invoice("OLD-1", 10, date(2026, 1, 4), date(2026, 2, 1), customer="C-2"),
        Customer("C-2", date(2026, 1, 4), "One", None, "C-3"),
        Customer("C-3", date(2026, 1, 4), "Two", None, "C-2"),
        Customer("C-4", date(2026, 1, 4), "Below", None, "C-3"),
        an_invoice("A-1", 20, date(2026, 1, 5), date(2026, 2, 4), customer="C-2"),
        an_invoice("B-1", 30, date(2026, 1, 5), date(2026, 2, 4), customer="C-4"),
        Customer("C-2", date(2026, 1, 6), "One", None, "C-1"),
        CreditMemo("M-1", "C-2", "USD", date(2026, 1, 7), 500, "OLD-1"),
    ]
    day = date(2026, 1, 7)

    assert [figures(told, day, customer=customer).open for customer in ("C-1", "C-2", "C-3", "C-4")] == [0, 2_500, 3_000, 0]
