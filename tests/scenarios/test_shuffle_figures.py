"""
A14: which of the worked examples A1 to A12 are in the stream, and that they say, doubled and shuffled, what was worked out by hand.

What is left of an example waits for the rule named beside it. The services have no such rule yet, so it cannot be played.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from events.payment import FxRealised
from testkit import told
from testkit.books import Retold
from testkit.world import World

pytestmark = pytest.mark.scenario


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: what of it is in the stream (empty: nothing), and by rule what is left."""

    name: str
    played: str
    left: dict[str, str]


EXAMPLES = (
    Example("A1", "two partial payments, age on two days, interest on what was open", {}),
    Example("A2", "what the invoice offers under both choices of tax, and (a) to (f)", {}),
    Example("A3", "money on account, the next invoice it pays, and the refund that is refused", {}),
    Example("A4", "all rules, with partials and without; two of one amount; an unknown payer, found later", {}),
    Example("A5", "a memo that names its invoice, one on account, and what a person takes off again", {}),
    Example("A6", "the notices, one transfer for both items, its return and the fee", {"COL-05": "the promise"}),
    Example("A7", "the write-off, its approval and recovery, and the residuals", {}),
    Example(
        "A8",
        "the credit memo it ends with, and the rest paid on the day of its second notice",
        {"COL-07": "the dispute itself", "COL-01": "fees, and levels by amount"},
    ),
    Example("A9", "", {"COL-05": "promises", "COL-06": "plans"}),
    Example("A10", "what is open in euros, what is gained and lost, and the month's end in dollars", {}),
    Example(
        "A11",
        "149 000.00 at the end of April, whatever a person applies in May; both time axes, and May as it was closed",
        {"RPT-01": "age by document date", "RPT-08": "the period lock"},
    ),
    Example("A12", "the limit, and exposure without orders", {"CRD-02": "orders and deliveries", "CRD-03": "rules", "CRD-04": "holds"}),
)
NOTHING: dict[str, Any] = {
    "buckets": {"current": "0.00", "1-30": "0.00", "31-60": "0.00", "61-90": "0.00", "90+": "0.00"},
    "open": "0.00",
    "unapplied": "0.00",
    "on_account": "0.00",
}


def test_every_example_is_played_or_left_for_a_rule(record_property: Callable[[str, object], None]) -> None:
    """A14: prints the table; every example stands in it, and every one played is proven below."""
    for one in EXAMPLES:
        left = "; ".join(f"{what} ({rule})" for rule, what in one.left.items())
        record_property(told.EXAMPLES, f"{one.name:>4}  in the stream: {one.played or 'nothing'}\n      left: {left}")

    proven = {found[1].upper() for name in globals() if (found := re.match(r"test_(a\d+)_", name))}
    assert [one.name for one in EXAMPLES] == [f"A{n}" for n in range(1, 13)]
    assert {one.name for one in EXAMPLES if one.played} == proven
    assert all(re.fullmatch(r"[A-Z]{2,3}-\d\d", rule) for one in EXAMPLES for rule in one.left)


@pytest.fixture
def entity(shuffled: Retold) -> str:
    """Whom the examples of 2026 were told of in disorder."""
    return shuffled.in_disorder["EXAMPLES"].entity


def test_a1_partial_payments(world: World, entity: str) -> None:
    """A1, PAY-07, RPT-01: 7 000.00 at 24 days, 4 000.00 at 55 days."""
    assert world.aging(entity, date(2026, 2, 28))["C-1", "USD"] == {**NOTHING, **owed("1-30", "7000.00")}
    assert world.aging(entity, date(2026, 3, 31))["C-1", "USD"] == {**NOTHING, **owed("31-60", "4000.00")}
    assert world.open_of(entity, "C-1") == {"INV-1|1": "4000.00"}


def test_a1_interest(world: World, entity: str) -> None:
    """A1, INV-09: 99.12 through 31 March, charged on the first of March and of April."""
    charges = world.read("invoice", "/v1/late-charges", entity, document_no="INV-1")["late_charges"]
    assert [(one["booked_on"], one["amount"]) for one in charges][:2] == [("2026-03-01", "61.15"), ("2026-04-01", "37.97")]
    assert charges[1]["accrued"] == "99.12"


