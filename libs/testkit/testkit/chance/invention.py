"""
Inventing stories: a few customers, few documents, and money that names them rightly, wrongly, or not at all.

What the bank took back goes nowhere any more. So where a document says whose money is that is taken back on that day, it hangs on which
came first; some stories have that, and promise no more than that the books balance. In the others banks take back what was there on an
earlier day and had a payer.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from events import bank, erp, invoice
from events.fact import Event
from policies.hierarchy import account_of

from testkit.chance.story import ENTITY, Deed, Spell, Story, day_of

DEEDS: Final = (
    *("apply", "apply", "credit", "unapply", "unapply", "unapply", "release", "release_credit", "refund", "refund", "approve", "approve"),
    *("reject", "transfer", "transfer", "transfer", "reverse", "reverse", "bill_anew", "identify", "identify", "link", "accept", "dismiss"),
)
"""What people do, the likelier the more often it stands here; policies are proposed at other times."""
_AMOUNTS: Final = (500, 1000, 1000, 2000, 2000, 3000, 3300, 5000, 10000)
_ORDERS: Final = ("PO-4711", "PO-4712")
_CODES: Final = ("BANK", "WHT", "DMG")
_RATES: Final = ("1.1", "1.25", "0.9")


def written(minor: int) -> str:
    """Write minor units of a currency with two decimals."""
    return f"{minor // 100}.{minor % 100:02}"


@dataclass(slots=True)
class Inventor:
    """What is invented so far: documents by number, with the days they are told on, and what the bank has booked."""

    chance: random.Random
    days: int
    customers: list[str]
    euros: bool
    hurries: bool
    """Whether a bank may take money back on the day it came, or tell us so before, and money of nobody's."""
    parents: list[dict[str, str]] = field(default_factory=list)
    documents: dict[str, invoice.Billed] = field(default_factory=dict)
    told_on: dict[str, int] = field(default_factory=dict)
    entries: list[bank.EntryBooked] = field(default_factory=list)
    came_on: dict[str, int] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    """All numbers that documents have or will have; money names them before they are there."""

    def maybe(self, share: float = 0.5) -> bool:
        return self.chance.random() < share

    def amount(self) -> int:
        return self.chance.choice(_AMOUNTS) + (self.chance.choice((1, 7, 50)) if self.maybe(0.15) else 0)

    def some(self, of: Sequence[Any], most: int) -> list[Any]:
        return self.chance.sample(list(of), min(len(of), self.chance.randint(1, most)))

    def currency(self) -> str:
        return "EUR" if self.euros and self.maybe(0.4) else "USD"

    def account(self, customer: str, day: int) -> str:
        return account_of(customer, self.parents[day])


def invent(seed: int) -> Story:
    """Invent a story; the same seed always invents the same."""
    chance = random.Random(seed)
    days = chance.randint(3, 5)
    customers = [f"C-{n}" for n in range(1, chance.randint(2, 4) + 1)]
    one = Inventor(chance, days, customers, euros=chance.random() < 0.35, hurries=chance.random() < 0.2)
    one.numbers = [f"INV-{n}" for n in range(1, chance.randint(3, 7) + 1)]
    by_day: list[list[Event]] = [[] for _ in range(days)]
    for day, facts in enumerate(_customers(one)):
        by_day[day] += facts
    _documents(one, by_day)
    for day in range(days):
        by_day[day] += [_entry(one, day) for _ in range(chance.randint(0, 3))]
    _about_money(one, by_day)
    _about_documents(one, by_day)
    return Story(seed, tuple(_spells(one, facts, day) for day, facts in enumerate(by_day)), is_of_order=one.hurries)


def _spells(one: Inventor, facts: list[Event], day: int) -> tuple[Spell, ...]:
    """Cut a day where people do something; a document stands before what is about it."""
    first = [fact for fact in facts if isinstance(fact, invoice.Billed)]
    rest = [fact for fact in facts if not isinstance(fact, invoice.Billed)]
    one.chance.shuffle(rest)
    rest.sort(key=lambda fact: isinstance(fact, invoice.InvoiceVoided))
    ordered = first + rest
    cut = one.chance.randint(len(first), len(ordered)) if one.maybe(0.4) else len(ordered)
    return tuple(Spell(tuple(part), _deeds(one, day)) for part in (ordered[:cut], ordered[cut:]) if part or one.maybe(0.3))


