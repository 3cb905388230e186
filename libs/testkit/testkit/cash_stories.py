"""The worked examples of cash application as stories: paid early, placed by rules, returned, in euros; and days of all of it together."""

import random
from datetime import date, timedelta
from typing import Any, Final

from events import bank, erp
from events.fact import Event

from testkit.ingress import a_credit_memo, a_customer, a_rate, a_receipt, a_return, an_invoice
from testkit.stories import three_items
from testkit.story import Act, Story, policy

VAT_1200: Final[dict[str, Any]] = {"lines": [erp.Line(amount="1000.00")], "tax": "200.00"}
EARLY_CODES: Final = {
    "codes": {
        "2/10 NET OF TAX": {"due": {"net_days": 30}, "discounts": [{"percent": "2", "days": 10}], "discount_tax": "excluded"},
        "2/10 GRACE 2": {"due": {"net_days": 30}, "discounts": [{"percent": "2", "days": 10}], "grace_days": 2},
    }
}
ALL_RULES: Final = ["exact_item", "clear_account", "clear_past_due", "clear_past_due_by_terms", "oldest_first", "combination"]


def early_payments(entity: str) -> Story:
    """
    A2: 1 200.00 with 2 % for ten days, paid in seven ways, each by a customer of its own; up to 5.00 less are tolerated until 17 March.

    The seventh is (f) again, but for that it was not sent as payment in full.
    """
    before, issued_on, last = date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 17)
    terms = {"B": "2/10 NET OF TAX", "C": "2/10 GRACE 2"}

    def owed(letter: str) -> Event:
        more: dict[str, Any] = {"terms": terms.get(letter, "2/10 NET30"), **VAT_1200}
        return an_invoice(entity, f"INV-2-{letter}", f"C-2-{letter}", "1200.00", issued_on=issued_on, **more)

    def paid(letter: str, on: int, amount: str, **more: Any) -> Event:
        ref, day = f"BR-2-{letter}{on}", date(2026, 3, on)
        return a_receipt(entity, ref, amount, value_on=day, naming=f"INV-2-{letter}", **more)

    in_full = [bank.RemittanceLine(document_no="INV-2-F", gross="1200.00")]
    return Story(
        entity,
        {
            before: [],
            issued_on: [owed(letter) for letter in "ABCDEFG"],
            date(2026, 3, 5): [paid("D", 5, "500.00")],
            date(2026, 3, 9): [paid("D", 9, "676.00")],
            date(2026, 3, 10): [
                paid("A", 10, "1176.00"),
                paid("B", 10, "1180.00"),
                paid("E", 10, "1172.50"),
                paid("F", 10, "1150.00", lines=in_full),
                paid("G", 10, "1150.00"),
            ],
            date(2026, 3, 11): [paid("F", 11, "26.00")],
            date(2026, 3, 15): [paid("C", 15, "1176.00")],
        },
        ends_on=last,
        acts={
            before: [
                *policy(entity, "terms", before, EARLY_CODES),
                *policy(entity, "tolerances", before, {"fixed": {"USD": "5.00"}}, service="payment"),
            ],
            last: policy(entity, "tolerances", last, {}, service="payment"),
        },
    )


def cash_rules(entity: str) -> Story:
    """A4: money without a reference under all rules, with partial payments on 25 January and without on the 26th."""
    before, day, after = date(2026, 1, 24), date(2026, 1, 25), date(2026, 1, 26)

    def rules(partials: bool) -> dict[str, Any]:
        return {"rules": ALL_RULES, "partials": partials, "auto_apply": "never"}

    def paid(customer: str, amount: str, on: date = day) -> Event:
        return a_receipt(entity, f"BR-{customer}", amount, value_on=on, customer=customer)

    amounts = {"P600": "600.00", "P800": "800.00", "P300": "300.00", "P1000": "1000.00"}
    return Story(
        entity,
        {
            before: [item for customer in (*amounts, "W600") for item in three_items(entity, customer)],
            day: [paid(customer, amount) for customer, amount in amounts.items()],
            after: [paid("W600", "600.00", after)],
        },
        ends_on=after,
        acts={
            before: policy(entity, "cash_application", before, rules(True), service="payment"),
            day: policy(entity, "cash_application", day, rules(False), service="payment"),
        },
    )