def test_a2_discounts(world: World, entity: str) -> None:
    """A2, INV-04: 24.00 with 4.00 of tax, or 20.00 where tax is not discounted."""
    offered = [world.read("invoice", f"/v1/invoices/{number}", entity)["discount"]["tiers"][0] for number in ("INV-2", "INV-2X")]
    assert [(tier["amount"], tier["tax"]) for tier in offered] == [("24.00", "4.00"), ("20.00", "0.00")]


def test_a2_what_is_paid_early_short_or_late(world: World, entity: str) -> None:
    """A2, PAY-09: (a) to (f), and (f) again without the rest."""
    left = {letter: world.open_of(entity, f"C-2-{letter}")[f"INV-2-{letter}|1"] for letter in "ABCDEFG"}
    assert left == {**dict.fromkeys("ABDEF", "0.00"), "C": "24.00", "G": "26.53"}
    kept = [world.receipt(entity, f"BR-2-{ref}")["allowances"] for ref in ("A10", "B10", "C15", "D5", "D9", "E10", "F10", "F11")]
    assert [[(one["kind"], one["amount"]) for one in allowances] for allowances in kept] == [
        [("earned", "24.00")],
        [("earned", "20.00")],
        [],
        [("earned", "10.20")],
        [("earned", "13.80")],
        [("earned", "24.00"), ("tolerance", "3.50")],
        [("earned", "23.47")],
        [("earned", "0.53")],
    ]


def test_a3_overpayment(world: World, entity: str) -> None:
    """A3, PAY-02, PAY-08: 150.00 on account, then applied; 250.00 stays open."""
    assert world.aging(entity, date(2026, 3, 5))["C-3", "USD"] == {**NOTHING, "on_account": "150.00"}
    assert world.balance(entity, "C-3", date(2026, 3, 5))["balance"] == "-150.00"
    assert world.open_of(entity, "C-3") == {"INV-3|1": "0.00", "INV-4|1": "250.00"}
    assert paid(world, entity, "BR-3") == {"INV-3|1": "2350.00", "INV-4|1": "150.00"}
    assert world.exposure(entity, "C-3") == "250.00"
    assert world.read("payment", "/v1/refunds", entity, account="C-3")["refunds"] == []


def test_a4_money_that_names_nothing(world: World, entity: str) -> None:
    """A4, PAY-05: the oldest first, in part; of two equal ones the earlier due, then the lower number."""
    assert paid(world, entity, "BR-600") == {"FEW-A|1": "500.00", "FEW-B|1": "100.00"}
    assert world.open_of(entity, "FEW") == {"FEW-A|1": "0.00", "FEW-B|1": "200.00", "FEW-C|1": "200.00"}
    assert paid(world, entity, "BR-800") == {"BOTH-A|1": "500.00", "BOTH-B|1": "300.00"}
    assert paid(world, entity, "BR-EARLIER") == {"EARLIER-2|1": "300.00"}
    assert paid(world, entity, "BR-LOWER") == {"LOWER-1|1": "300.00"}


def test_a4_all_rules(world: World, shuffled: Retold) -> None:
    """A4, PAY-05: rules 5, 3, 1 and 2; without partials 100.00 of 600.00 are unapplied."""
    rules = shuffled.in_disorder["RULES"].entity
    placed = {one: paid(world, rules, f"BR-{one}") for one in ("P600", "P800", "P300", "P1000", "W600")}
    assert {one: list(items.values()) for one, items in placed.items()} == {
        "P600": ["500.00", "100.00"],
        "P800": ["500.00", "300.00"],
        "P300": ["300.00"],
        "P1000": ["500.00", "300.00", "200.00"],
        "W600": ["500.00"],
    }
    assert list(placed["P300"]) == ["P300-B|1"]
    assert world.receipt(rules, "BR-W600")["unapplied"] == "100.00"


def test_a4_money_of_an_unknown_payer(world: World, entity: str) -> None:
    """A4, PAY-02, PAY-11, COL-03: moves nobody's balance and stops no notice until its payer is known, then keeps its value date."""
    came_on, found_on = date(2026, 1, 25), date(2026, 1, 27)
    (application,) = world.receipt(entity, "BR-300")["applications"]

    assert (application["amount"], application["booked_on"], application["effective_on"]) == ("300.00", str(found_on), str(came_on))
    assert world.aging(entity, came_on, known_at=came_on)["LATE", "USD"]["open"] == "1000.00"
    assert world.aging(entity, came_on, known_at=found_on)["LATE", "USD"]["open"] == "700.00"
    assert world.exposure(entity, "LATE") == "700.00"
    assert sent(world, entity, "LATE", up_to=came_on) == [("2026-01-24", 1, "500.00"), ("2026-01-25", 1, "300.00")]


