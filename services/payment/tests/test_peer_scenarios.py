"""
Figures of peers' test suites about applying cash, through our public surface: facts that come, HTTP, and what is told and read back.

The ids are those of the list of scenarios that the figures were restated from; the figures are written out here. Where peers disagree,
what we do is a policy with a stated default, and the test names it. Dates are moved to where the books are open.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from events import bank, invoice
from events.payment import AdjustmentPosted, DiscountGranted, EntryRejected, FxRealised
from launcher.folders import checkout
from testkit.service import FIRST_DAY, ServiceUnderTest

pytestmark = pytest.mark.db

LIST: Final = checkout().parent / "shared" / "data" / "scenarios.json"
OURS: Final = ("AL", "DI", "FX", "RO")
"""Their ids begin so: what is applied to what, discounts, exchange, rounding."""
SECOND_DAY: Final = date(2026, 1, 6)
DUE_ON: Final = date(2026, 2, 5)
ACCOUNT: Final = "C-1"


async def under(sut: ServiceUnderTest, **policies: dict[str, Any]) -> None:
    """Have policies approved; the next day opens, and they are in force."""
    for kind, body in policies.items():
        proposal = {"entity": "US01", "kind": kind, "valid_from": "2026-01-05", "body": body}
        proposed = await sut.post("/v1/policies", proposal, key=f"propose {kind}", roles=["policy_maker"], sub="maker")
        assert proposed.status_code == 201, proposed.text
        path = f"/v1/policies/{proposed.json()['policy']}/approve"
        assert (await sut.post(path, {}, key=f"approve {kind}", roles=["policy_checker"], sub="checker")).status_code == 200
    await sut.turn("US01", SECOND_DAY)


def an_invoice(number: str, total: str, *, currency: str = "USD", due_on: date = DUE_ON, **more: Any) -> invoice.InvoiceIssued:
    """An invoice of before the books opened."""
    fields = {"issued_on": date(2025, 12, 20), "type": "380", "customer": ACCOUNT, "account": ACCOUNT, **more}
    due = [invoice.Instalment(n=1, due_on=due_on, amount=total)]
    told = {"entity": "US01", "invoice": f"US01|{number}", "document_no": number, "currency": currency, "total": total}
    return invoice.InvoiceIssued(instalments=due, **told, **fields)


def a_memo(number: str, total: str, against: str | None = None, currency: str = "USD") -> invoice.CreditMemoIssued:
    fields = {"type": "381", "customer": ACCOUNT, "account": ACCOUNT, "currency": currency, "issued_on": FIRST_DAY, "total": total}
    ref = f"US01|{against}" if against else None
    return invoice.CreditMemoIssued(entity="US01", memo=f"US01|{number}", document_no=number, ref_invoice=ref, **fields)


def discount(amount: str, tax: str = "0.00", *, until_on: date = date(2026, 1, 10), late: bool = False) -> invoice.DiscountTerms:
    """Ten per cent or so up to a day, tax included; `late`: also after it."""
    tier = invoice.DiscountTier(percent="10", until_on=until_on, amount=amount, tax=tax)
    return invoice.DiscountTerms(tiers=[tier], grace_days=0, tax_choice="included", base="gross", partial="prorate", unearned_allowed=late)


def worth(rate: str, total: str) -> invoice.Valuation:
    """What a document is worth in the entity's currency."""
    return invoice.Valuation(currency="USD", rate=rate, rate_on=date(2025, 12, 20), type="spot", total=total)


def paid(ref: str, amount: str, *names: str, currency: str = "USD", rate: str | None = None, on: date = SECOND_DAY) -> bank.EntryBooked:
    """Money of the account that names documents, or none."""
    fields = {"entity": "US01", "account_ref": "OUR-1", "customer": ACCOUNT, "value_on": on, "rate": rate}
    return bank.EntryBooked(bank_ref=ref, amount=amount, currency=currency, remittance=" ".join(names) or None, **fields)


async def opened(sut: ServiceUnderTest) -> dict[str, str]:
    """What the account has open, by document."""
    answer = await sut.get(f"/v1/accounts/{ACCOUNT}/open-items", entity="US01")
    assert answer.status_code == 200, answer.text
    return {one["invoice"].removeprefix("US01|"): one["open"] for one in answer.json()["items"]}