def returned(entity: str) -> Story:
    """A6, but for the promise: 1 000.00 for two items due on 1 March, taken back on the 14th with a fee of 35.00; told twice."""
    told, paid_on, returned_on = date(2026, 3, 4), date(2026, 3, 10), date(2026, 3, 14)
    due: dict[str, Any] = {"issued_on": date(2026, 1, 30), "due_on": date(2026, 3, 1)}
    back = a_return(entity, "BR-6R", "1000.00", value_on=returned_on, fee="35.00")
    return Story(
        entity,
        {
            told: [an_invoice(entity, f"INV-{n}R", "C-6R", amount, **due) for n, amount in ((6, "600.00"), (7, "400.00"))],
            paid_on: [a_receipt(entity, "BR-6R", "1000.00", value_on=paid_on, naming="INV-6R INV-7R")],
            returned_on: [back, back],
        },
        ends_on=date(2026, 3, 22),
    )


def billed_anew(entity: str) -> Story:
    """
    PAY-10: 1 000.00 paid two items and is taken back on the 14th with a fee of 35.00, where the policy bills such money anew.

    Another customer is late with 70.00.
    """
    paid_on, returned_on = date(2026, 3, 10), date(2026, 3, 14)
    due: dict[str, Any] = {"issued_on": date(2026, 1, 30), "due_on": date(2026, 3, 1)}
    long_due: dict[str, Any] = {"issued_on": date(2025, 12, 1), "due_on": date(2025, 12, 31)}
    return Story(
        entity,
        {
            paid_on: [
                *[an_invoice(entity, f"INV-{n}D", "C-10D", amount, **due) for n, amount in ((1, "600.00"), (2, "400.00"))],
                a_receipt(entity, "BR-10D", "1000.00", value_on=paid_on, naming="INV-1D INV-2D"),
                an_invoice(entity, "INV-3D", "C-11D", "70.00", **long_due),
            ],
            returned_on: [a_return(entity, "BR-10D", "1000.00", value_on=returned_on, fee="35.00")],
        },
        ends_on=date(2026, 3, 17),
        acts={paid_on: policy(entity, "cash_application", paid_on, {"returns": "debit_memo"}, service="payment")},
    )


def drawn_down(entity: str) -> Story:
    """PAY-16: a deposit of 1 000.00 for an order, an older item it is not for, and two invoices of the order on later days."""
    first, second, third = date(2026, 2, 2), date(2026, 2, 9), date(2026, 2, 16)

    def owed(number: str, amount: str, on: date, order: str | None) -> Event:
        references = None if order is None else erp.References(order_no=order)
        return an_invoice(entity, number, "C-16D", amount, issued_on=on, references=references)

    return Story(
        entity,
        {
            first: [
                owed("INV-16A", "300.00", first, None),
                a_receipt(entity, "BR-16D", "1000.00", value_on=first, customer="C-16D", deposit_for="SO-1616"),
            ],
            second: [owed("INV-16B", "700.00", second, "SO-1616")],
            third: [owed("INV-16C", "800.00", third, "so-1616")],
        },
        ends_on=date(2026, 2, 17),
    )


def paid_for_two(entity: str) -> Story:
    """PAY-11: 160.00 names invoices of two customers, 100.00 and 60.00; three days later the bank takes it back, with a fee of 35.00."""
    paid_on, returned_on = date(2026, 2, 3), date(2026, 2, 6)
    return Story(
        entity,
        {
            paid_on: [
                an_invoice(entity, "INV-12A", "C-12A", "100.00", issued_on=paid_on),
                an_invoice(entity, "INV-12B", "C-12B", "60.00", issued_on=paid_on),
                a_receipt(entity, "BR-12", "160.00", value_on=paid_on, naming="INV-12A INV-12B"),
            ],
            returned_on: [a_return(entity, "BR-12", "160.00", value_on=returned_on, fee="35.00")],
        },
        ends_on=date(2026, 2, 10),
    )


def euros_at_rates(entity: str) -> Story:
    """A10: EUR 10 000.00 at 1.10 are paid at 1.14 and at 1.06, and valued at 1.08 when March ends between."""
    first, second, month_end, third = date(2026, 3, 16), date(2026, 3, 25), date(2026, 3, 31), date(2026, 4, 10)
    fx = erp.Fx(rate="1.10", rate_on=first)
    return Story(
        entity,
        {
            first: [an_invoice(entity, "INV-10R", "C-10R", "10000.00", issued_on=first, currency="EUR", fx=fx)],
            second: [a_receipt(entity, "BR-10RA", "4000.00", value_on=second, currency="EUR", naming="INV-10R", rate="1.14")],
            month_end: [a_rate(entity, "EUR", "1.08", rate_on=month_end)],
            third: [a_receipt(entity, "BR-10RB", "6000.00", value_on=third, currency="EUR", naming="INV-10R", rate="1.06")],
        },
        ends_on=third,
        acts={first: policy(entity, "revaluation", first, {"period": "month"}, service="payment")},
    )


