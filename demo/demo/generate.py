"""
The ledger the repository ships: a year of receivables of a company that does not exist, the same for the same seed.

`python -m demo.generate` writes it. 100 customers, a few of them large (Zipf), two currencies; payers that are prompt, late and very late;
part payments, short and over payments, one payment for two invoices, money that names nothing, money from an unknown payer, money that
comes before its invoice, credit memos with and without an invoice; discounts for paying early, taken in time, in part and too late; money
that banks take back for a fee, and money paid by mistake and paid back; late fees, invoices voided before and after they were paid, bad
debts written off and in part recovered, rents billed every month, interest on what is late, and a rate of exchange for every week. A few
more customers do what is told in `cases`.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from demo.billing import billed_on
from demo.cases import Cases, cases, iban
from demo.ledger import (
    BillAnew,
    CreditMemo,
    Customer,
    DebitMemo,
    Entry,
    Invoice,
    LateCharges,
    Rate,
    Receipt,
    Refund,
    Return,
    Schedule,
    TakeOff,
    Void,
    WriteOff,
    told_on,
)
from demo.writing import to_csv

SHIPPED_LEDGER: Final = Path(__file__).resolve().parents[1] / "ledger.csv"
SEED: Final = 1494
YEAR: Final = 2025
CUSTOMERS: Final = 100
INVOICES: Final = 2000
FEES: Final = 30
VOIDED_UNPAID: Final = 10
VOIDED_ANYHOW: Final = 20
WRITTEN_OFF_MAX_MINOR: Final = 500_000
"""What a manager may approve without a policy that says otherwise."""
REFUNDED_MAX_MINOR: Final = 500_000
"""The same, of refunds."""

_OPENS_ON: Final = date(YEAR, 1, 1)
_ENDS_ON: Final = date(YEAR, 12, 31)
_FIRST: Final = ("Amber", "Birch", "Cobalt", "Dune", "Ember", "Fjord", "Granite", "Harbour", "Iris", "Juniper")
_SECOND: Final = ("Bakeries", "Bikes", "Foundry", "Glass", "Hotels", "Logistics", "Orchards", "Paper", "Robotics", "Textiles")
_TERMS_DAYS: Final = (14, 30, 30, 30, 60)
_LATE_DAYS: Final = {"prompt": (-6, 1), "usual": (-2, 9), "late": (5, 40), "very late": (30, 110)}
_MANNERS: Final = ("prompt", "prompt", "usual", "usual", "usual", "usual", "late", "late", "late", "very late")

# Of a thousand invoices, how many are paid in which way.
_WAYS: Final = {
    "in full": 628,
    "less a discount": 40,
    "returned": 12,
    "by mistake": 10,
    "in two parts": 80,
    "short": 40,
    "over": 40,
    "without naming it": 40,
    "with the next one": 40,
    "before it is issued": 4,
    "credited in part": 36,
    "never": 30,
}


@dataclass(frozen=True, slots=True)
class _Payer:
    customer: str
    currency: str
    manner: str
    bank_account: str


def generate(seed: int = SEED) -> list[Entry]:
    """Return the year's entries in the order of their days; a function of the seed alone."""
    return _Year(random.Random(seed)).entries()


