"""Reading a document again: nothing is sent while nothing has changed (XC-14)."""

from collections.abc import AsyncIterator, Callable
from datetime import date

import pytest
from events.payment import PaymentApplied
from invoice.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

DOCUMENT = {"entity": "US01", "customer": "C-1", "currency": "USD", "issued_on": "2026-01-05", "total": "1200.00"}
PATHS = {"invoices": {"terms": "NET30"}, "debit-memos": {"terms": "NET30"}, "credit-memos": {}}


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


@pytest.mark.parametrize("kind", PATHS)
async def test_a_document_that_has_not_changed_is_not_sent_again(invoice: ServiceUnderTest, kind: str) -> None:
    """XC-14: one tag of several, weak or strong, or any; another tag is answered in full."""
    await invoice.post(f"/v1/{kind}", {**DOCUMENT, "document_no": "D-1", **PATHS[kind]})
    path = f"/v1/{kind}/D-1?entity=US01"
    read = await invoice.get(path)
    tag = read.headers["ETag"]

    for known in (tag, f'"other", W/{tag}', "*"):
        again = await invoice.get(path, if_none_match=known)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    other = await invoice.get(path, if_none_match=tag.strip('"'))
    assert (other.status_code, other.json(), other.headers["content-type"]) == (200, read.json(), "application/json")


async def test_a_payment_and_another_day_are_another_answer(invoice: ServiceUnderTest) -> None:
    """XC-14"""
    await invoice.post("/v1/invoices", {**DOCUMENT, "document_no": "INV-1", "terms": "NET30"})
    path = "/v1/invoices/INV-1?entity=US01"
    tags = [(await invoice.get(path)).headers["ETag"], (await invoice.get(f"{path}&as_of=2026-03-01")).headers["ETag"]]
    await invoice.receive(
        PaymentApplied(
            entity="US01",
            application="A-1",
            receipt="US01|R-1",
            item="US01|INV-1|1",
            invoice="US01|INV-1",
            customer="C-1",
            account="C-1",
            currency="USD",
            due_on=date(2026, 2, 4),
            amount="1.00",
            rule="reference",
        )
    )

    paid = await invoice.get(path, if_none_match=", ".join(tags))

    assert (paid.status_code, paid.json()["open"]) == (200, "1199.00")
    assert len({*tags, paid.headers["ETag"]}) == 3
