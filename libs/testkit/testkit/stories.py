"""
The worked examples of the domain as stories: what an ERP and a bank tell one legal entity, day by day.

Each is a function of the entity's name, so that the same story can be told twice, in order and in disorder. What must come out of one
stands in the scenario that tells it.
"""

import random
from datetime import date, timedelta
from typing import Any, Final

from events import erp
from events.fact import Event

from testkit.ingress import a_credit_memo, a_customer, a_debit_memo, a_receipt, a_void, an_invoice
from testkit.story import Act, Story, policy

NINE_PERCENT: Final = {"rates": [{"from": "2026-01-01", "percent": "9"}], "cycle": "monthly", "posting": "memo_only"}


def partial_payments(entity: str) -> Story:
    """A1: 12 000.00 is paid in parts, with 9 % interest a year that is charged monthly and owed by nobody."""
    opens_on = date(2026, 1, 5)
    return Story(
        entity,
        {
            opens_on: [an_invoice(entity, "INV-1", "C-1", "12000.00", issued_on=opens_on)],
            date(2026, 2, 20): [a_receipt(entity, "BR-1", "5000.00", value_on=date(2026, 2, 20), naming="INV-1")],
            date(2026, 3, 10): [
                a_receipt(entity, "BR-2", "3000.00", value_on=date(2026, 3, 10), naming="our payment for INV-1, rest later")
            ],
        },
        ends_on=date(2026, 3, 31),
        acts={opens_on: policy(entity, "late_charges", opens_on, NINE_PERCENT)},
    )


def overpayment(entity: str) -> Story:
    """A3: 2 500.00 is paid for 2 350.00; two days later there is something else to pay, and two more later nothing to be paid back."""
    asked = {"entity": entity, "receipt": "BR-3", "amount": "10.00", "reason": "OVERPAID"}
    return Story(
        entity,
        {
            date(2026, 3, 2): [an_invoice(entity, "INV-3", "C-3", "2350.00", issued_on=date(2026, 3, 2))],
            date(2026, 3, 4): [a_receipt(entity, "BR-3", "2500.00", value_on=date(2026, 3, 4), naming="INV-3")],
            date(2026, 3, 6): [an_invoice(entity, "INV-4", "C-3", "400.00", issued_on=date(2026, 3, 6))],
        },
        ends_on=date(2026, 3, 8),
        acts={date(2026, 3, 8): [Act("clerk-1", "clerk", "/v1/refunds", asked, status=409, service="payment")]},
    )


KNOWN_IBAN: Final = "XA00 0000 0000 0000 0001"
LATER_KNOWN_IBAN: Final = "XA00 0000 0000 0000 0002"
NEVER_KNOWN_IBAN: Final = "XA00 0000 0000 0000 0003"


def three_items(entity: str, customer: str) -> list[erp.InvoiceIssued]:
    """The opening of A4: 500.00 due on 10 January (NET10), 300.00 due on the 20th, 200.00 due on 5 February."""
    return [
        an_invoice(entity, f"{customer}-A", customer, "500.00", issued_on=date(2025, 12, 31), terms="NET10"),
        an_invoice(entity, f"{customer}-B", customer, "300.00", issued_on=date(2025, 12, 21)),
        an_invoice(entity, f"{customer}-C", customer, "200.00", issued_on=date(2026, 1, 6)),
    ]


def two_of_300(entity: str, customer: str, *due_on: date) -> list[erp.InvoiceIssued]:
    """Two items of 300.00 and when they are due."""
    numbered = enumerate(due_on, start=1)
    return [an_invoice(entity, f"{customer}-{n}", customer, "300.00", issued_on=date(2026, 1, 6), due_on=day) for n, day in numbered]