async def balance(sut: ServiceUnderTest) -> str:
    """What the account owes, net of what it has with us."""
    (total,) = (await sut.get(f"/v1/accounts/{ACCOUNT}/open-items", entity="US01")).json()["totals"]
    found: str = total["balance"]
    return found


async def receipt(sut: ServiceUnderTest, ref: str) -> dict[str, Any]:
    answer = await sut.get(f"/v1/receipts/{ref}", entity="US01")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return {**found, "on": {one["item"].split("|")[1]: one["amount"] for one in found["applications"]}}


# --- discount ---


@pytest.mark.parametrize(
    ("gross", "cash", "amount", "tax"),
    [
        pytest.param("236.00", "212.40", "23.60", "3.60", id="DI-01"),
        pytest.param("1725.00", "1552.50", "172.50", "22.50", id="DI-05"),
    ],
)
async def test_di_01_di_05_cash_less_discount_settles_and_the_discount_has_its_tax(
    payment: ServiceUnderTest, gross: str, cash: str, amount: str, tax: str
) -> None:
    """DI-01, DI-05, INV-04: which part of it is tax is the choice of the invoice's terms, `discount_tax`, included where nobody says."""
    await payment.receive(an_invoice("I1", gross, discount=discount(amount, tax)), paid("P1", cash, "I1"))

    (granted,) = payment.published(DiscountGranted)
    assert (granted.amount, granted.tax, granted.kind) == (amount, tax, "earned")
    assert await opened(payment) == {}


async def test_di_03_a_discount_on_a_foreign_invoice_gains_nothing(payment: ServiceUnderTest) -> None:
    """DI-03, PAY-13: 90.00 at 50 and 10.00 of discount take 5 000.00 off; at the same rate nothing is gained or lost."""
    foreign: dict[str, Any] = {"currency": "EUR", "valuation": worth("50", "5000.00"), "discount": discount("10.00")}
    await payment.receive(an_invoice("I1", "100.00", **foreign), paid("P1", "90.00", "I1", currency="EUR", rate="50"))

    facts = payment.published()
    assert [one.amount for one in facts if isinstance(one, DiscountGranted)] == ["10.00"]
    assert [one for one in facts if isinstance(one, FxRealised)] == []
    assert await opened(payment) == {}


async def test_di_08_the_last_day_of_a_discount_is_in_time_and_the_next_is_not(payment: ServiceUnderTest) -> None:
    """DI-08, INV-04: judged by the value date."""
    last = date(2025, 12, 30)
    invoices = [an_invoice(number, "100.00", discount=discount("10.00", until_on=last)) for number in ("I1", "I2")]
    await payment.receive(*invoices, paid("P1", "90.00", "I1", on=last), paid("P2", "90.00", "I2", on=date(2025, 12, 31)))

    assert await opened(payment) == {"I2": "10.00"}


async def test_di_09_one_receipt_for_two_invoices_has_both_discounts(payment: ServiceUnderTest) -> None:
    """DI-09, INV-04: 2 700.00 clear 3 000.00."""
    invoices = [
        an_invoice(number, total, currency="EUR", discount=discount(amount))
        for number, total, amount in (("I1", "1000.00", "100.00"), ("I2", "2000.00", "200.00"))
    ]
    await payment.receive(*invoices, paid("P1", "2700.00", "I1", "I2", currency="EUR"))

    assert sorted(one.amount for one in payment.published(DiscountGranted)) == ["100.00", "200.00"]
    assert (await receipt(payment, "P1"))["on"] == {"I1": "900.00", "I2": "1800.00"}
    assert await opened(payment) == {}


# --- what is applied to what ---


async def test_al_01_a_cascade_of_rules_ends_with_the_oldest_first(payment: ServiceUnderTest) -> None:
    """AL-01, PAY-05: the peer's rule set is a policy of kind `cash_application`; where an entity has none only the last rule is tried."""
    rules = ["exact_item", "clear_account", "oldest_first"]
    await under(payment, cash_application={"rules": rules, "discounts": "earned", "auto_apply": "never"})
    late = discount("4.00", until_on=date(2025, 12, 28))
    invoices = [
        an_invoice(number, total, due_on=date(2026, 1, day), discount=late)
        for number, total, day in (("123", "200.00", 7), ("124", "300.00", 4), ("125", "150.00", 9))
    ]
    await payment.receive(*invoices, paid("P1", "600.00"))

    found = await receipt(payment, "P1")
    assert found["on"] == {"124": "300.00", "123": "200.00", "125": "100.00"}
    assert ({one["rule"] for one in found["applications"]}, found["allowances"], found["unapplied"]) == ({"oldest_first"}, [], "0.00")
    assert await opened(payment) == {"125": "50.00"}


