"""Money that a bank takes back: what it paid is open again, what it was allowed to keep back too, and it is gone (PAY-10)."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

from payment.domain import (
    ALLOWANCE,
    EARNED,
    ON_ACCOUNT,
    PINNED,
    RECEIPT,
    REFERENCE,
    REFUNDED,
    RETURNED,
    TOLERANCE,
    Books,
    Decision,
    Entry,
    Item,
    Memo,
    Money,
    Policy,
    Source,
    Standing,
    settle,
)

FIRST = date(2026, 3, 1)
NAMED_ONLY = Policy("never", "test", rules=())


def day(n: int) -> date:
    """The n-th day from the first."""
    return FIRST + timedelta(days=n)


def an_item(number: str, open_minor: int, *standing: Standing) -> Item:
    return Item(f"US01|{number}|1", number, 1, FIRST, date(2026, 1, 30), open_minor, standing)


def a_receipt(ref: str, minor: int, *names: str, on_account: int = 0, value: int = 9, came: int = 9) -> Money:
    """Money with an unapplied part; what was applied of it is not said here."""
    return Money(f"US01|{ref}", ref, day(value), minor, on_account, names, day(came), day(value))


def paid(ref: str, minor: int, *, on: int = 9, rule: str = REFERENCE) -> Standing:
    """What stands of a receipt on an item since a day."""
    source = Source(RECEIPT if rule == REFERENCE else ALLOWANCE, f"US01|{ref}")
    return Standing(f"{rule}|{ref}|{minor}", source, rule, minor, day(on), day(on))


def moved(entries: dict[Entry, int]) -> dict[tuple[str, str, date], int]:
    """By source (but its entity) and rule, what moved when."""
    found: dict[tuple[str, str, date], int] = defaultdict(int)
    for entry, minor in entries.items():
        found[entry.source.id.removeprefix("US01|"), entry.rule.partition(":")[0], entry.effective_on] += minor
    return dict(found)


def on_items(entries: dict[Entry, int]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = defaultdict(int)
    for entry, minor in entries.items():
        if entry.item:
            found[entry.source.id.removeprefix("US01|"), entry.item.removeprefix("US01|").removesuffix("|1")] += minor
    return dict(found)


def test_a6_a_return_opens_both_items_again_from_its_own_date() -> None:
    """A6: ACH 1,000.00 of the 10th on 600.00 and 400.00, returned as of the 14th."""
    items = [an_item("INV-6", 0, paid("ACH", 600_00)), an_item("INV-7", 0, paid("ACH", 400_00))]
    ach = replace(a_receipt("ACH", 0, "INV-6", "INV-7"), returned_on=day(13))
    entries = settle(Books(items, [], [ach]), day(14), NAMED_ONLY)

    assert on_items(entries) == {("ACH", "INV-6"): -600_00, ("ACH", "INV-7"): -400_00}
    assert moved(entries) == {("ACH", REFERENCE, day(13)): -1000_00, ("ACH", RETURNED, day(13)): 1000_00}


def test_a_return_that_comes_before_its_receipt_leaves_it_nothing_to_pay_with() -> None:
    """PAY-10, A14: both on one day, in whatever order."""
    gone = replace(a_receipt("R", 100), returned_on=day(9))
    assert moved(settle(Books([an_item("A", 100)], [], [gone]), day(9), NAMED_ONLY)) == {("R", RETURNED, day(9)): 100}


def test_money_is_not_taken_back_before_it_was_there() -> None:
    """A return dated before the value date counts from the value date."""
    item, money = an_item("A", 0, paid("R", 60, on=9)), replace(a_receipt("R", 40), returned_on=day(5))
    entries = settle(Books([item], [], [money]), day(12), NAMED_ONLY)
    assert moved(entries) == {("R", REFERENCE, day(9)): -60, ("R", RETURNED, day(9)): 100}


def test_the_discount_and_what_was_tolerated_go_with_the_money_that_kept_them_back() -> None:
    """PAY-10, INV-04, PAY-09: the item is as open as it was before the payment; what another payment kept back stays."""
    item = an_item("A", 0, paid("R", 940_00), paid("R", 19_00, rule=EARNED), paid("R", 1_00, rule=TOLERANCE), paid("S", 39_20))
    item = replace(item, standing=(*item.standing, paid("S", 80, rule=EARNED)))
    money = [replace(a_receipt("R", 0, "A"), returned_on=day(13)), a_receipt("S", 0, "A")]
    entries = settle(Books([item], [], money), day(14), NAMED_ONLY)
    assert moved(entries) == {
        ("R", REFERENCE, day(13)): -940_00,
        ("R", EARNED, day(13)): -19_00,
        ("R", TOLERANCE, day(13)): -1_00,
        ("R", RETURNED, day(13)): 940_00,
    }


def test_what_was_on_account_and_kept_by_a_person_goes_too() -> None:
    """PAY-10, PAY-02: every disposition of it ends, refunded money apart."""
    money = replace(a_receipt("R", 30, on_account=50), pinned_minor=20, returned_on=day(13))
    entries = settle(Books([], [], [money]), day(14), NAMED_ONLY)
    assert moved(entries) == {("R", ON_ACCOUNT, day(13)): -50, ("R", PINNED, day(13)): -20, ("R", RETURNED, day(13)): 80}


def test_other_money_of_the_day_pays_what_is_open_again_but_not_before_it_was() -> None:
    """PAY-10: 100 valued on the 2nd pays an item that the returned money stood on until the 13th: from then on."""
    item = an_item("A", 0, paid("R", 100, on=1))
    money = [replace(a_receipt("R", 0, "A", value=1, came=1), returned_on=day(12)), a_receipt("S", 100, "A", value=1, came=12)]
    entries = settle(Books([item], [], money), day(12), NAMED_ONLY)
    assert {entry.effective_on: minor for entry, minor in entries.items() if entry.source.id == "US01|S"} == {day(12): 100}


def test_money_of_a_later_day_pays_it_not_before_it_was_open_again_either() -> None:
    item = replace(an_item("A", 100), reopened_on=day(12))
    entries = settle(Books([item], [], [a_receipt("S", 100, "A", value=1, came=20)]), day(20), NAMED_ONLY)
    assert {entry.effective_on: minor for entry, minor in entries.items()} == {day(12): 100}


def test_a_memo_and_a_return_on_one_day_leave_the_days_before_as_they_were() -> None:
    """PAY-07, PAY-10: a memo of 30 as of the 5th and a return as of the 13th: until then, 70 of the money are enough."""
    item, memo = an_item("A", 0, paid("R", 100, on=1)), Memo("US01|M", "M", day(5), 30, "A", day(14), day(5))
    money = replace(a_receipt("R", 0, "A", value=1, came=1), returned_on=day(13))
    entries = settle(Books([item], [memo], [money]), day(14), NAMED_ONLY)
    assert moved(entries) == {
        ("M", REFERENCE, day(5)): 30,
        ("R", REFERENCE, day(5)): -30,
        ("R", ON_ACCOUNT, day(5)): 30,
        ("R", REFERENCE, day(13)): -70,
        ("R", ON_ACCOUNT, day(13)): -30,
        ("R", RETURNED, day(13)): 100,
    }


def test_what_is_refunded_on_the_day_of_the_return_has_gone_already() -> None:
    """PAY-08, PAY-10: of 100 that are returned 40 were paid back that day: 60 go to the bank."""
    refund = Decision("D", "refund", Source(RECEIPT, "US01|R"), "", 40, day(9))
    for returned in (None, day(9)):
        money = replace(a_receipt("R", 100), returned_on=returned)
        entries = moved(settle(Books([], [], [money], decisions=[refund]), day(9), NAMED_ONLY))
        assert entries[("R", REFUNDED, day(9))] == 40
    assert entries[("R", RETURNED, day(9))] == 60


def test_what_a_person_applied_before_the_refund_is_returned_and_the_refund_stays() -> None:
    """PAY-08, PAY-10: 50 applied, 50 paid back, then the bank takes it back: the item is open, the refund is made."""
    of, item = Source(RECEIPT, "US01|R"), an_item("A", 50)
    decisions = [Decision("D", "apply", of, item.id, 50, day(9)), Decision("E", "refund", of, "", 50, day(9))]
    money = replace(a_receipt("R", 100), returned_on=day(9))
    entries = settle(Books([item], [], [money], decisions=decisions), day(9), NAMED_ONLY)
    assert moved(entries) == {("R", REFUNDED, day(9)): 50, ("R", RETURNED, day(9)): 50}