def money_without_a_reference(entity: str) -> Story:
    """A4: money that names nothing, or names what has not come yet, or comes from a bank account that nobody knows."""
    day = date(2026, 1, 25)
    return Story(
        entity,
        {
            date(2026, 1, 24): [
                a_customer(entity, "FEW", KNOWN_IBAN),
                *three_items(entity, "FEW"),
                *three_items(entity, "MANY"),
                *three_items(entity, "LATE"),
                *three_items(entity, "NEXT"),
                *three_items(entity, "BOTH"),
                *two_of_300(entity, "EARLIER", date(2026, 1, 21), date(2026, 1, 20)),
                *two_of_300(entity, "LOWER", date(2026, 1, 20), date(2026, 1, 20)),
            ],
            day: [
                a_receipt(entity, "BR-800", "800.00", value_on=day, customer="BOTH"),
                *(a_receipt(entity, f"BR-{one}", "300.00", value_on=day, customer=one) for one in ("EARLIER", "LOWER")),
                a_receipt(entity, "BR-600", "600.00", value_on=day, iban=KNOWN_IBAN.replace(" ", "")),
                a_receipt(entity, "BR-1100", "1100.00", value_on=day, customer="MANY"),
                a_receipt(entity, "BR-300", "300.00", value_on=day, iban=LATER_KNOWN_IBAN),
                a_receipt(entity, "BR-70", "70.00", value_on=day, iban=NEVER_KNOWN_IBAN, naming="NEXT-D"),
                a_receipt(entity, "BR-THANKS", "1.00", value_on=day, iban=NEVER_KNOWN_IBAN, naming="thank you"),
            ],
            date(2026, 1, 26): [
                a_customer(entity, "LATE", LATER_KNOWN_IBAN),
                an_invoice(entity, "NEXT-D", "NEXT", "70.00", issued_on=date(2026, 1, 23), due_on=date(2026, 2, 22)),
            ],
        },
        ends_on=date(2026, 1, 27),
    )


def credit_memos(entity: str) -> Story:
    """
    A5: a memo that names an invoice, which is then paid in full all the same; and one on-account over two invoices, that a person takes
    off the second on 7 April.
    """
    lines: dict[str, Any] = {"lines": [erp.Line(amount="1000.00")], "tax": "200.00"}
    less: dict[str, Any] = {"lines": [erp.Line(amount="250.00")], "tax": "50.00"}
    first, second, third, fourth = date(2026, 4, 1), date(2026, 4, 3), date(2026, 4, 5), date(2026, 4, 7)
    on_y = f"/v1/applications/memo|{entity}|CM-6|Y|1|{second}|{second}|oldest_first/unapply"
    taken_off = {"entity": entity, "effective_on": str(fourth), "reason": "WRONG_INVOICE"}
    return Story(
        entity,
        {
            first: [
                an_invoice(entity, "INV-5", "C-5", "1200.00", issued_on=first, **lines),
                an_invoice(entity, "Y", "C-6", "400.00", issued_on=first, due_on=date(2026, 5, 2)),
                an_invoice(entity, "X", "C-6", "200.00", issued_on=first, due_on=date(2026, 5, 1)),
            ],
            second: [
                a_credit_memo(entity, "CM-5", "C-5", "300.00", issued_on=second, against="INV-5", **less),
                a_credit_memo(entity, "CM-6", "C-6", "300.00", issued_on=second),
            ],
            third: [a_receipt(entity, "BR-5", "1200.00", value_on=third, naming="INV-5")],
        },
        ends_on=fourth,
        acts={fourth: [Act("clerk-1", "clerk", on_y, taken_off, status=200, service="payment")]},
    )


def late_payers(entity: str) -> Story:
    """A6 and A8, as far as notices go without promises and disputes: customers owe from 1 March, each pays another day, or not."""
    due_on, issued_on = date(2026, 3, 1), date(2026, 1, 30)

    def paid(customer: str, on: date) -> Event:
        return a_receipt(entity, f"BR-{customer}", "3800.00", value_on=on, naming=f"INV-{customer}")

    in_time = ("ON-1", "ON-2", "AFTER-2")
    return Story(
        entity,
        {
            date(2026, 3, 4): [
                an_invoice(entity, "INV-6", "NEVER", "600.00", issued_on=issued_on, due_on=due_on),
                an_invoice(entity, "INV-7", "NEVER", "400.00", issued_on=issued_on, due_on=due_on),
                an_invoice(entity, "INV-6B", "BY-ACH", "600.00", issued_on=issued_on, due_on=due_on),
                an_invoice(entity, "INV-7B", "BY-ACH", "400.00", issued_on=issued_on, due_on=due_on),
                an_invoice(entity, "INV-SMALL", "SMALL", "24.99", issued_on=issued_on, due_on=due_on),
                *(an_invoice(entity, f"INV-{one}", one, "3800.00", issued_on=issued_on, due_on=due_on) for one in in_time),
            ],
            date(2026, 3, 6): [paid("ON-1", date(2026, 3, 6))],
            date(2026, 3, 10): [a_receipt(entity, "BR-6", "1000.00", value_on=date(2026, 3, 10), naming="INV-7B INV-6B")],
            date(2026, 3, 18): [an_invoice(entity, "INV-SLOW-MAIL", "SLOW-MAIL", "100.00", issued_on=issued_on, due_on=due_on)],
            date(2026, 3, 21): [paid("ON-2", date(2026, 3, 21))],
            date(2026, 3, 22): [paid("AFTER-2", date(2026, 3, 21))],
        },
        ends_on=date(2026, 3, 28),
    )


