"""Money that comes in: told by the bank or posted by a clerk, early, exact, in part, too much, or without a word."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from torture.load.amounts import SCALES, written
from torture.load.operation import Operation
from torture.load.plan import documents
from torture.load.plan.desk import Billed, Desk
from torture.load.wire import ENTRY
from torture.load.world import Customer

TOPIC: Final = "bank.entries"
BURST: Final = 5


@dataclass(frozen=True, slots=True)
class _Paid:
    """What a payer has in mind: an amount, and what the bank will say about it."""

    customer: Customer
    currency: str
    minor: int
    says: Mapping[str, Any]


def entry_told(desk: Desk) -> Sequence[Operation]:
    """The bank tells of money, in one of the ways payers pay."""
    if not desk.billed:
        return documents.invoice_told(desk)
    (way,) = desk.random.choices([way for way, _ in _WAYS], [weight for _, weight in _WAYS])
    return [_told(desk, way(desk))]


def early_entry_told(desk: Desk) -> Sequence[Operation]:
    """Somebody pays an invoice that its ERP only tells of later: until then nobody knows whose money it is, unless a number is given."""
    customer = desk.world.choose(desk.random)
    invoice = documents.new_invoice(desk, customer)
    billed = desk.billed[-1]
    desk.put_off(desk.random.randint(5, 60), documents.told(desk, invoice))
    return [_told(desk, _paying(desk, billed, billed.total_minor))]


def payment_of(desk: Desk, billed: Billed, minor: int) -> Operation:
    """Plan that somebody pays so much of an invoice and names it."""
    return _told(desk, _paying(desk, billed, minor))


def receipt_posted(desk: Desk) -> Sequence[Operation]:
    """A clerk records a cheque."""
    if not desk.billed:
        return documents.invoice_posted(desk)
    paid = desk.random.choice((_in_full, _in_full, _in_part, _by_number))(desk)
    return [desk.post("receipt", _body(desk, paid, {"method": "check"}))]


def all_at_once(desk: Desk) -> Sequence[Operation]:
    """Several clerks record, at the same time, the full payment of the same invoice of the hot customer."""
    invoices = [one for one in desk.billed if one.customer == desk.world.hot]
    if not invoices:
        return entry_told(desk)
    billed = desk.random.choice(invoices)
    return [desk.post("receipt", _body(desk, _paying(desk, billed, billed.total_minor), {})) for _ in range(BURST)]


def _told(desk: Desk, paid: _Paid) -> Operation:
    body = _body(desk, paid, {"account_ref": f"{paid.customer.entity}-OPERATING"})
    return desk.publication("receipt", ENTRY, TOPIC, f"{body['entity']}|{body['bank_ref']}", body)


def _body(desk: Desk, paid: _Paid, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "entity": paid.customer.entity,
        "bank_ref": f"B-{desk.number():06d}",
        "value_on": desk.day_near(2).isoformat(),
        "amount": written(paid.minor, paid.currency),
        "currency": paid.currency,
        **more,
        **paid.says,
    }


def _paying(desk: Desk, billed: Billed, minor: int, *others: Billed, currency: str | None = None) -> _Paid:
    """Name invoices of one customer; every other payer gives its customer number as well."""
    numbers = " ".join(one.number for one in (billed, *others))
    text = desk.random.choice((numbers, f"payment of {numbers}, thank you", f"Ref: {numbers.lower()}."))
    says = {"remittance": text} | ({"customer": billed.customer.number} if desk.random.random() < 0.5 else {})
    return _Paid(billed.customer, currency or billed.currency, max(1, minor), says)


def _in_full(desk: Desk) -> _Paid:
    billed = desk.any_billed()
    return _paying(desk, billed, billed.total_minor)


def _in_part(desk: Desk) -> _Paid:
    billed = desk.any_billed()
    return _paying(desk, billed, desk.random.randint(1, max(1, billed.total_minor)))


def _too_much(desk: Desk) -> _Paid:
    billed = desk.any_billed()
    return _paying(desk, billed, billed.total_minor + desk.random.randint(1, 500))


def _two_at_once(desk: Desk) -> _Paid:
    """Pay an invoice and another of the same customer and currency; the same one twice where there is no other."""
    billed = desk.any_billed()
    other = desk.random.choice(desk.billed_to(billed.customer, billed.currency))
    return _paying(desk, billed, billed.total_minor + other.total_minor, other)


def _in_another_currency(desk: Desk) -> _Paid:
    """Money that can pay nothing of what it names."""
    billed = desk.any_billed()
    return _paying(desk, billed, desk.random.randint(1, 10**5), currency="EUR" if billed.currency != "EUR" else "USD")


def _by_number(desk: Desk) -> _Paid:
    customer, currency, minor = _some_money(desk)
    return _Paid(customer, currency, minor, {"customer": customer.number, "remittance": "as agreed"})


def _by_bank_account(desk: Desk) -> _Paid:
    known = [one for one in desk.world.customers if one.bank_account]
    customer = desk.random.choice(known)
    currency = desk.random.choice(customer.currencies)
    return _Paid(customer, currency, desk.random.randint(1, 10**6), {"debtor": {"name": "somebody", "iban": customer.bank_account}})


def _without_a_word(desk: Desk) -> _Paid:
    customer, currency, minor = _some_money(desk)
    return _Paid(customer, currency, minor, desk.random.choice(({}, {"remittance": "thank you"}, {"debtor": {"name": "nobody"}})))


def _some_money(desk: Desk) -> tuple[Customer, str, int]:
    customer = desk.world.choose(desk.random)
    currency = desk.random.choice(customer.currencies)
    return customer, currency, desk.random.randint(1, 2000) * 10 ** SCALES[currency]


_WAYS: Final[Sequence[tuple[Callable[[Desk], _Paid], int]]] = (
    (_in_full, 30),
    (_in_part, 15),
    (_two_at_once, 10),
    (_too_much, 10),
    (_by_number, 12),
    (_by_bank_account, 10),
    (_without_a_word, 6),
    (_in_another_currency, 3),
)