GROUP_IBAN: Final = "XA00 0000 0000 0000 0004"


def one_transfer_for_a_group(entity: str) -> Story:
    """
    PAY-11: three stores settle under their holding from 25 January on; each has an older invoice, too.

    The holding pays 600.00 that name nothing, which is all that its stores owe then, and 40.00 that name two stores' invoices. On the 26th
    one store is sold to another group: its invoice of the 27th is for that, a memo about an older one is not.
    """
    told_on, day, sold_on, after = (date(2026, 1, n) for n in (24, 25, 26, 27))
    stores = [f"STORE-{n}" for n in (1, 2, 3)]

    def owed(number: str, store: int, amount: str, on: date) -> Event:
        return an_invoice(entity, number, f"STORE-{store}", amount, issued_on=on, due_on=on + timedelta(days=30))

    return Story(
        entity,
        {
            told_on: [
                a_customer(entity, "HOLDING", GROUP_IBAN, name="Holding of stores"),
                *(a_customer(entity, one, parent="HOLDING", name=f"Example {one}") for one in stores),
                *(owed(f"F-{n}", n, f"{n}1.00", told_on) for n in (1, 2, 3)),
            ],
            day: [
                *(owed(f"G-{n}", n, f"{n}00.00", day) for n in (1, 2, 3)),
                a_receipt(entity, "BR-G600", "600.00", value_on=day, iban=GROUP_IBAN),
            ],
            sold_on: [
                *(owed(f"H-{n}", n, f"{n}0.00", sold_on) for n in (1, 2, 3)),
                a_receipt(entity, "BR-G40", "40.00", value_on=sold_on, iban=GROUP_IBAN, naming="H-3 H-1"),
                a_customer(entity, "STORE-3", parent="BUYER", name="Sold STORE-3"),
            ],
            after: [
                owed("SOLD-3", 3, "33.00", after),
                a_credit_memo(entity, "CM-G3", "STORE-3", "5.00", issued_on=after, against="F-3"),
                a_receipt(entity, "BR-OLD", "11.00", value_on=after, iban=GROUP_IBAN, naming="F-1"),
            ],
        },
        ends_on=after,
    )


SHORT: Final = {"fixed": {"USD": "1.00", "EUR": "1.00"}, "codes": {"BANK": "bank_charge", "WHT": "withholding_tax"}}


def till_days(entity: str) -> Story:
    """
    A14's own: three days of invoices with discounts, in dollars and in euros, of money that is early, late, short, too much or without a
    reference, and of returns, under all rules; and one customer whose money people apply, take off, release and pay back.

    Returns come behind their money, on its day, or before it. Always the same story.
    """
    days = [date(2026, 2, 2), date(2026, 2, 3), date(2026, 2, 4)]
    told: dict[date, list[Event]] = {day: [] for day in days}
    chance = random.Random(20)
    for customer in ("C-1", "C-2", "C-3", "C-4"):
        for at, number in enumerate(chance.sample(range(9), 9)):
            told[days[at % 3]].append(_some_invoice(entity, customer, number, chance))
        refs = [f"BR-{customer}-{n}" for n in range(9)]
        for at, ref in enumerate(refs):
            told[days[at % 3]].append(_some_receipt(entity, customer, ref, days[at % 3], chance))
        paid = {one.bank_ref: one for day in days for one in told[day] if isinstance(one, bank.EntryBooked)}
        for day, ref in zip(days, chance.sample(refs, 3), strict=True):
            fee = chance.choice((None, "5.00"))
            back = a_return(entity, ref, paid[ref].amount, value_on=day, currency=paid[ref].currency, fee=fee, kind="return")
            told[day].append(back)
    _by_hand(entity, told)
    everything = {"rules": ALL_RULES, "discounts": "earned"}
    return Story(
        entity,
        told,
        ends_on=days[-1],
        acts={
            days[0]: [
                *policy(entity, "cash_application", days[0], everything, service="payment"),
                *policy(entity, "tolerances", days[0], SHORT, service="payment"),
            ],
            days[2]: _decisions(entity, days),
        },
    )