async def test_al_03_part_of_a_credit_is_used(payment: ServiceUnderTest) -> None:
    """AL-03, PAY-07: by hand, as `auto_apply` is `never`; where nobody says it is `oldest`, and all of the credit would be used."""
    await under(payment, cash_application={"auto_apply": "never"})
    await payment.receive(an_invoice("I1", "100.00"), a_memo("C1", "100.00"))
    body = {"entity": "US01", "item": "US01|I1|1", "amount": "80.00", "reason": "AGREED"}
    assert (await payment.post("/v1/memos/C1/applications", body, key="apply")).status_code == 201

    assert await opened(payment) == {"I1": "20.00"}
    assert (await payment.get("/v1/memos/C1", entity="US01")).json()["open"] == "20.00"


async def test_al_05_what_was_paid_too_much_is_kept_and_can_be_paid_back(payment: ServiceUnderTest) -> None:
    """AL-05, PAY-08: a peer writes an excess off at will; we keep it on-account, and two people may refund it."""
    await payment.receive(an_invoice("I1", "100.00"), paid("P1", "110.00", "I1", on=FIRST_DAY))
    assert (await opened(payment), await balance(payment)) == ({}, "-10.00")

    asked = await payment.post("/v1/refunds", {"entity": "US01", "receipt": "P1", "reason": "OVERPAID"}, key="ask", sub="maker")
    assert asked.status_code == 201, asked.text
    path = f"/v1/refunds/{asked.json()['refund']}/approve"
    assert (await payment.post(path, {}, key="approve", roles=["approver"], sub="checker")).status_code == 200

    assert (await balance(payment), (await receipt(payment, "P1"))["refunded"]) == ("0.00", "10.00")


@pytest.mark.parametrize(("names", "left"), [((), "unapplied"), (("I1", "I2"), "on_account")])
async def test_al_07_what_two_invoices_leave_of_a_receipt_is_kept(payment: ServiceUnderTest, names: tuple[str, ...], left: str) -> None:
    """AL-07, PAY-08: 2.10 of 14.00. Behind documents it names money is on-account; what names nothing is unapplied, by policy `rest`."""
    await payment.receive(*(an_invoice(number, "5.95") for number in ("I1", "I2")), paid("P1", "14.00", *names))

    found = await receipt(payment, "P1")
    assert (found["on"], found[left]) == ({"I1": "5.95", "I2": "5.95"}, "2.10")


async def test_al_09_a_shortage_is_let_go_with_its_share_of_the_tax(payment: ServiceUnderTest) -> None:
    """AL-09, PAY-09: 2.90 of 5.95 have 0.46 of tax. There a person decides; here the policy `tolerances`, none unless said."""
    await under(payment, tolerances={"fixed": {"EUR": "3.00"}})
    await payment.receive(an_invoice("I2", "5.95", currency="EUR", tax="0.95"), paid("P1", "3.05", "I2", currency="EUR"))

    (posted,) = payment.published(AdjustmentPosted)
    assert (posted.kind, posted.amount, posted.tax) == ("tolerance", "2.90", "0.46")
    assert await opened(payment) == {}


async def test_al_12_money_that_goes_out_settles_nothing(payment: ServiceUnderTest) -> None:
    """AL-12, PAY-01: it is refused where it comes in."""
    await payment.receive(an_invoice("I1", "5.95"), paid("P1", "-5.95", "I1"))

    (rejected,) = payment.published(EntryRejected)
    assert [one.field for one in rejected.reasons] == ["amount"]
    assert await opened(payment) == {"I1": "5.95"}


async def test_al_14_what_is_paid_in_part_is_listed_with_the_rest_and_what_is_paid_is_not(payment: ServiceUnderTest) -> None:
    """AL-14, RPT-01"""
    await payment.receive(an_invoice("I1", "100.00"), an_invoice("I2", "100.00"), paid("P1", "40.00", "I1"), paid("P2", "100.00", "I2"))

    assert await opened(payment) == {"I1": "60.00"}


# --- fx ---


