"""
Figures of peers' test suites through our public surface: what is posted over HTTP, and what is read back.

The ids are those of the list of scenarios that the figures were restated from; the figures are written out here. Where peers disagree,
what we do is a policy with a stated default, and the test names it.
"""

import json
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from invoice.app import SERVICE
from launcher.folders import checkout
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

LIST: Final = checkout().parent / "shared" / "data" / "scenarios.json"
TOPICS: Final = ("terms", "discount", "interest", "rounding")
FIRST_OPEN_DAYS: Final = (date(2026, 1, 6), date(2026, 1, 7))
CODES: Final = {
    "LAST-OF-MONTH": {"due": {"end_of_month": 0}},
    "MONTH-END+45": {"due": {"end_of_month": 0, "plus_days": 45}},
    "END-OF-NEXT-MONTH": {"due": {"end_of_month": 1}},
    "10/10 EXCLUDED": {"due": {"net_days": 30}, "discounts": [{"percent": "10", "days": 10}], "discount_tax": "excluded"},
}


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


async def under(sut: ServiceUnderTest, kind: str, body: dict[str, Any], valid_from: str = "2000-01-01") -> None:
    """Have a policy approved; the next day opens, and it is in force."""
    proposal = {"entity": "US01", "kind": kind, "valid_from": valid_from, "body": body}
    proposed = await sut.post("/v1/policies", proposal, key=f"propose {kind}", roles=["policy_maker"], sub="maker")
    assert proposed.status_code == 201, proposed.text
    path = f"/v1/policies/{proposed.json()['policy']}/approve"
    assert (await sut.post(path, {}, key=f"approve {kind}", roles=["policy_checker"], sub="checker")).status_code == 200
    await sut.turn("US01", FIRST_OPEN_DAYS[0])


async def issued(sut: ServiceUnderTest, document_no: str, total: str, issued_on: str, **more: Any) -> dict[str, Any]:
    """Post an invoice and read it."""
    body = {"entity": "US01", "document_no": document_no, "customer": "C-1", "currency": "USD", "issued_on": issued_on, "total": total}
    answer = await sut.post("/v1/invoices", {**body, **more}, key=document_no)
    assert answer.status_code == 201, answer.text
    return await shown(sut, f"/v1/invoices/{document_no}")


async def credited(sut: ServiceUnderTest, document_no: str, against: str, currency: str, **amount: str) -> tuple[str | None, str]:
    """Post a credit memo against an invoice and read its tax and total."""
    body = {"entity": "US01", "document_no": document_no, "customer": "C-1", "currency": currency, "issued_on": "2026-01-06"}
    answer = await sut.post("/v1/credit-memos", {**body, "ref_document_no": against, **amount}, key=document_no)
    assert answer.status_code == 201, answer.text
    memo = await shown(sut, f"/v1/credit-memos/{document_no}")
    return memo["tax"], memo["total"]


