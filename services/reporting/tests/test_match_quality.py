"""What was found about payments and how well they were matched, from facts delivered through the chassis."""

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from events import invoice, payment
from events.fact import Event
from reporting.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test, two_entities

pytestmark = pytest.mark.db

OPENS_ON = date(2026, 3, 1)
ONE_DAY = timedelta(days=1)


@pytest.fixture
async def reporting(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("reporting"), entities=two_entities(opens_on=OPENS_ON)) as sut:
        yield sut


def billed(number: str, total: str, due_on: date) -> Event:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=due_on,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=due_on, amount=total)],
    )


def received(receipt: str, amount: str, value_on: date, account: str | None = "C-1") -> Event:
    return payment.PaymentReceived(
        entity="US01",
        receipt=f"US01|{receipt}",
        method="bank",
        amount=amount,
        currency="USD",
        value_on=value_on,
        bank_ref=receipt,
        account=account,
    )


def _of_item(number: str, amount: str, due_on: date) -> dict[str, Any]:
    of = {"entity": "US01", "customer": "C-1", "account": "C-1", "currency": "USD", "due_on": due_on, "amount": amount}
    return {**of, "item": f"US01|{number}|1", "invoice": f"US01|{number}"}


def applied(receipt: str, number: str, amount: str, due_on: date, rule: str = "reference") -> Event:
    name = f"{receipt}|{number}|{rule}"
    return payment.PaymentApplied(application=name, receipt=f"US01|{receipt}", rule=rule, **_of_item(number, amount, due_on))


def taken_back(receipt: str, number: str, amount: str, due_on: date, rule: str = "reference", reason: str = "returned") -> Event:
    return payment.ApplicationReversed(
        application=f"{receipt}|{number}|{rule}",
        receipt=f"US01|{receipt}",
        rule=rule,
        reason=reason,
        **_of_item(number, amount, due_on),
    )


def reversed_(receipt: str, amount: str, value_on: date) -> Event:
    return payment.PaymentReversed(
        entity="US01", receipt=f"US01|{receipt}", currency="USD", amount=amount, kind="return", value_on=value_on, account="C-1"
    )