def test_a5_credit_memos(world: World, entity: str) -> None:
    """A5, INV-06, PAY-08: 900.00 after the memo, 300.00 of 1 200.00 on account; 300.00 over X and Y."""
    assert world.balance(entity, "C-5", date(2026, 4, 4))["open"] == "900.00"
    assert paid(world, entity, "BR-5") == {"INV-5|1": "900.00"}
    assert world.receipt(entity, "BR-5")["on_account"] == "300.00"
    assert [world.balance(entity, "C-6", date(2026, 4, day))["open"] for day in (6, 7)] == ["300.00", "400.00"]
    assert world.open_of(entity, "C-6") == {"X|1": "0.00", "Y|1": "400.00"}


def test_a6_notices(world: World, entity: str) -> None:
    """A6, COL-01, COL-02: level 1 on 6 March, level 2 not before the 21st; nothing more once 1 000.00 has paid both items."""
    first, second = ("2026-03-06", 1, "1000.00"), ("2026-03-21", 2, "1000.00")
    assert sent(world, entity, "NEVER", up_to=date(2026, 3, 31)) == [first, second]
    assert sent(world, entity, "BY-ACH") == [first]
    assert paid(world, entity, "BR-6") == {"INV-6B|1": "600.00", "INV-7B|1": "400.00"}
    assert ("BY-ACH", "USD") not in world.aging(entity, date(2026, 3, 12))


def test_a6_returned(world: World, entity: str) -> None:
    """A6, PAY-10: nothing on the 12th; 1 000.00 at 13 days and a fee of 35.00 on the 14th; told once."""
    assert ("C-6R", "USD") not in world.aging(entity, date(2026, 3, 12))
    buckets = NOTHING["buckets"] | {"1-30": "1000.00", "current": "35.00"}
    assert world.aging(entity, date(2026, 3, 14))["C-6R", "USD"] == {**NOTHING, "open": "1035.00", "buckets": buckets}
    assert [level for _, level, _ in sent(world, entity, "C-6R", up_to=date(2026, 3, 21))][-1] == 2
    assert world.receipt(entity, "BR-6R")["returned"] == "1000.00"


def test_a7_written_off_and_recovered(world: World, entity: str) -> None:
    """A7, INV-08: 480.00 written off, 240.00 of it recovered, 3.20 by policy; 5.01 not, as nobody decides within 30 days."""
    (counter,) = world.read("invoice", "/v1/customers/C-8/bad-debt", entity)["bad_debts"]
    found = world.read("invoice", "/v1/adjustments", entity)["adjustments"]

    assert (counter["written_off"], counter["recovered"], counter["recovered_tax"]) == ("480.00", "240.00", "40.00")
    assert {(one["document_no"], one["status"], one["posted"]) for one in found} == {
        ("INV-8", "recovered", "480.00"),
        ("INV-8S", "posted", "3.20"),
        ("INV-8T", "expired", "0.00"),
    }
    assert paid(world, entity, "BR-8") == {"INV-8|1": "240.00"}
    assert world.open_of(entity, "C-8T") == {"INV-8T|1": "5.01"}


def test_a8_credited_in_dispute(world: World, entity: str) -> None:
    """A8, INV-06, COL-01, COL-03: 3 800.00 on both notices; paid on the day of the second there is no second."""
    first, second = ("2026-04-06", 1, "3800.00"), ("2026-04-21", 2, "3800.00")
    assert world.balance(entity, "C-9A", date(2026, 4, 20))["open"] == "3800.00"
    assert sent(world, entity, "C-9A", up_to=date(2026, 4, 30)) == [first, second]
    assert sent(world, entity, "C-9B") == [first]


def test_a10_euros(world: World, entity: str) -> None:
    """A10, XC-01, RPT-01: EUR 6 000.00 at the month's end, nothing after the second payment."""
    assert world.aging(entity, date(2026, 3, 31))["C-10E", "EUR"] == {**NOTHING, **owed("current", "6000.00")}
    assert world.open_of(entity, "C-10E") == {"INV-10|1": "0.00"}
    assert world.exposure(entity, "C-10E") == "0.00"
    assert world.read("invoice", "/v1/invoices/EUR-1", entity)["valuation"]["total"] == "11000.00"