def credited_in_dispute(entity: str) -> Story:
    """A8, resolved valid: of 5 000.00 due on 1 April 1 200.00 is credited; one of two pays the rest on its second notice's day."""
    due_on, credited_on, paid_on = date(2026, 4, 1), date(2026, 4, 4), date(2026, 4, 21)
    return Story(
        entity,
        {
            due_on: [an_invoice(entity, f"INV-9{one}", f"C-9{one}", "5000.00", issued_on=date(2026, 3, 2)) for one in ("A", "B")],
            credited_on: [
                a_credit_memo(entity, f"CM-9{one}", f"C-9{one}", "1200.00", issued_on=credited_on, against=f"INV-9{one}")
                for one in ("A", "B")
            ],
            paid_on: [a_receipt(entity, "BR-9", "3800.00", value_on=paid_on, naming="INV-9B")],
        },
        ends_on=date(2026, 4, 22),
    )


def euros_in_parts(entity: str) -> Story:
    """A10: EUR 10 000.00 is paid in two parts, a month's end between them."""
    first, second, third = date(2026, 3, 16), date(2026, 3, 25), date(2026, 4, 10)
    return Story(
        entity,
        {
            first: [an_invoice(entity, "INV-10", "C-10E", "10000.00", issued_on=first, currency="EUR")],
            second: [a_receipt(entity, "BR-10A", "4000.00", value_on=second, currency="EUR", naming="INV-10")],
            third: [a_receipt(entity, "BR-10B", "6000.00", value_on=third, currency="EUR", naming="INV-10")],
        },
        ends_on=third,
    )


def money_of_2019(entity: str) -> Story:
    """
    A11, its first part: 1 000.00 came before the six invoices, 49 000.00 comes in May, and then a person applies both to the five of March.

    The books open at the end of April; nothing is applied of itself.
    """
    before, opens_on, paid_on, applied_on = date(2019, 4, 28), date(2019, 4, 29), date(2019, 5, 2), date(2019, 5, 3)
    march, april = date(2019, 3, 15), date(2019, 4, 15)

    def apply(ref: str, n: int, amount: str) -> Act:
        body = {"entity": entity, "item": f"{entity}|INV-M{n}|1", "amount": amount, "reason": "AGREED"}
        return Act("clerk-1", "clerk", f"/v1/receipts/{ref}/applications", body, service="payment")

    by_hand = {"rules": [], "auto_apply": "never"}
    return Story(
        entity,
        {
            before: [],
            opens_on: [
                a_receipt(entity, "BR-1000", "1000.00", value_on=date(2019, 2, 15), customer="C-19"),
                *(an_invoice(entity, f"INV-M{n}", "C-19", "10000.00", issued_on=march) for n in range(1, 6)),
                an_invoice(entity, "INV-A", "C-19", "100000.00", issued_on=april),
            ],
            paid_on: [a_receipt(entity, "BR-49000", "49000.00", value_on=paid_on, customer="C-19")],
        },
        ends_on=applied_on,
        acts={
            before: policy(entity, "cash_application", before, by_hand, service="payment"),
            applied_on: [
                apply("BR-1000", 1, "1000.00"),
                apply("BR-49000", 1, "9000.00"),
                *(apply("BR-49000", n, "10000.00") for n in range(2, 6)),
            ],
        },
    )