def _deeds(one: Inventor, day: int) -> tuple[Deed, ...]:
    kinds = [one.chance.choice(DEEDS) for _ in range(one.chance.choice((0, 0, 1, 1, 2, 3)))]
    kinds += ["propose"] if one.maybe(0.5 if day == 0 else 0.15) else []
    return tuple(Deed(kind, one.chance.randrange(10**6)) for kind in kinds)


def _customers(one: Inventor) -> Iterator[list[Event]]:
    """Tell customers with their bank accounts and, on some days, other parents; these count from the next day on."""
    parents: dict[str, str] = {}
    has_groups = one.maybe(0.4)
    for day in range(one.days):
        one.parents.append(dict(parents))
        facts: list[Event] = []
        for customer in one.customers:
            if not one.maybe(0.6 if day == 0 else 0.15):
                continue
            parent = one.chance.choice([*one.customers, "GROUP"]) if has_groups and one.maybe(0.6) else None
            parent = None if parent == customer else parent
            ibans = [f"IBAN-{customer}"] if one.maybe(0.7) else ["IBAN-SHARED"] if one.maybe() else []
            facts.append(
                erp.CustomerUpserted(entity=ENTITY, customer=customer, name=f"Store {customer}", bank_accounts=ibans, parent=parent)
            )
            parents.pop(customer, None)
            if parent is not None:
                parents[customer] = parent
        if one.euros and one.maybe(0.7):
            facts.append(erp.FxRatePublished(entity=ENTITY, currency="EUR", rate=one.chance.choice(_RATES), rate_on=day_of(day)))
        yield facts


def _documents(one: Inventor, by_day: list[list[Event]]) -> None:
    for number in one.numbers:
        day = min(one.chance.randint(0, one.days - 1), one.chance.randint(0, one.days - 1))
        customer = one.chance.choice(one.customers)
        one.documents[number] = document = _billed(one, number, customer, day)
        one.told_on[number] = day
        by_day[day].append(document)
    for n in range(one.chance.choice((0, 0, 1, 1, 2, 3))):
        day = one.chance.randint(0, one.days - 1)
        by_day[day].append(_memo(one, f"CM-{n + 1}", day))


