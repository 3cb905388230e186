"""
Money that comes in: told by the bank or posted by a clerk, early, exact, in part, too much, or without a word.

Less a discount in time or not, with what it is for line by line or in an advice of its own, in another currency at a rate or exchanged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from torture.load.amounts import SCALES, read_minor, written
from torture.load.operation import Operation
from torture.load.plan import documents, rates
from torture.load.plan.desk import Banked, Billed, Desk
from torture.load.plan.policies import KEPT_BACK
from torture.load.wire import ADVICE, ENTRY
from torture.load.world import Customer

TOPIC: Final = "bank.entries"
BURST: Final = 5
LATELY: Final = 30
"""So many of the latest invoices are likely to be open."""


@dataclass(frozen=True, slots=True)
class _Paid:
    """What a payer has in mind: an amount, and what the bank will say about it."""

    customer: Customer
    currency: str
    minor: int
    says: Mapping[str, Any]


def entry_told(desk: Desk) -> Sequence[Operation]:
    """The bank tells of money, in one of the ways payers pay."""
    return [one_told(desk)] if desk.billed else documents.invoice_told(desk)


def one_told(desk: Desk) -> Operation:
    """Plan that the bank tells of money, whoever pays; it is the money remembered last."""
    if not desk.billed:
        return _told(desk, _without_a_word(desk))
    (way,) = desk.random.choices([way for way, _ in _WAYS], [weight for _, weight in _WAYS])
    return _told(desk, way(desk))


def advised(desk: Desk) -> Sequence[Operation]:
    """A customer pays by its number and says in an advice of its own what for; which of the two is told first is a matter of chance."""
    if not desk.billed:
        return documents.invoice_told(desk)
    billed = desk.any_billed()
    payment_ref = f"E2E-{desk.number():06d}"
    says = {"customer": billed.customer.number, "payment_ref": payment_ref}
    body = {
        "entity": billed.customer.entity,
        "advice_no": f"ADV-{desk.number():06d}",
        "payment_ref": payment_ref,
        "currency": billed.currency,
        "lines": [_line(desk, billed, billed.total_minor)],
    }
    advice = desk.publication("advice", ADVICE, TOPIC, f"{body['entity']}|{body['advice_no']}", body)
    both = [_told(desk, _Paid(billed.customer, billed.currency, max(1, billed.total_minor), says)), advice]
    desk.random.shuffle(both)
    desk.put_off(desk.random.randint(1, 40), both.pop())
    return both


def wordless(desk: Desk) -> tuple[Operation, Banked]:
    """Plan that a clerk records money of a customer without saying whose it is."""
    return without_saying(desk, *_some_money(desk))


def without_saying(desk: Desk, customer: Customer, currency: str, minor: int) -> tuple[Operation, Banked]:
    """Plan that a clerk records just that money without saying whose it is."""
    return _posted(desk, _Paid(customer, currency, minor, {"remittance": "thank you"})), desk.banked[-1]


def deposit(desk: Desk, order: str) -> tuple[Operation, Banked]:
    """Plan that a customer pays for an order that is not billed yet, and gives its number; told by the bank, or by a clerk."""
    customer, currency, minor = _some_money(desk)
    paid = _Paid(customer, currency, minor, {"customer": customer.number, "remittance": "deposit", "deposit_for": order})
    came = _told(desk, paid) if desk.random.random() < 0.5 else _posted(desk, paid)
    return came, desk.banked[-1]


def overpaid(desk: Desk) -> tuple[Operation, Banked, int]:
    """Plan that a clerk records more money than an invoice needs, mostly of one that was posted; return how much more that is."""
    billed = desk.any_there(list(desk.billed))
    more_minor = desk.random.randint(1, 2000) * 10 ** SCALES[billed.currency]
    return _posted(desk, _paying(desk, billed, billed.total_minor + more_minor), {"method": "check"}), desk.banked[-1], more_minor


def cheque(desk: Desk) -> dict[str, Any]:
    """Make up what a clerk says of a cheque; there is some invoice."""
    return _body(desk, desk.random.choice((_in_full, _in_full, _in_part, _by_number, _less_discount))(desk), {"method": "check"})


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
    paid = desk.random.choice((_in_full, _in_full, _in_part, _by_number, _less_discount))(desk)
    return [_posted(desk, paid, {"method": "check"})]


def all_at_once(desk: Desk) -> Sequence[Operation]:
    """Several clerks record, at the same time, the full payment of the same invoice of the hot customer."""
    invoices = [one for one in desk.billed if one.customer == desk.world.hot]
    if not invoices:
        return entry_told(desk)
    billed = desk.random.choice(invoices)
    return [_posted(desk, _paying(desk, billed, billed.total_minor)) for _ in range(BURST)]


def _told(desk: Desk, paid: _Paid) -> Operation:
    body = _body(desk, paid, {"account_ref": f"{paid.customer.entity}-OPERATING"})
    if paid.currency != paid.customer.own_currency and "exchange" not in body and desk.random.random() < 0.4:
        body["rate"] = rates.drawn(desk.random, paid.currency, paid.customer.own_currency)
    told = desk.publication("receipt", ENTRY, TOPIC, f"{body['entity']}|{body['bank_ref']}", body)
    desk.banked.append(Banked(body["bank_ref"], paid.customer, paid.currency, paid.minor, told.id, is_posted=False))
    return told


def _posted(desk: Desk, paid: _Paid, more: Mapping[str, Any] | None = None) -> Operation:
    body = _body(desk, paid, more or {})
    posted = desk.post("receipt", body)
    desk.banked.append(Banked(body["bank_ref"], paid.customer, paid.currency, paid.minor, posted.id, is_posted=True))
    return posted


def _body(desk: Desk, paid: _Paid, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "entity": paid.customer.entity,
        "bank_ref": f"B-{desk.number():06d}",
        "value_on": (desk.day_gone(2) if "method" in more else desk.day_near(2)).isoformat(),
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


def _for_two(desk: Desk) -> _Paid:
    """
    Pay an invoice and one of another customer at once, without a number of one's own: whose money it is depends on what is known first.

    What is left of it goes to the other when the day has turned.
    """
    billed = desk.any_billed()
    entity, currency = billed.customer.entity, billed.currency
    others = [one for one in desk.billed if one.customer.entity == entity and one.currency == currency and one.customer != billed.customer]
    if not others:
        return _in_full(desk)
    both = (billed, desk.random.choice(others[-LATELY:]))
    minor = max(1, sum(one.total_minor for one in both))
    if desk.random.random() < 0.5:
        return _Paid(billed.customer, currency, minor, {"remittance": " and ".join(one.number for one in both)})
    lines = [{"document_no": one.number, "amount": written(one.total_minor, currency)} for one in both]
    return _Paid(billed.customer, currency, minor, {"lines": lines})


def _less_discount(desk: Desk) -> _Paid:
    """Keep a discount back, in time or not, a little more than that, or one that nobody has offered."""
    offered = [one for one in desk.billed if one.percent]
    billed = desk.random.choice(offered) if offered and desk.random.random() < 0.9 else desk.any_billed()
    discount_minor = billed.total_minor * (billed.percent or 2) // 100
    return _paying(desk, billed, billed.total_minor - discount_minor - desk.random.choice((0, 0, 0, 1, 7, 90)))


def _line_by_line(desk: Desk) -> _Paid:
    """Say of two invoices what is paid of them and why not all, or of one twice where there is no other; some money may be left over."""
    billed = desk.any_billed()
    lines = [_line(desk, one, one.total_minor) for one in (billed, desk.random.choice(desk.billed_to(billed.customer, billed.currency)))]
    minor = sum(read_minor(line["amount"], billed.currency) for line in lines) + desk.random.choice((0, 0, 0, 1, 500))
    says = {"lines": lines} | ({"customer": billed.customer.number} if desk.random.random() < 0.5 else {})
    return _Paid(billed.customer, billed.currency, max(1, minor), says)


def _line(desk: Desk, billed: Billed, minor: int) -> dict[str, Any]:
    """Say what is paid of an invoice over so much, and what is kept back of it."""
    line: dict[str, Any] = {"document_no": billed.number}
    if billed.parts > 1 and desk.random.random() < 0.3:
        line["n"] = desk.random.randint(1, billed.parts)
    kept_minor = minor // desk.random.choice((10, 50, 100))
    if kept_minor and desk.random.random() < 0.6:
        kept = written(kept_minor, billed.currency)
        says_why = billed.percent and desk.random.random() < 0.5
        line |= {"discount_taken": kept} if says_why else {"deductions": [{"code": desk.random.choice(KEPT_BACK), "amount": kept}]}
        line |= {"gross": written(minor, billed.currency)} if desk.random.random() < 0.7 else {}
        minor -= kept_minor
    return {**line, "amount": written(minor, billed.currency)}


def _exchanged(desk: Desk) -> _Paid:
    """Pay an invoice in another currency, which the bank has exchanged."""
    billed = desk.any_billed()
    currency = desk.random.choice([one for one in SCALES if one != billed.currency])
    paid = _paying(desk, billed, desk.random.randint(1, 10**5), currency=currency)
    exchange = {"currency": billed.currency, "amount": written(max(1, billed.total_minor), billed.currency)}
    return _Paid(paid.customer, currency, paid.minor, {**paid.says, "exchange": exchange})


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
    (_in_full, 26),
    (_in_part, 15),
    (_less_discount, 12),
    (_line_by_line, 8),
    (_exchanged, 3),
    (_two_at_once, 10),
    (_for_two, 8),
    (_too_much, 10),
    (_by_number, 12),
    (_by_bank_account, 10),
    (_without_a_word, 6),
    (_in_another_currency, 3),
)
