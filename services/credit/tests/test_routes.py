"""Limits over HTTP: who may set them, when they are refused, what is told."""

from datetime import date

import pytest
from events import invoice
from events.credit import CreditLimitChanged
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

LIMIT = "/v1/accounts/C-1/limit"
FIFTY_THOUSAND = {"entity": "US01", "currency": "USD", "limit": "50000.00"}
ANALYST = ["credit-analyst"]


def an_invoice(total: str) -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice="US01|INV-1",
        document_no="INV-1",
        type="380",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=date(2026, 1, 5),
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=date(2026, 2, 4), amount=total)],
    )


async def test_a_limit_is_set_and_told(credit: ServiceUnderTest) -> None:
    """CRD-01."""
    answer = await credit.put(LIMIT, FIFTY_THOUSAND, key="k1", roles=ANALYST)

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert answer.json() == {"entity": "US01", "account": "C-1", "currency": "USD", "limit": "50000.00", "version": 1}
    (fact,) = credit.published_envelopes(CreditLimitChanged)
    envelope = fact.envelope
    assert (envelope.key, envelope.booked_on, envelope.effective_on) == ("US01|C-1", date(2026, 1, 5), date(2026, 1, 5))


async def test_the_fact_says_the_new_limit_and_the_old_one(credit: ServiceUnderTest) -> None:
    """CRD-01."""
    await credit.put(LIMIT, FIFTY_THOUSAND, key="k1", roles=ANALYST)
    assert credit.published(CreditLimitChanged) == [CreditLimitChanged(entity="US01", account="C-1", currency="USD", new="50000.00")]

    changed = await credit.put(LIMIT, {**FIFTY_THOUSAND, "limit": "60000"}, key="k2", roles=ANALYST, headers={"If-Match": '"1"'})

    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert credit.published(CreditLimitChanged) == [
        CreditLimitChanged(entity="US01", account="C-1", currency="USD", new="60000.00", old="50000.00")
    ]


async def test_the_same_command_again_is_answered_again_and_has_one_effect(credit: ServiceUnderTest) -> None:
    first = await credit.put(LIMIT, FIFTY_THOUSAND, key="k1", roles=ANALYST)
    again = await credit.put(LIMIT, FIFTY_THOUSAND, key="k1", roles=ANALYST)

    assert (again.status_code, again.content, again.headers["ETag"]) == (first.status_code, first.content, '"1"')
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(credit.published(CreditLimitChanged)) == 1


async def test_setting_what_is_in_force_changes_and_tells_nothing(credit: ServiceUnderTest) -> None:
    await credit.put(LIMIT, FIFTY_THOUSAND, key="k1", roles=ANALYST)
    credit.published(None)

    same = await credit.put(LIMIT, {**FIFTY_THOUSAND, "limit": "50000"}, key="k2", roles=ANALYST)

    assert (same.status_code, same.headers["ETag"]) == (200, '"1"')
    assert credit.published(None) == []


async def test_a_limit_is_not_replaced_by_somebody_who_has_not_read_it(credit: ServiceUnderTest) -> None:
    await credit.put(LIMIT, FIFTY_THOUSAND, key="k1", roles=ANALYST)
    credit.published(None)
    other = {**FIFTY_THOUSAND, "limit": "1.00"}

    blind = await credit.put(LIMIT, other, key="k2", roles=ANALYST)
    outdated = await credit.put(LIMIT, other, key="k3", roles=ANALYST, headers={"If-Match": '"7"'})
    weak = await credit.put(LIMIT, other, key="k4", roles=ANALYST, headers={"If-Match": 'W/"1"'})

    assert [answer.status_code for answer in (blind, outdated, weak)] == [428, 412, 412]
    assert credit.published(None) == []
    assert (await credit.get(LIMIT + "?entity=US01&currency=USD")).json()["limit"] == "50000.00"


async def test_if_match_on_a_limit_that_was_never_set_is_refused(credit: ServiceUnderTest) -> None:
    answer = await credit.put(LIMIT, FIFTY_THOUSAND, key="k1", roles=ANALYST, headers={"If-Match": "*"})

    assert answer.status_code == 412
    assert (await credit.get(LIMIT + "?entity=US01&currency=USD")).status_code == 404


async def test_only_an_analyst_or_an_operator_sets_limits(credit: ServiceUnderTest) -> None:
    assert (await credit.put(LIMIT, FIFTY_THOUSAND, key="k1", roles=["clerk"])).status_code == 403
    assert credit.published(None) == []
    assert (await credit.put(LIMIT, FIFTY_THOUSAND, key="k2", roles=["operator"])).status_code == 200


async def test_a_body_is_refused_with_every_reason_at_once(credit: ServiceUnderTest) -> None:
    answer = await credit.put("/v1/accounts/a|b/limit", {"entity": "XX", "currency": "USD", "limit": "-1"}, key="k1", roles=ANALYST)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [(reason["code"], reason["field"]) for reason in answer.json()["reasons"]] == [
        ("ENTITY_UNKNOWN", "entity"),
        ("BAD_IDENTIFIER", "account"),
        ("AMOUNT_NEGATIVE", "limit"),
    ]


@pytest.mark.parametrize(("currency", "limit", "code"), [("USD", "1.005", "AMOUNT_TOO_PRECISE"), ("usd", "1", "CURRENCY_UNKNOWN")])
async def test_a_limit_is_an_amount_of_its_currency(credit: ServiceUnderTest, currency: str, limit: str, code: str) -> None:
    answer = await credit.put(LIMIT, {"entity": "US01", "currency": currency, "limit": limit}, key="k1", roles=ANALYST)

    assert (answer.status_code, [reason["code"] for reason in answer.json()["reasons"]]) == (422, [code])


async def test_an_account_shows_limit_exposure_and_what_is_available(credit: ServiceUnderTest) -> None:
    """CRD-01, CRD-02."""
    await credit.put(LIMIT, FIFTY_THOUSAND, key="k1", roles=ANALYST)
    await credit.put(LIMIT, {"entity": "US01", "currency": "JPY", "limit": "9000"}, key="k2", roles=ANALYST)
    await credit.receive(an_invoice("32000.00"))

    assert (await credit.get("/v1/accounts/C-1?entity=US01")).json() == {
        "entity": "US01",
        "account": "C-1",
        "complete_up_to": "2026-01-04",
        "currencies": [
            {
                "currency": "JPY",
                "limit": "9000",
                "exposure": "0",
                "available": "9000",
                "components": {"open": "0", "on_account": "0", "memo_credit": "0"},
                "limit_version": 1,
            },
            {
                "currency": "USD",
                "limit": "50000.00",
                "exposure": "32000.00",
                "available": "18000.00",
                "components": {"open": "32000.00", "on_account": "0.00", "memo_credit": "0.00"},
                "limit_version": 1,
            },
        ],
    }


async def test_an_account_without_a_limit_has_an_exposure_and_nothing_to_say_about_the_rest(credit: ServiceUnderTest) -> None:
    await credit.receive(an_invoice("10.00"))

    (usd,) = (await credit.get("/v1/accounts/C-1?entity=US01")).json()["currencies"]

    assert (usd["exposure"], usd["limit"], usd["available"]) == ("10.00", None, None)


async def test_an_account_nobody_has_heard_of_is_not_found(credit: ServiceUnderTest) -> None:
    assert (await credit.get("/v1/accounts/C-9?entity=US01")).status_code == 404