async def gained(sut: ServiceUnderTest, *facts: Any) -> list[tuple[str, str]]:
    """What receipts gained and lost, in the entity's currency."""
    await sut.receive(*facts)
    return [(one.gain, one.loss) for one in sut.published(FxRealised)]


async def test_fx_01_a_part_at_a_lower_rate_loses(payment: ServiceUnderTest) -> None:
    """FX-01, PAY-13: 20.00 at 45 instead of 50 lose 100.00; 80.00 stay open."""
    item = an_invoice("I1", "100.00", currency="EUR", valuation=worth("50", "5000.00"))
    assert await gained(payment, item, paid("P1", "20.00", "I1", currency="EUR", rate="45")) == [("0.00", "100.00")]
    assert await opened(payment) == {"I1": "80.00"}


@pytest.mark.parametrize(("amount", "left"), [("100.00", "0.00"), ("200.00", "100.00")])
async def test_fx_03_what_is_applied_at_a_lower_rate_loses_and_the_rest_does_not(payment: ServiceUnderTest, amount: str, left: str) -> None:
    """FX-03, PAY-13: 100.00 at 80 instead of 85."""
    item = an_invoice("I1", "100.00", currency="EUR", valuation=worth("85", "8500.00"))
    assert await gained(payment, item, paid("P1", amount, "I1", currency="EUR", rate="80")) == [("0.00", "500.00")]
    assert (await receipt(payment, "P1"))["on_account"] == left


async def test_fx_06_a_part_of_a_credit_item_takes_its_part_of_the_value(payment: ServiceUnderTest) -> None:
    """FX-06, PAY-13: 240.00 worth 80.00 settle 120.00 worth 60.00: 40.00 less 60.00; 120.00 are left."""
    item = an_invoice("I1", "120.00", currency="EUR", valuation=worth("0.5", "60.00"))
    assert await gained(payment, item, paid("P1", "240.00", "I1", currency="EUR", rate="0.3333333333")) == [("0.00", "20.00")]
    assert (await receipt(payment, "P1"))["on_account"] == "120.00"


async def test_fx_09_at_one_rate_nothing_is_gained(payment: ServiceUnderTest) -> None:
    """FX-09, PAY-13: 0.5 euros for a dollar are 2 dollars for a euro."""
    item = an_invoice("I1", "400.00", currency="EUR", valuation=worth("2", "800.00"))
    assert await gained(payment, item, paid("P1", "400.00", "I1", currency="EUR", rate="2")) == []
    assert await opened(payment) == {}


async def test_fx_10_there_is_no_residue_to_be_cleared_by_a_revaluation(payment: ServiceUnderTest) -> None:
    """FX-10, PAY-13: a peer clears 500.00 later; here the application gains them at once."""
    item = an_invoice("I1", "100.00", currency="EUR", valuation=worth("80", "8000.00"))
    assert await gained(payment, item, paid("P1", "100.00", "I1", currency="EUR", rate="85")) == [("500.00", "0.00")]
    assert await opened(payment) == {}


# --- rounding ---


@pytest.mark.parametrize(
    ("total", "memos", "left"),
    [
        pytest.param("250.00", ["241.66"], {"I1": "8.34"}, id="RO-01"),
        pytest.param("922.80", ["872.23", "50.57"], {}, id="RO-04"),
    ],
)
async def test_ro_01_ro_04_credits_reduce_an_invoice_by_what_they_say_to_the_cent(
    payment: ServiceUnderTest, total: str, memos: list[str], left: dict[str, str]
) -> None:
    """RO-01, RO-04, INV-06: their totals are made where documents are; the ledger moves no cent of its own."""
    credits = [a_memo(f"C{n}", amount, "I1", "EUR") for n, amount in enumerate(memos)]
    await payment.receive(an_invoice("I1", total, currency="EUR"), *credits)

    assert await opened(payment) == left


@pytest.mark.skipif(not LIST.exists(), reason=f"needs the list of scenarios, {LIST.name}, beside the checkout")
def test_every_scenario_of_these_topics_is_here() -> None:
    listed = {one["id"] for one in json.loads(LIST.read_text(encoding="utf-8"))["scenarios"] if one["id"].startswith(OURS)}
    here = Path(__file__).read_text(encoding="utf-8")

    assert [one for one in sorted(listed) if f"_{one.lower().replace('-', '_')}_" not in here] == []