async def read(reporting: ServiceUnderTest, path: str, **asked: Any) -> Any:
    answer = await reporting.get(path, entity="US01", **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def findings(reporting: ServiceUnderTest) -> None:
    """Two short payments and a discount taken too late, of one of which the item is settled later; and an overpayment."""
    due_on = date(2026, 3, 31)
    await reporting.receive(*(billed(f"INV-{n}", "100.00", due_on) for n in (1, 2, 3)), day=OPENS_ON)
    await reporting.receive(applied("B-2", "INV-2", "100.00", due_on), day=OPENS_ON)
    short = [
        payment.ShortPaymentDetected(receipt=f"US01|B-{n}", deduction_code=code, **_of_item(f"INV-{n}", "26.53", due_on))
        for n, code in ((1, "DAMAGE"), (2, None))
    ]
    late = payment.UnearnedDiscountTaken(receipt="US01|B-3", until_on=date(2026, 3, 11), **_of_item("INV-3", "24.00", due_on))
    over = payment.OverpaymentDetected(
        entity="US01", receipt="US01|B-4", account="C-1", currency="USD", amount="150.00", references=["INV-4"]
    )
    await reporting.receive(late, *short, day=date(2026, 3, 6), effective_on=date(2026, 3, 5))
    await reporting.receive(over, day=date(2026, 3, 5), effective_on=date(2026, 3, 4))


async def test_findings_are_a_worklist_by_day(reporting: ServiceUnderTest) -> None:
    """PAY-08, PAY-09: each as of the day that closed, with what is open of the item by now."""
    await findings(reporting)

    found = (await read(reporting, "/v1/payment-findings"))["findings"]

    assert [(one["found_on"], one["kind"], one["item"], one["amount"], one["open"]) for one in found] == [
        ("2026-03-04", "overpayment", None, "150.00", None),
        ("2026-03-05", "short_payment", "US01|INV-1|1", "26.53", "100.00"),
        ("2026-03-05", "short_payment", "US01|INV-2|1", "26.53", "0.00"),
        ("2026-03-05", "unearned_discount", "US01|INV-3|1", "24.00", "100.00"),
    ]
    assert [one["deduction_code"] for one in found] == [None, "DAMAGE", None, None]
    assert (found[0]["references"], found[3]["until_on"]) == (["INV-4"], "2026-03-11")


async def test_findings_can_be_narrowed_and_come_in_pages(reporting: ServiceUnderTest) -> None:
    await findings(reporting)

    first = await read(reporting, "/v1/payment-findings", limit=3)
    second = await read(reporting, "/v1/payment-findings", limit=3, cursor=first["next_cursor"])
    short = await read(reporting, "/v1/payment-findings", kind="short_payment", only_open=True)
    nobody = await read(reporting, "/v1/payment-findings", customer="C-2")

    assert (len(first["findings"]), len(second["findings"]), second["next_cursor"]) == (3, 1, None)
    assert [one["item"] for one in short["findings"]] == ["US01|INV-1|1"]
    assert nobody["findings"] == []


def suggested(name: str) -> Event:
    return payment.MatchSuggested(
        entity="US01",
        suggestion=name,
        receipt="US01|B-9",
        currency="USD",
        amount="10.00",
        score="0.91",
        rule="exact_cover",
        candidates=[],
        account="C-1",
    )


def taken(name: str) -> Event:
    return payment.SuggestionAccepted(
        entity="US01", suggestion=name, receipt="US01|B-9", account="C-1", accepted_by="clerk-1", items=["US01|INV-1|1"]
    )


async def quality(reporting: ServiceUnderTest, **asked: Any) -> dict[str, Any]:
    body = await read(reporting, "/v1/match-quality", **{"from": "2026-03-02", "until": "2026-03-31", **asked})
    (row,) = body["rows"]
    found: dict[str, Any] = row
    return found


async def test_match_quality_is_counted_from_facts(reporting: ServiceUnderTest) -> None:
    """PAY-17: of three receipts of 1,000.00 one is touchless, one half applied by a person, one returned; 200.00 wait since 03-02."""
    due_on, day, later = date(2026, 3, 31), date(2026, 3, 2), date(2026, 3, 6)
    await reporting.receive(received("B-0", "77.00", OPENS_ON, account=None), day=OPENS_ON)  # Before the days asked about.
    await reporting.receive(
        received("B-1", "600.00", day),
        applied("B-1", "INV-1", "600.00", due_on, rule="oldest_first"),
        received("B-2", "400.00", day),
        received("B-3", "500.00", day),
        applied("B-3", "INV-3", "500.00", due_on),
        day=day,
    )
    await reporting.receive(
        applied("B-2", "INV-2", "300.00", due_on, rule="person"),
        taken_back("B-2", "INV-2", "100.00", due_on, rule="person", reason="person"),
        taken_back("B-3", "INV-3", "500.00", due_on),
        reversed_("B-3", "500.00", later),
        suggested("S-1"),
        suggested("S-2"),
        taken("S-1"),
        day=later,
    )

    before, after = await quality(reporting, as_of=later - ONE_DAY), await quality(reporting, as_of=later)

    assert (after["receipts"], after["received"], after["automatic_receipts"]) == (2, "1000.00", 1)
    assert (after["applied_automatically"], after["applied_by_person"]) == ("600.00", "200.00")
    assert (after["auto_applied_percent"], after["touchless_amount_percent"]) == ("50.0", "60.0")
    assert (after["suggestions"], after["accepted"], after["rejected"], after["suggested_accepted_percent"]) == (2, 1, 0, "50.0")
    assert (after["unapplied"], after["unapplied_age_days"]) == ("277.00", "4.3")  # (200 x 4 + 77 x 5) / 277
    assert after["not_defined"] == {}
    assert (before["receipts"], before["auto_applied_percent"], before["touchless_amount_percent"]) == (3, "66.7", "73.3")
    assert (before["suggested_accepted_percent"], before["unapplied"]) == (None, "477.00")
    assert before["not_defined"]["suggested_accepted_percent"].startswith("not defined")


async def test_a_figure_without_a_denominator_is_not_defined(reporting: ServiceUnderTest) -> None:
    """PAY-17: neither 0 % nor 100 %."""
    await reporting.receive(received("B-0", "77.00", OPENS_ON), applied("B-0", "INV-1", "77.00", OPENS_ON), day=OPENS_ON)
    await reporting.receive(suggested("S-1"), day=date(2026, 3, 2))

    row = await quality(reporting, as_of="2026-03-31")

    assert (row["auto_applied_percent"], row["touchless_amount_percent"], row["unapplied_age_days"]) == (None, None, None)
    assert (set(row["not_defined"]), row["suggested_accepted_percent"]) == (
        {"auto_applied_percent", "touchless_amount_percent", "unapplied_age_days"},
        "0.0",
    )
    body = await read(reporting, "/v1/match-quality", **{"from": "2026-03-02", "until": "2026-03-31"})
    assert set(body["definitions"]) == set(row) - {"currency", "not_defined"}
    assert (body["as_of"], body["complete_up_to"]) == ("2026-02-28", "2026-02-28")


async def test_an_application_that_was_reordered_counts_as_never_having_been(reporting: ServiceUnderTest) -> None:
    """PAY-17, A14: the order in which a day's facts came is no quality of matching."""
    due_on = date(2026, 3, 31)
    await reporting.receive(
        received("B-1", "600.00", OPENS_ON),
        applied("B-1", "INV-1", "600.00", due_on, rule="oldest_first"),
        taken_back("B-1", "INV-1", "600.00", due_on, rule="oldest_first", reason="reordered"),
        applied("B-1", "INV-2", "600.00", due_on),
        day=OPENS_ON,
    )
    row = await quality(reporting, **{"from": "2026-03-01", "as_of": "2026-03-01"})
    assert (row["applied_automatically"], row["auto_applied_percent"], row["unapplied"]) == ("600.00", "100.0", "0.00")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/match-quality?entity=US01", 422),
        ("/v1/match-quality?entity=US01&from=2026-03-02&until=2026-03-01", 422),
        ("/v1/match-quality?entity=XX99&from=2026-03-01&until=2026-03-01", 404),
        ("/v1/payment-findings?entity=XX99", 404),
        ("/v1/payment-findings?entity=US01&kind=moon", 422),
        ("/v1/payment-findings?entity=US01&cursor=%00", 400),
        ("/v1/exchange-differences?entity=US01&from=2026-03-02&until=2026-03-01", 422),
        ("/v1/exchange-differences?entity=US01&from=2026-03-01&until=2026-03-01&cursor=moon", 400),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(path: str, status: int, reporting: ServiceUnderTest) -> None:
    answer = await reporting.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
