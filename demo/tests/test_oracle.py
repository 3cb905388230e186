"""The oracle on the worked examples of the domain, in amounts: A1, A3, A4, A5."""

from collections.abc import Sequence
from datetime import date

from demo.figures import Figures, figures_at, unidentified_at
from demo.ledger import CreditMemo, Customer, Entry, House, Invoice, Ledger, Receipt
from demo.oracle import fold, numbers_in

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
    assert numbers_in("Invoice INV-1, thank you") == ["invoice inv-1, thank you", "inv-1"]
    assert numbers_in("INV-1/INV-2") == ["inv-1/inv-2", "inv-1", "inv-2"]
    assert numbers_in("  ") == numbers_in(None) == []