def _some_invoice(entity: str, customer: str, number: int, chance: random.Random) -> Event:
    """One of nine invoices of a customer, of three in euros: issued in January, so that some discounts are over."""
    total, terms = chance.choice(("10.00", "20.00", "25.00", "40.00", "50.00")), chance.choice(("2/10 NET10", "10/10 NET30", "NET10"))
    issued_on = date(2026, 1, 12) + timedelta(days=chance.randint(0, 21))
    more: dict[str, Any] = (
        {"currency": "EUR", "fx": erp.Fx(rate=chance.choice(("1.10", "1.07")), rate_on=issued_on)} if number % 3 == 0 else {}
    )
    return an_invoice(entity, f"{customer}-{number}", customer, total, issued_on=issued_on, terms=terms, **more)


def _some_receipt(entity: str, customer: str, ref: str, day: date, chance: random.Random) -> bank.EntryBooked:
    """Money of a customer, of the day or some days old, for up to two of its invoices, perhaps with a bank's charges kept back."""
    number, other = chance.sample(range(9), 2)
    more: dict[str, Any] = {"currency": "EUR", "rate": chance.choice(("1.14", "1.06"))} if number % 3 == 0 else {}
    match chance.choice(("one", "two", "stated", "nothing")):
        case "one":
            more["naming"] = f"{customer}-{number}"
        case "two":
            more["naming"] = f"{customer}-{other}, {customer}-{number}"
        case "stated":
            charge = bank.Deduction(code=chance.choice(("BANK", "DAMAGE")), amount="0.75")
            more["lines"] = [bank.RemittanceLine(document_no=f"{customer}-{number}", deductions=[charge])]
    amount = chance.choice(("9.00", "9.25", "18.00", "19.60", "22.50", "24.50", "25.00", "36.00", "40.00", "49.25", "60.00"))
    value_on = day - timedelta(days=chance.randint(0, 4))
    return a_receipt(entity, ref, amount, value_on=value_on, customer=customer, **more)


def _by_hand(entity: str, told: dict[date, list[Event]]) -> None:
    """The facts about the customer HAND: a discount that is returned and paid again, and money that people decide about."""
    first, _, third = sorted(told)
    told[first] += [
        an_invoice(entity, "H-1", "HAND", "100.00", issued_on=first, terms="2/10 NET30"),
        an_invoice(entity, "H-2", "HAND", "50.00", issued_on=first),
        a_receipt(entity, "BR-H1", "98.00", value_on=first, naming="H-1"),
        a_receipt(entity, "BR-H2", "80.00", value_on=first, customer="HAND"),
    ]
    told[third] += [
        an_invoice(entity, "H-3", "HAND", "40.00", issued_on=third),
        a_return(entity, "BR-H1", "98.00", value_on=third, fee="7.50"),
        a_receipt(entity, "BR-H3", "98.00", value_on=first, naming="H-1"),
    ]


def _decisions(entity: str, days: list[date]) -> list[Act]:
    """What people do about BR-H2 on the third day: 20.00 are taken off H-2 as of the second, 15.00 paid back, 5.00 put on H-2 again."""
    on_h2 = f"/v1/applications/receipt|{entity}|BR-H2|H-2|1|{days[0]}|{days[0]}|oldest_first/unapply"
    taken_off = {"entity": entity, "amount": "20.00", "effective_on": str(days[1]), "reason": "WRONG_INVOICE"}
    asked = {"entity": entity, "receipt": "BR-H2", "amount": "15.00", "reason": "OVERPAID"}
    again = {"entity": entity, "item": f"{entity}|H-2|1", "amount": "5.00", "reason": "AGREED"}
    return [
        Act("clerk-1", "clerk", on_h2, taken_off, status=200, service="payment"),
        Act("clerk-1", "clerk", "/v1/refunds", asked, service="payment"),
        Act("clerk-1", "clerk", "/v1/refunds/{refund}/approve", {}, status=403, service="payment"),
        Act("manager-1", "approver", "/v1/refunds/{refund}/approve", {}, status=200, service="payment"),
        Act("clerk-1", "clerk", "/v1/receipts/BR-H2/applications", again, service="payment"),
    ]