def _billed(one: Inventor, number: str, customer: str, day: int) -> invoice.Billed:
    total, currency = one.amount() * one.chance.choice((1, 1, 2, 3)), one.currency()
    issued_on = day_of(day) - timedelta(days=one.chance.choice((0, 0, 0, 1, 3, 30)))
    parts = one.chance.choice((1, 1, 1, 2, 3))
    amounts = [total // parts] * (parts - 1)
    amounts.append(total - sum(amounts))
    due = [issued_on + timedelta(days=one.chance.choice((0, 2, 10, 30)) + 10 * n) for n in range(parts)]
    kind: type[invoice.Billed] = invoice.DebitMemoIssued if one.maybe(0.15) else invoice.InvoiceIssued
    rate = one.chance.choice(_RATES)
    valuation = invoice.Valuation(
        currency="USD", rate=rate, rate_on=issued_on, type="spot", total=written(round(total * round(float(rate) * 100) / 100))
    )
    return kind(
        entity=ENTITY,
        invoice=f"{ENTITY}|{number}",
        document_no=number,
        type="383" if kind is invoice.DebitMemoIssued else "380",
        customer=customer,
        account=one.account(customer, day),
        currency=currency,
        issued_on=issued_on,
        total=written(total),
        instalments=[
            invoice.Instalment(n=n, due_on=on, amount=written(minor)) for n, (on, minor) in enumerate(zip(due, amounts, strict=True), 1)
        ],
        terms=one.chance.choice((None, "NET30", "2/10 NET30")),
        discount=_terms(one, total, issued_on) if one.maybe(0.35) else None,
        references=erp.References(order_no=one.chance.choice(_ORDERS)) if one.maybe(0.35) else None,
        valuation=valuation if currency == "EUR" and one.maybe(0.9) else None,
    )


def _terms(one: Inventor, total: int, issued_on: date) -> invoice.DiscountTerms:
    tier = invoice.DiscountTier(
        percent="10", until_on=issued_on + timedelta(days=one.chance.choice((0, 2, 10))), amount=written(total // 10), tax="0.00"
    )
    partial = one.chance.choice(("prorate", "full_payment_only"))
    return invoice.DiscountTerms(
        tiers=[tier], grace_days=0, tax_choice="included", base="gross", partial=partial, unearned_allowed=one.maybe(0.2)
    )


def _memo(one: Inventor, number: str, day: int) -> invoice.CreditMemoIssued:
    about = one.documents[one.chance.choice(one.numbers)]
    customer = about.customer if one.maybe(0.8) else one.chance.choice(one.customers)
    named = about if one.maybe(0.6) and customer == about.customer else None
    account = one.account(customer, day)
    if named is not None and one.told_on[named.document_no] < day:
        account = named.account  # A document about an earlier one goes where that is.
    return invoice.CreditMemoIssued(
        entity=ENTITY,
        memo=f"{ENTITY}|{number}",
        document_no=number,
        type="381",
        customer=customer,
        account=account,
        currency=about.currency,
        issued_on=day_of(day) - timedelta(days=one.chance.choice((0, 0, 2))),
        total=written(one.amount()),
        ref_invoice=None if named is None else named.invoice,
    )


def _entry(one: Inventor, day: int) -> bank.EntryBooked:
    number, currency = len(one.entries) + 1, one.currency()
    named = one.some(one.numbers, 3) if one.maybe(0.65) else []
    is_stated = bool(named) and one.maybe(0.4)
    minor = one.amount()
    if named and one.maybe(0.5):
        minor = sum(round(float(one.documents[each].total) * 100) for each in named)
        minor += one.chance.choice((0, 0, -100, 1000, -minor // 10))
    minor = max(minor, 1)
    lines = _lines(one, named, minor) if is_stated else []
    more: dict[str, Any] = {}
    if currency == "EUR" and one.maybe(0.5):
        more["rate"] = one.chance.choice(_RATES)
    elif one.euros and one.maybe(0.2):
        more["exchange"] = bank.Exchange(currency="EUR" if currency == "USD" else "USD", amount=written(minor))
    entry = bank.EntryBooked(
        entity=ENTITY,
        account_ref="OUR-1",
        bank_ref=f"BR-{number}",
        value_on=day_of(day) - timedelta(days=one.chance.choice((0, 0, 0, 1, 2))),
        amount=written(minor),
        currency=currency,
        debtor=_debtor(one),
        remittance=None if is_stated else " ".join([*named, *(["PO-4711"] if one.maybe(0.1) else [])]) or None,
        customer=one.chance.choice(one.customers) if one.maybe(0.45) else None,
        payment_ref=f"E2E-{one.chance.randint(1, 3)}" if one.maybe(0.2) else None,
        lines=lines,
        deposit_for=one.chance.choice(_ORDERS) if one.maybe(0.12) else None,
        **more,
    )
    one.entries.append(entry)
    one.came_on[entry.bank_ref] = day
    return entry


def _debtor(one: Inventor) -> bank.Debtor | None:
    if one.maybe(0.4):
        return None
    iban = one.chance.choice([*(f"IBAN-{each}" for each in one.customers), "IBAN-SHARED", "IBAN-OTHER"])
    return bank.Debtor(iban=iban, name=one.chance.choice((None, "Somebody Else", f"Store {one.customers[0]}")))


def _lines(one: Inventor, named: Sequence[str], most: int) -> list[bank.RemittanceLine]:
    """State what is paid of documents, no more than `most` together, and what is kept back."""
    lines, left = [], most
    for number in named:
        minor = min(left, one.amount())
        left -= minor
        kept: dict[str, Any] = {}
        if minor and one.maybe(0.25):
            kept["discount_taken"] = written(max(minor // 10, 1))
        if minor and one.maybe(0.25):
            kept["deductions"] = [bank.Deduction(code=one.chance.choice(_CODES), amount=written(one.chance.choice((100, 300))))]
        stated = {"amount": written(minor)} if minor and (kept or one.maybe(0.7)) else {}
        if one.maybe(0.15):
            stated["n"] = 1  # type: ignore[assignment]
        lines.append(bank.RemittanceLine(document_no=number, **stated, **kept))  # type: ignore[arg-type]
    return lines


def _about_money(one: Inventor, by_day: list[list[Event]]) -> None:
    """Take money back, once each, also before it has come; and advise what it is for."""
    for entry in one.entries:
        since = 0 if one.hurries else one.came_on[entry.bank_ref] + 1 if entry.customer else one.days
        if since < one.days and one.maybe(0.35):
            by_day[one.chance.randint(since, one.days - 1)].append(_return(one, entry))
        if one.maybe(0.15):
            day = one.chance.randint(0, one.days - 1)
            number = f"AD-{sum(isinstance(fact, bank.RemittanceAdvised) for facts in by_day for fact in facts) + 1}"
            by_day[day].append(
                bank.RemittanceAdvised(
                    entity=ENTITY,
                    advice_no=number,
                    payment_ref=entry.payment_ref or entry.bank_ref,
                    currency=entry.exchange.currency if entry.exchange else entry.currency,
                    lines=_lines(one, one.some(one.numbers, 2), round(float(entry.amount) * 100)),
                    customer=one.chance.choice(one.customers) if one.maybe(0.3) else None,
                )
            )


def _return(one: Inventor, entry: bank.EntryBooked) -> bank.EntryReturned:
    return bank.EntryReturned(
        entity=ENTITY,
        account_ref="OUR-1",
        bank_ref=f"RT-{entry.bank_ref}",
        returned_bank_ref=entry.bank_ref,
        value_on=entry.value_on + timedelta(days=one.chance.choice((0, 0, 1, 2))),
        amount=entry.amount,
        currency=entry.currency,
        kind=one.chance.choice(("nsf", "return", "chargeback", "error")),
        reason_code="R01" if one.maybe() else None,
        fee="5.00" if one.maybe(0.3) else None,
    )


def _about_documents(one: Inventor, by_day: list[list[Event]]) -> None:
    """Void some documents and write some off, on the day they come or later."""
    tell: list[tuple[float, Callable[[Inventor, invoice.Billed, int], tuple[int, Event]]]] = [(0.15, _void), (0.25, _write_off)]
    for number, document in one.documents.items():
        void_on = one.days
        for share, about in tell:
            if one.maybe(share):
                day, fact = about(one, document, one.told_on[number])
                if day < void_on or isinstance(fact, invoice.InvoiceVoided):
                    by_day[day].append(fact)
                    void_on = min(void_on, day) if isinstance(fact, invoice.InvoiceVoided) else void_on


def _void(one: Inventor, document: invoice.Billed, since: int) -> tuple[int, Event]:
    void = invoice.InvoiceVoided(
        entity=ENTITY,
        invoice=document.invoice,
        document_no=document.document_no,
        customer=document.customer,
        account=document.account,
        currency=document.currency,
        total=document.total,
        instalments=document.instalments,
        reason="WRONG",
    )
    return one.chance.randint(since, one.days - 1), void


def _write_off(one: Inventor, document: invoice.Billed, since: int) -> tuple[int, Event]:
    instalment = one.chance.choice(document.instalments)
    minor = min(one.amount(), round(float(instalment.amount) * 100))
    approved = invoice.WriteOffApproved(
        entity=ENTITY,
        request=f"{ENTITY}|WO-{document.document_no}",
        item=f"{document.invoice}|{instalment.n}",
        invoice=document.invoice,
        customer=document.customer,
        account=document.account,
        currency=document.currency,
        amount=written(minor),
        tax="0.00",
        kind=one.chance.choice(("small_balance", "bad_debt", "settlement", "rounding")),
        requested_by="clerk-1",
        policy_version="standard-1",
        approved_by="boss",
    )
    return one.chance.randint(since, one.days - 1), approved