async def shown(sut: ServiceUnderTest, path: str, **query: str) -> dict[str, Any]:
    answer = await sut.get(path, entity="US01", **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def due_dates(sut: ServiceUnderTest, terms: str | None, *issued_on: str) -> list[str]:
    """When invoices of these days are due under terms."""
    given = {} if terms is None else {"terms": terms}
    dues = []
    for day in issued_on:
        read = await issued(sut, f"{terms}-{day}".replace(" ", ""), "100.00", day, **given)
        dues += [part["due_on"] for part in read["instalments"]]
    return dues


@pytest.mark.parametrize(
    ("codes", "due_on"),
    [
        (("IMMEDIATE",), ["2019-01-01", "2019-01-15", "2019-01-31"]),
        (("EOM+45", "MONTH-END+45"), ["2019-03-17", "2019-03-17", "2019-03-17"]),
        (("EOM", "LAST-OF-MONTH"), ["2019-01-31", "2019-01-31", "2019-01-31"]),
    ],
)
async def test_te_01_terms_about_the_end_of_a_month(invoice: ServiceUnderTest, codes: tuple[str, ...], due_on: list[str]) -> None:
    """TE-01, INV-03: by a code of the grammar, and by one that a policy of the entity defines."""
    await under(invoice, "terms", {"codes": CODES})

    for code in codes:
        assert await due_dates(invoice, code, "2019-01-01", "2019-01-15", "2019-01-31") == due_on


@pytest.mark.parametrize(
    ("terms", "due_on"),
    [
        ("EONM", ["2016-02-29", "2017-02-28"]),
        ("END-OF-NEXT-MONTH", ["2016-02-29", "2017-02-28"]),
        ("NET30", ["2016-02-21", "2017-02-21"]),
    ],
)
async def test_te_03_the_end_of_the_next_month_knows_leap_years(invoice: ServiceUnderTest, terms: str, due_on: list[str]) -> None:
    """TE-03, INV-03"""
    await under(invoice, "terms", {"codes": CODES})

    assert await due_dates(invoice, terms, "2016-01-22", "2017-01-22") == due_on


async def test_te_03_what_no_terms_mean_is_the_policy_documents_default_terms(invoice: ServiceUnderTest) -> None:
    """TE-03, XC-07: a peer has such an invoice due at once. Our default refuses it; `default_terms` IMMEDIATE is the peer's choice."""
    body = {"entity": "US01", "document_no": "I-1", "customer": "C-1", "currency": "USD", "issued_on": "2016-01-22", "total": "100.00"}
    refused = await invoice.post("/v1/invoices", body, key="without")
    assert (refused.status_code, [reason["code"] for reason in refused.json()["reasons"]]) == (422, ["TERMS_MISSING"])

    await under(invoice, "documents", {"default_terms": "IMMEDIATE"})

    assert await due_dates(invoice, None, "2016-01-22", "2017-01-22") == ["2016-01-22", "2017-01-22"]


@pytest.mark.parametrize(
    ("total", "tax", "amount", "tax_part", "terms"),
    [
        pytest.param("236.00", "36.00", "23.60", "3.60", "10/10 NET30", id="DI-01"),
        pytest.param("1725.00", "225.00", "172.50", "22.50", "10/10 NET30", id="DI-05"),
        pytest.param("1725.00", "225.00", "150.00", "0.00", "10/10 EXCLUDED", id="DI-05, the net amount alone"),
    ],
)
async def test_di_01_di_05_a_discount_on_gross_has_its_share_of_the_tax(
    invoice: ServiceUnderTest, total: str, tax: str, amount: str, tax_part: str, terms: str
) -> None:
    """DI-01, DI-05, INV-04: peers differ on tax; it is `discount_tax` of the policy `terms`, `included` where nobody says."""
    await under(invoice, "terms", {"codes": CODES})

    discount = (await issued(invoice, "I-1", total, "2026-01-06", terms=terms, tax=tax))["discount"]

    assert [(tier["amount"], tier["tax"]) for tier in discount["tiers"]] == [(amount, tax_part)]


async def test_di_03_a_discount_on_a_foreign_invoice_is_of_its_own_currency(invoice: ServiceUnderTest) -> None:
    """DI-03, INV-13: 100.00 at 50 are 5 000.00 in the books; the discount of 10.00 is worth 500.00 there, at the same rate."""
    read = await issued(
        invoice, "I-1", "100.00", "2026-01-06", terms="10/10 NET30", currency="EUR", fx={"rate": "50", "rate_on": "2026-01-06"}
    )

    (tier,) = read["discount"]["tiers"]
    assert (read["valuation"]["currency"], read["valuation"]["total"]) == ("USD", "5000.00")
    assert (tier["amount"], 50 * int(tier["amount"].removesuffix(".00"))) == ("10.00", 500)


async def test_di_08_the_last_day_of_a_discount_is_so_many_days_after_issue(invoice: ServiceUnderTest) -> None:
    """DI-08, INV-04"""
    read = await issued(invoice, "I-1", "100.00", "2019-01-01", terms="10/10 NET30")
    assert read["discount"]["tiers"][0]["until_on"] == "2019-01-11"


async def test_di_09_two_invoices_have_their_discounts_apart(invoice: ServiceUnderTest) -> None:
    """DI-09, INV-04: 100.00 and 200.00, so that 2 700.00 clear 3 000.00."""
    read = [
        await issued(invoice, f"I-{total}", total, "2026-01-06", terms="10/10 NET30", currency="EUR") for total in ("1000.00", "2000.00")
    ]
    assert [one["discount"]["tiers"][0]["amount"] for one in read] == ["100.00", "200.00"]


async def test_ro_01_a_credit_s_total_is_the_sum_of_its_rounded_parts(invoice: ServiceUnderTest) -> None:
    """RO-01, INV-06: 29/30 of 200.00 and 25 % tax: 193.33 + 48.33 = 241.66, where 29/30 of 250.00 would be 241.67."""
    await issued(invoice, "I-1", "250.00", "2026-01-06", terms="NET30", currency="EUR", tax="50.00")

    assert await credited(invoice, "C-1", "I-1", "EUR", net="193.33") == ("48.33", "241.66")


async def test_ro_04_credits_in_parts_never_come_to_more_than_the_invoice(invoice: ServiceUnderTest) -> None:
    """RO-04, INV-06: 872.23 and 50.57 are 922.80, tax 145.37 and 8.43; the last one takes the rest."""
    await issued(invoice, "I-1", "922.80", "2026-01-06", terms="NET30", currency="EUR", tax="153.80")

    assert await credited(invoice, "C-1", "I-1", "EUR", net="726.86") == ("145.37", "872.23")
    assert await credited(invoice, "C-2", "I-1", "EUR", net="42.14") == ("8.43", "50.57")


async def test_in_01_interest_by_the_year_and_by_the_day(invoice: ServiceUnderTest) -> None:
    """IN-01, INV-09: 8.5 % of 1 000.00 are 85.00 a year and 0.23 a day; the policy `late_charges` says so, without one nothing is owed."""
    await under(invoice, "late_charges", {"rates": [{"from": "2025-01-01", "percent": "8.5"}], "cycle": "none"})
    await issued(invoice, "I-1", "1000.00", "2025-01-01", terms="IMMEDIATE", currency="GBP")

    owed = {
        as_of: (await shown(invoice, "/v1/late-charges/preview", document_no="I-1", as_of=as_of))["interest"]
        for as_of in ("2025-01-02", "2026-01-01")
    }

    assert owed == {"2025-01-02": "0.23", "2026-01-01": "85.00"}


@pytest.mark.parametrize(("debt", "fixed"), [("999.99", "40.00"), ("1000.00", "70.00"), ("9999.99", "70.00"), ("10000.00", "100.00")])
async def test_in_03_a_fixed_sum_for_a_claim_by_its_size(invoice: ServiceUnderTest, debt: str, fixed: str) -> None:
    """IN-03, INV-09: the tiers of the policy `late_charges`, statutory."""
    tiers = [{"below": "1000.00", "amount": "40.00"}, {"below": "10000.00", "amount": "70.00"}, {"amount": "100.00"}]
    reference = [{"from": "2025-01-01", "percent": "4"}]
    statutory = {"reference_rates": reference, "points": "8", "currency": "GBP", "fixed": tiers}
    await under(invoice, "late_charges", {"statutory": statutory, "cycle": "none"})
    await issued(invoice, "I-1", debt, "2025-01-01", terms="IMMEDIATE", currency="GBP")

    assert (await shown(invoice, "/v1/late-charges/preview", document_no="I-1", as_of="2025-03-01"))["fixed"] == fixed


@pytest.mark.skipif(not LIST.exists(), reason=f"needs the list of scenarios, {LIST.name}, beside the checkout")
def test_every_scenario_of_these_topics_is_here() -> None:
    listed = {one["id"] for one in json.loads(LIST.read_text(encoding="utf-8"))["scenarios"] if one["topic"] in TOPICS}
    here = Path(__file__).read_text(encoding="utf-8")

    assert [one for one in sorted(listed) if f"_{one.lower().replace('-', '_')}_" not in here] == []
