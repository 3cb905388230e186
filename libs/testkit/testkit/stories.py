"""
The worked examples of the domain as stories: what an ERP and a bank tell one legal entity, day by day.

Each is a function of the entity's name, so that the same story can be told twice, in order and in disorder. What must come out of one
stands in the scenario that tells it.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from events import erp
from events.fact import Event

from testkit.ingress import a_credit_memo, a_customer, a_receipt, an_invoice


@dataclass(frozen=True, slots=True)
class Story:
    """Facts by the day they are told; the books open on the first of these days, and the story is over when `ends_on` has closed."""

    entity: str
    days: Mapping[date, Sequence[Event]]
    ends_on: date

    @property
    def opens_on(self) -> date:
        return min(self.days)

    @property
    def receipts(self) -> list[str]:
        """The bank references of the story's receipts."""
        return sorted({ref for facts in self.days.values() for fact in facts if (ref := getattr(fact, "bank_ref", None))})

    @property
    def customers(self) -> list[str]:
        """The customers of the story."""
        return sorted({customer for facts in self.days.values() for fact in facts if (customer := getattr(fact, "customer", None))})


def partial_payments(entity: str) -> Story:
    """A1: 12 000.00 is paid in parts."""
    return Story(
        entity,
        {
            date(2026, 1, 5): [an_invoice(entity, "INV-1", "C-1", "12000.00", issued_on=date(2026, 1, 5))],
            date(2026, 2, 20): [a_receipt(entity, "BR-1", "5000.00", value_on=date(2026, 2, 20), naming="INV-1")],
            date(2026, 3, 10): [
                a_receipt(entity, "BR-2", "3000.00", value_on=date(2026, 3, 10), naming="our payment for INV-1, rest later")
            ],
        },
        ends_on=date(2026, 3, 31),
    )


def overpayment(entity: str) -> Story:
    """A3: 2 500.00 is paid for 2 350.00; two days later there is something else to pay."""
    return Story(
        entity,
        {
            date(2026, 3, 2): [an_invoice(entity, "INV-3", "C-3", "2350.00", issued_on=date(2026, 3, 2))],
            date(2026, 3, 4): [a_receipt(entity, "BR-3", "2500.00", value_on=date(2026, 3, 4), naming="INV-3")],
            date(2026, 3, 6): [an_invoice(entity, "INV-4", "C-3", "400.00", issued_on=date(2026, 3, 6))],
        },
        ends_on=date(2026, 3, 6),
    )


KNOWN_IBAN: Final = "XA00 0000 0000 0000 0001"
LATER_KNOWN_IBAN: Final = "XA00 0000 0000 0000 0002"
NEVER_KNOWN_IBAN: Final = "XA00 0000 0000 0000 0003"


def three_items(entity: str, customer: str) -> list[erp.InvoiceIssued]:
    """The opening of A4: 500.00 and 300.00 past due on 25 January, 200.00 not."""
    return [
        an_invoice(entity, f"{customer}-A", customer, "500.00", issued_on=date(2025, 12, 31), due_on=date(2026, 1, 10)),
        an_invoice(entity, f"{customer}-B", customer, "300.00", issued_on=date(2025, 12, 21), due_on=date(2026, 1, 20)),
        an_invoice(entity, f"{customer}-C", customer, "200.00", issued_on=date(2026, 1, 6), due_on=date(2026, 2, 5)),
    ]


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
            ],
            day: [
                a_receipt(entity, "BR-600", "600.00", value_on=day, iban=KNOWN_IBAN.replace(" ", "")),
                a_receipt(entity, "BR-1100", "1100.00", value_on=day, customer="MANY"),
                a_receipt(entity, "BR-300", "300.00", value_on=day, iban=LATER_KNOWN_IBAN),
                a_receipt(entity, "BR-70", "70.00", value_on=day, iban=NEVER_KNOWN_IBAN, naming="NEXT-D"),
                a_receipt(entity, "BR-1", "1.00", value_on=day, iban=NEVER_KNOWN_IBAN, naming="thank you"),
            ],
            date(2026, 1, 26): [
                a_customer(entity, "LATE", LATER_KNOWN_IBAN),
                an_invoice(entity, "NEXT-D", "NEXT", "70.00", issued_on=date(2026, 1, 23), due_on=date(2026, 2, 22)),
            ],
        },
        ends_on=date(2026, 1, 27),
    )


def credit_memos(entity: str) -> Story:
    """A5: a memo that names an invoice, which is then paid in full all the same; and one on-account over two invoices."""
    lines: dict[str, Any] = {"lines": [erp.Line(amount="1000.00")], "tax": "200.00"}
    less: dict[str, Any] = {"lines": [erp.Line(amount="250.00")], "tax": "50.00"}
    first, second, third = date(2026, 4, 1), date(2026, 4, 3), date(2026, 4, 5)
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
        ends_on=third,
    )


def late_payers(entity: str) -> Story:
    """A6 and A8, as far as notices go without promises and disputes: five customers owe from 1 March, each pays another day, or not."""
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
                an_invoice(entity, "INV-8", "SMALL", "24.99", issued_on=issued_on, due_on=due_on),
                *(an_invoice(entity, f"INV-{one}", one, "3800.00", issued_on=issued_on, due_on=due_on) for one in in_time),
            ],
            date(2026, 3, 6): [paid("ON-1", date(2026, 3, 6))],
            date(2026, 3, 18): [an_invoice(entity, "INV-9", "SLOW-MAIL", "100.00", issued_on=issued_on, due_on=due_on)],
            date(2026, 3, 21): [paid("ON-2", date(2026, 3, 21))],
            date(2026, 3, 22): [paid("AFTER-2", date(2026, 3, 21))],
        },
        ends_on=date(2026, 3, 28),
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

    Receipts and memos name invoices of any of the days, also of those to come, or none. Always the same story.
    """
    chance, days = random.Random(14), [date(2026, 2, 2), date(2026, 2, 3), date(2026, 2, 4)]
    told: dict[date, list[Event]] = {day: [] for day in days}

    def amount() -> str:
        return f"{chance.randint(5, 90)}.{chance.randint(0, 99):02}"

    for customer in ("C-1", "C-2", "C-3", "C-4", "C-5", "C-6"):
        numbers = [f"{customer}-{n}" for n in range(9)]
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
            told[day].append(a_credit_memo(entity, f"{day}-{customer}", customer, amount(), issued_on=day))
    return Story(entity, told, ends_on=days[-1])


STORIES: Final[Mapping[str, Callable[[str], Story]]] = {
    "S01": partial_payments,
    "S03": overpayment,
    "S04": money_without_a_reference,
    "S05": credit_memos,
    "S06": late_payers,
    "S11": paid_before_it_was_known,
    "S10": four_currencies,
    "S14": busy_days,
}
"""Every story by the entity it is told of."""