def test_a10_gains_and_losses(world: World, entity: str) -> None:
    """A10, PAY-13, RPT-08: 160.00 gained and 240.00 lost; EUR 6 000.00 are USD 6 480.00 when March ends."""
    gained = [(one.gain, one.loss) for one in world.facts(FxRealised, entity) if one.customer == "C-10R"]
    assert gained == [("160.00", "0.00"), ("0.00", "240.00")]
    aged = world.aging(entity, date(2026, 3, 31))["C-10R", "EUR"]
    assert (aged["open"], aged["valued"]["currency"], aged["valued"]["open"]) == ("6000.00", "USD", "6480.00")


def test_a11_a_past_month_end(world: World, shuffled: Retold) -> None:
    """A11, RPT-01, PAY-07: 150 000.00 less 1 000.00 unapplied as of 30 April, also after a person has applied both payments in May."""
    entity, april, may = shuffled.in_disorder["SPRING19"].entity, date(2019, 4, 30), date(2019, 5, 3)
    buckets = NOTHING["buckets"] | {"current": "100000.00", "1-30": "50000.00"}
    for known_at in (april, may):
        aged = world.aging(entity, april, known_at=known_at)["C-19", "USD"]
        assert aged == {**NOTHING, "open": "150000.00", "unapplied": "1000.00", "buckets": buckets}
    assert world.balance(entity, "C-19", april)["balance"] == "149000.00"
    assert world.open_of(entity, "C-19") == {"INV-A|1": "100000.00", **{f"INV-M{n}|1": "0.00" for n in range(1, 6)}}
    assert world.balance(entity, "C-19", may)["balance"] == "100000.00"


def test_a11_two_time_axes(world: World, entity: str) -> None:
    """A11, RPT-02, RPT-08: as of 31 May 10 000.00 or 7 500.00, by what was known; May stays as it was closed."""
    as_of, closed_on, known_on = date(2026, 5, 31), date(2026, 6, 3), date(2026, 6, 6)

    def settled_in_may(known_at: date) -> dict[str, str]:
        rows = world.read("reporting", "/v1/roll-forward", entity, month="2026-05", known_at=known_at)["rows"]
        return {row["currency"]: row["settled"] for row in rows if row["settled"].strip("0.")}

    assert world.aging(entity, as_of, known_at=date(2026, 6, 1))["C-11", "USD"] == {**NOTHING, **owed("1-30", "10000.00")}
    assert world.aging(entity, as_of, known_at=known_on)["C-11", "USD"] == {**NOTHING, **owed("1-30", "7500.00")}
    assert (settled_in_may(closed_on), settled_in_may(known_on)) == ({}, {"USD": "2500.00"})


def test_a12_exposure(world: World, entity: str) -> None:
    """A12, CRD-01, CRD-02: the 43 500.00 and 46 500.00 of the example, less 13 000.00 and 21 000.00 of orders and deliveries."""
    usd = {row["currency"]: row for row in world.read("credit", "/v1/accounts/C-12", entity)["currencies"]}["USD"]

    assert world.aging(entity, date(2026, 4, 14))["C-12", "USD"] == {**NOTHING, **owed("current", "30500.00")}
    assert (usd["limit"], usd["exposure"], usd["available"]) == ("50000.00", "25500.00", "24500.00")
    assert world.open_of(entity, "C-12") == {"INV-12|1": "9500.00", "INV-12|2": "16000.00"}
    assert world.receipt(entity, "BR-12E")["unapplied"] == "700.00"  # Received, not applied: it has moved no exposure.


def owed(bucket: str, amount: str) -> dict[str, Any]:
    """The fields of an aging row in which all that is open has one age."""
    return {"open": amount, "buckets": {**NOTHING["buckets"], bucket: amount}}


def paid(world: World, entity: str, bank_ref: str) -> dict[str, str]:
    """What stands applied of a receipt, by document number and instalment."""
    return {one["item"].removeprefix(f"{entity}|"): one["amount"] for one in world.receipt(entity, bank_ref)["applications"]}


def sent(world: World, entity: str, account: str, *, up_to: date = date.max) -> list[tuple[str, int, str]]:
    """Day, level and total of the notices of an account, in their order."""
    notices = [(one["noticed_on"], one["level"], one["total"]) for one in world.notices(entity, account)]
    return [notice for notice in notices if notice[0] <= str(up_to)]