class _Year:
    """Grows the entries; drafts carry no numbers yet, because numbers follow the days."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._payers = [self._payer(number) for number in range(1, CUSTOMERS + 1)]
        self._money: list[Receipt] = []
        self._memos: list[CreditMemo] = []
        self._waiting: dict[_Payer, Invoice] = {}
        self._unpaid: list[tuple[_Payer, Invoice]] = []
        self._others: list[Entry] = [LateCharges(_OPENS_ON, "9")]
        self._undone: list[tuple[Receipt, date, int | None]] = []
        self._anew: list[tuple[Receipt, date]] = []

    def entries(self) -> list[Entry]:
        """Grow the year and put it into order; to be called once."""
        names = [f"{first} {second}" for first in _FIRST for second in _SECOND]
        customers: list[Entry] = [
            Customer(payer.customer, _OPENS_ON, name, payer.bank_account) for payer, name in zip(self._payers, names, strict=True)
        ]
        invoices = [(payer, self._settle(payer, invoice)) for payer, invoice in self._invoices()]
        self._stray_money()
        self._void(invoices)
        self._write_off()
        self._fees(invoices)
        self._rents()
        self._rates()
        few = self._few()
        drafts: list[CreditMemo | Receipt] = [*self._memos, *self._money]
        said = sorted(drafts, key=lambda entry: (told_on(entry), isinstance(entry, Receipt)))
        said = [entry for entry in said if told_on(entry) <= _ENDS_ON]
        told = [_numbered(entry, f"{10001 + place}") for place, entry in enumerate(said)]
        self._undo({id(draft): entry for draft, entry in zip(said, told, strict=True) if isinstance(entry, Receipt)})
        others = [entry for entry in self._others if told_on(entry) <= _ENDS_ON]
        order = (
            Customer,
            LateCharges,
            Schedule,
            WriteOff,
            TakeOff,
            Refund,
            BillAnew,
            Rate,
            Invoice,
            DebitMemo,
            Void,
            CreditMemo,
            Receipt,
            Return,
        )
        return sorted(
            [*customers, *few.customers, *others, *(invoice for _, invoice in invoices), *few.invoices, *told],
            key=lambda entry: (told_on(entry), order.index(type(entry))),
        )

    def _payer(self, number: int) -> _Payer:
        currency = "EUR" if number % 10 in (3, 6, 9) else "USD"
        return _Payer(f"C-{number:03}", currency, self._chance.choice(_MANNERS), iban(number))

    def _invoices(self) -> list[tuple[_Payer, Invoice]]:
        """Working days only; the k-th customer is billed about 1/k as often as the first."""
        weights = [10_000 // rank for rank in range(1, CUSTOMERS + 1)]
        ranked = self._chance.sample(self._payers, CUSTOMERS)
        payers = ranked + self._chance.choices(ranked, weights, k=INVOICES - CUSTOMERS)
        self._chance.shuffle(payers)
        days = [day for n in range(1, 365) if (day := _OPENS_ON + timedelta(days=n)).weekday() < 5]
        issued = sorted(self._chance.choices(days, k=INVOICES))
        return [
            (payer, self._invoice(f"INV-{10001 + place}", payer, day))
            for place, (payer, day) in enumerate(zip(payers, issued, strict=True))
        ]

    def _invoice(self, number: str, payer: _Payer, issued_on: date) -> Invoice:
        due_on = issued_on + timedelta(days=self._chance.choice(_TERMS_DAYS))
        amount_minor = self._chance.randint(1_000, 9_999) * self._chance.choice((1, 10, 10, 10, 100)) + self._chance.randint(0, 99)
        return Invoice(number, payer.customer, payer.currency, issued_on, due_on, amount_minor)

    def _settle(self, payer: _Payer, invoice: Invoice) -> Invoice:
        """Have an invoice paid, or not; return it as it is issued then."""
        whole, pays_on = invoice.amount_minor, self._pays_on(payer, invoice)
        with_it = self._waiting.pop(payer, None)
        if with_it:  # One payment for two invoices, in the order they were issued.
            self._pay(payer, pays_on, with_it.amount_minor + whole, f"{with_it.document_no} {invoice.document_no}")
            return invoice
        match self._chance.choices(list(_WAYS), list(_WAYS.values()))[0]:
            case "in full":
                self._pay(payer, pays_on, whole, invoice.document_no)
            case "in two parts":
                part = whole * self._chance.randint(20, 80) // 100
                self._pay(payer, pays_on, part, invoice.document_no)
                self._pay(payer, pays_on + timedelta(days=self._chance.randint(7, 45)), whole - part, invoice.document_no)
            case "short":
                self._pay(payer, pays_on, whole - whole * self._chance.randint(1, 12) // 100, invoice.document_no)
            case "over":
                self._pay(payer, pays_on, whole + self._chance.randint(100, 30_000), f"Invoice {invoice.document_no}, thank you")
            case "without naming it":
                self._pay(payer, pays_on, whole, None)
            case "with the next one":
                self._waiting[payer] = invoice
            case "before it is issued":  # From an account nobody knows: the number alone can tell whose it is, once there is an invoice.
                early = max(_OPENS_ON, invoice.issued_on - timedelta(days=self._chance.randint(1, 6)))
                self._money.append(Receipt("", invoice.currency, early, whole, remittance=invoice.document_no))
            case "credited in part":
                self._credit(payer, invoice, pays_on)
            case "less a discount":
                invoice = replace(invoice, discount=(2, 10))
                self._pay_early(payer, invoice)
            case "returned":  # It bounces within a week, and is paid again a fortnight later.
                self._pay(payer, pays_on, whole, invoice.document_no)
                returned_on = pays_on + timedelta(days=self._chance.randint(1, 7))
                self._undone.append((self._money[-1], returned_on, self._chance.choice((0, 1_500, 3_500))))
                self._pay(payer, returned_on + timedelta(days=14), whole, invoice.document_no)
            case "by mistake" if whole <= REFUNDED_MAX_MINOR:  # Somebody sees it within a week, and it is paid back three days later.
                self._pay(payer, pays_on, whole, invoice.document_no)
                self._undone.append((self._money[-1], pays_on + timedelta(days=self._chance.randint(1, 7)), None))
                self._pay(payer, pays_on + timedelta(days=30), whole, invoice.document_no)
            case "never":
                self._unpaid.append((payer, invoice))
        return invoice

    def _pay_early(self, payer: _Payer, invoice: Invoice) -> None:
        """Pay less two percent in time or too late, or a part in time and the rest of the whole sum later."""
        whole, chance = invoice.amount_minor, self._chance
        less, in_time = whole - (whole * 2 + 50) // 100, invoice.issued_on + timedelta(days=chance.randint(0, 10))
        match chance.randint(1, 6):
            case 1:
                self._pay(payer, invoice.issued_on + timedelta(days=chance.randint(11, 40)), less, invoice.document_no)
            case 2:
                self._pay(payer, in_time, whole // 2, invoice.document_no)
                self._pay(payer, invoice.due_on, whole - whole // 2, invoice.document_no)
            case _:
                self._pay(payer, in_time, less, invoice.document_no)

    def _undo(self, numbered: Mapping[int, Receipt]) -> None:
        """
        Take money back that a bank has asked for, pay back what was not meant for us, bill anew; `numbered` are receipts by their drafts.
        """
        for place, (draft, day, fee_minor) in enumerate(self._undone):
            receipt = numbered.get(id(draft))
            if receipt is None:  # It is not paid before the year ends.
                continue
            if fee_minor is None:
                self._others += [TakeOff(receipt.bank_ref, day), Refund(receipt.bank_ref, day + timedelta(days=3))]
            else:
                self._others.append(Return(f"RT-{10001 + place}", receipt.bank_ref, receipt.currency, day, receipt.amount_minor, fee_minor))

        self._others += [BillAnew(numbered[id(draft)].bank_ref, day) for draft, day in self._anew if id(draft) in numbered]

    def _few(self) -> Cases:
        """Let the few do what others do not."""
        few = cases(YEAR, self._chance)
        self._money += few.receipts
        self._anew += few.anew
        return few

    def _rates(self) -> None:
        """What a euro is worth on the first day and on every Monday, a little up or down each time."""
        millionths = 1_080_000
        for day in (_OPENS_ON + timedelta(days=n) for n in range(365)):
            if day == _OPENS_ON or day.weekday() == 0:
                millionths += self._chance.randint(-9_000, 9_000)
                self._others.append(Rate("EUR", day, f"{millionths // 1_000_000}.{millionths % 1_000_000:06}"))

    def _credit(self, payer: _Payer, invoice: Invoice, pays_on: date) -> None:
        """A memo for a part, before the payment or after it; every third customer pays the whole sum anyway. Some memos are goodwill."""
        chance, whole = self._chance, invoice.amount_minor
        credit_minor = max(1, whole * chance.randint(5, 30) // 100)
        goodwill = chance.randint(1, 4) == 1
        credited_on = invoice.issued_on + timedelta(days=chance.randint(1, 50))
        self._memos.append(
            CreditMemo("", payer.customer, payer.currency, credited_on, credit_minor, None if goodwill else invoice.document_no)
        )
        pays_all = goodwill or chance.randint(1, 3) == 1
        self._pay(payer, pays_on, whole if pays_all else whole - credit_minor, invoice.document_no)

    def _pays_on(self, payer: _Payer, invoice: Invoice) -> date:
        """Money moves on working days, and never before the invoice is out."""
        day = max(invoice.issued_on, invoice.due_on + timedelta(days=self._chance.randint(*_LATE_DAYS[payer.manner])))
        return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)

    def _pay(self, payer: _Payer, value_on: date, amount_minor: int, remittance: str | None) -> None:
        told = remittance is None or self._chance.randint(1, 10) > 1  # Some banks leave the payer's account out.
        self._money.append(Receipt("", payer.currency, value_on, amount_minor, remittance, payer.bank_account if told else None))

    def _stray_money(self) -> None:
        """Three receipts of a payer nobody knows, and one whose customer number the bank passes on."""
        for month in (3, 7, 11):
            amount_minor = self._chance.randint(10_000, 90_000)
            self._money.append(Receipt("", "USD", date(YEAR, month, 12), amount_minor, "Donation", iban(9_000 + month)))
        payer = self._payers[0]
        self._money.append(Receipt("", payer.currency, date(YEAR, 12, 22), 2_500_000, None, None, payer.customer))

    def _void(self, invoices: Sequence[tuple[_Payer, Invoice]]) -> None:
        """Some unpaid invoices are void within a week, and some of any sort, paid, about to be paid, or credited."""
        wrong = [self._unpaid.pop() for _ in range(VOIDED_UNPAID)] + self._chance.sample(invoices, VOIDED_ANYHOW)
        for payer, invoice in wrong:
            voided_on = invoice.issued_on + timedelta(days=self._chance.randint(1, 7))
            self._others.append(Void(invoice.document_no, payer.customer, voided_on))

    def _write_off(self) -> None:
        """What nobody pays is given up 80 days after it was due, large debts apart; of every third one half comes in all the same."""
        small = [one for one in self._unpaid if one[1].amount_minor <= WRITTEN_OFF_MAX_MINOR]
        for place, (payer, invoice) in enumerate(small):
            decided_on = invoice.due_on + timedelta(days=80)
            self._others.append(WriteOff(invoice.document_no, decided_on))
            if place % 3 == 0:
                self._pay(payer, decided_on + timedelta(days=self._chance.randint(10, 30)), invoice.amount_minor // 2, invoice.document_no)

    def _fees(self, invoices: Sequence[tuple[_Payer, Invoice]]) -> None:
        """A fee for a late payment, half of them paid."""
        for place, (payer, invoice) in enumerate(self._chance.sample(invoices, FEES)):
            issued_on = invoice.due_on + timedelta(days=self._chance.randint(10, 20))
            number = f"DM-{10001 + place}"
            due_on = issued_on + timedelta(days=14)
            self._others.append(DebitMemo(number, payer.customer, payer.currency, issued_on, due_on, 3_500, invoice.document_no))
            if place % 2 == 0:
                self._pay(payer, due_on, 3_500, number)

    def _rents(self) -> None:
        """Three customers are billed every month by schedule, at its end, in its middle, at its beginning; two of them pay."""
        for place, starts_on in enumerate((date(YEAR, 1, 31), date(YEAR, 2, 15), date(YEAR, 6, 1))):
            payer = self._payers[10 * place + 1]
            schedule = Schedule(f"RENT-{place + 1}", payer.customer, payer.currency, starts_on, 14, 125_000)
            self._others.append(schedule)
            days = [_OPENS_ON + timedelta(days=n) for n in range((_ENDS_ON - _OPENS_ON).days + 1)]
            for invoice in (one for day in days for one in billed_on([schedule], day)):
                if place < 2:
                    pays_on = invoice.due_on + timedelta(days=self._chance.randint(-3, 5))
                    self._pay(payer, pays_on, invoice.amount_minor, invoice.document_no)


def _numbered(entry: CreditMemo | Receipt, number: str) -> CreditMemo | Receipt:
    match entry:
        case CreditMemo(_, customer, currency, issued_on, minor, ref_document_no):
            return CreditMemo(f"CM-{number}", customer, currency, issued_on, minor, ref_document_no)
        case Receipt():
            return replace(entry, bank_ref=f"BK-{number}")


def main(
    seed: Annotated[int, typer.Option(help="Another seed makes another company.")] = SEED,
    out: Annotated[Path, typer.Option(help="Where the CSV goes.")] = SHIPPED_LEDGER,
) -> None:
    """Write the generated ledger."""
    out.write_text(to_csv(generate(seed)), encoding="utf-8")
    print(f"{out} written with seed {seed}")


if __name__ == "__main__":
    typer.run(main)