def paid_before_it_was_known(entity: str) -> Story:
    """A11, its second part: money of 28 May is booked on 5 June."""
    return Story(
        entity,
        {
            date(2026, 5, 28): [an_invoice(entity, "INV-11", "C-11", "10000.00", issued_on=date(2026, 4, 15))],
            date(2026, 6, 5): [a_receipt(entity, "BR-11", "2500.00", value_on=date(2026, 5, 28), naming="INV-11")],
        },
        ends_on=date(2026, 6, 6),
    )


def credit_line(entity: str) -> Story:
    """A12, as far as exposure goes without orders: 32 000.00 in two instalments, 1 500.00 and 5 000.00 of it paid; euros pay nothing."""
    first, second, third = date(2026, 4, 13), date(2026, 4, 14), date(2026, 4, 15)
    due = [erp.Instalment(due_on=day, amount="16000.00") for day in (date(2026, 5, 13), date(2026, 6, 12))]
    return Story(
        entity,
        {
            first: [an_invoice(entity, "INV-12", "C-12", "32000.00", issued_on=first, terms=None, instalments=due)],
            second: [
                a_receipt(entity, "BR-12A", "1500.00", value_on=second, customer="C-12"),
                a_receipt(entity, "BR-12E", "700.00", value_on=second, customer="C-12", currency="EUR"),
            ],
            third: [a_receipt(entity, "BR-12B", "5000.00", value_on=third, naming="INV-12")],
        },
        ends_on=third,
    )


def four_currencies(entity: str) -> Story:
    """XC-01: one customer owes dollars, yen and dinars; it pays euros for the dollars, and the right yen and dinars."""
    first, second = date(2026, 4, 1), date(2026, 4, 2)
    return Story(
        entity,
        {
            first: [
                an_invoice(entity, "USD-1", "C-10", "100.00", issued_on=first),
                an_invoice(entity, "JPY-1", "C-10", "300", issued_on=first, currency="JPY"),
                an_invoice(entity, "KWD-1", "C-10", "1.250", issued_on=first, currency="KWD"),
            ],
            second: [
                a_receipt(entity, "BR-EUR", "100.00", value_on=second, currency="EUR", customer="C-10", naming="USD-1"),
                a_receipt(entity, "BR-JPY", "100", value_on=second, currency="JPY", customer="C-10"),
                a_receipt(entity, "BR-KWD", "1.249", value_on=second, currency="KWD", naming="KWD-1"),
            ],
        },
        ends_on=second,
    )


def busy_days(entity: str) -> Story:
    """
    A14's own: on each of three days six customers have several items, memos and receipts, so that what is applied to what hangs on order.

    Receipts and memos name invoices of any of the days, also of those to come, or none; each day one invoice of each customer is void,
    come or not. Always the same story.
    """
    chance, more, days = random.Random(14), random.Random(15), [date(2026, 2, 2), date(2026, 2, 3), date(2026, 2, 4)]
    told: dict[date, list[Event]] = {day: [] for day in days}

    def amount(chance: random.Random = chance) -> str:
        return f"{chance.randint(5, 90)}.{chance.randint(0, 99):02}"

    for customer in ("C-1", "C-2", "C-3", "C-4", "C-5", "C-6"):
        numbers = [f"{customer}-{n}" for n in range(9)]
        voided = more.sample(numbers, len(days))
        for n, number in enumerate(numbers):
            due_on = days[0] + timedelta(days=chance.randint(-40, 30))
            told[days[n % 3]].append(an_invoice(entity, number, customer, amount(), issued_on=date(2026, 1, 2), due_on=due_on))
        for day in days:
            for n in range(3):
                named = chance.sample(numbers, chance.randint(0, 2))
                told[day] += [
                    a_receipt(entity, f"{day}-{customer}-{n}", amount(), value_on=day, naming=" ".join(named) or None, customer=customer),
                    *(
                        [a_credit_memo(entity, f"{day}-{customer}-{n}", customer, amount(), issued_on=day, against=named[0])]
                        if named
                        else []
                    ),
                ]
            told[day] += [
                a_credit_memo(entity, f"{day}-{customer}", customer, amount(), issued_on=day),
                a_debit_memo(
                    entity, f"{day}-{customer}-D", customer, amount(more), issued_on=day, terms=more.choice(("NET10", "2/10 NET30"))
                ),
                a_void(entity, voided.pop(), customer),
            ]
    return Story(entity, told, ends_on=days[-1])
