"""The worked examples of documents as stories: written off and recovered, voided, corrected, billed by schedule, under policies."""

from datetime import date
from typing import Any, Final

from events import erp

from testkit.ingress import a_debit_memo, a_rate, a_receipt, a_void, an_invoice, an_opening_balance
from testkit.story import Act, Story, policy

VAT_480: Final[dict[str, Any]] = {"lines": [erp.Line(amount="400.00")], "tax": "80.00"}
VAT_1200: Final[dict[str, Any]] = {"lines": [erp.Line(amount="1000.00")], "tax": "200.00"}
CLERKS_UP_TO_100: Final = {
    "limits": [
        {"role": "clerk", "currency": "*", "activity": "*", "max": "100.00"},
        {"role": "approver", "currency": "*", "activity": "*", "max": "5000.00"},
    ],
    "expires_days": 30,
}
TAX_NOT_DISCOUNTED: Final = {
    "codes": {"2/10 NET-TAX": {"due": {"net_days": 30}, "discounts": [{"percent": "2", "days": 10}], "discount_tax": "excluded"}}
}


def written_off(entity: str) -> Story:
    """A7: 480.00 is written off by two people, 240.00 of it comes after all; residuals of 3.20 and 5.01 are written off, or are not."""
    opens_on, acted_on, paid_on = date(2026, 4, 20), date(2026, 4, 22), date(2026, 4, 24)
    issued_on, due_on = date(2025, 11, 1), date(2025, 12, 1)  # 140 days before the books open.

    def ask(document_no: str, kind: str) -> Act:
        reason = "INSOLVENT" if kind == "bad_debt" else "RESIDUAL"
        return Act("clerk-1", "clerk", "/v1/adjustments", {"entity": entity, "document_no": document_no, "kind": kind, "reason": reason})

    def approve(by: str, role: str, status: int) -> Act:
        return Act(by, role, "/v1/adjustments/{adjustment}/approve", {}, status=status)

    return Story(
        entity,
        {
            opens_on: [
                an_invoice(entity, "INV-8", "C-8", "480.00", issued_on=issued_on, due_on=due_on, **VAT_480),
                an_invoice(entity, "INV-8S", "C-8S", "103.20", issued_on=issued_on, due_on=due_on),
                an_invoice(entity, "INV-8T", "C-8T", "105.01", issued_on=issued_on, due_on=due_on),
                a_receipt(entity, "BR-8S", "100.00", value_on=opens_on, naming="INV-8S"),
                a_receipt(entity, "BR-8T", "100.00", value_on=opens_on, naming="INV-8T"),
            ],
            paid_on: [a_receipt(entity, "BR-8", "240.00", value_on=paid_on, naming="INV-8")],
        },
        ends_on=paid_on,
        acts={
            opens_on: policy(entity, "approval_limits", opens_on, CLERKS_UP_TO_100),
            acted_on: [
                ask("INV-8", "bad_debt"),
                approve("clerk-1", "clerk", 403),
                approve("clerk-2", "clerk", 403),
                approve("manager-1", "approver", 200),
                ask("INV-8S", "small_balance"),
                ask("INV-8T", "small_balance"),
            ],
        },
    )


def every_document(entity: str) -> Story:
    """
    A2, A10 and INV-02, INV-07, INV-12, INV-13: documents of every kind, each customer with one matter of its own.

    The books open at the end of March; a month turns on the third day. What people do: a policy of terms, a billing schedule and, in April,
    voids and a consolidated bill.
    """
    first, second, third, fourth = date(2026, 3, 30), date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 2)
    loaded: dict[str, Any] = {"issued_on": date(2025, 11, 20), "as_of": date(2025, 12, 31)}
    discounted: dict[str, Any] = {"terms": "2/10 NET-TAX", **VAT_1200}
    return Story(
        entity,
        {
            first: [
                an_invoice(entity, "INV-2", "DISCOUNT", "1200.00", issued_on=date(2026, 3, 1), terms="2/10 NET30", **VAT_1200),
                an_invoice(entity, "INV-2N", "DISCOUNT", "1200.00", issued_on=first, **discounted),
                an_invoice(entity, "EUR-1", "EUROS", "10000.00", issued_on=first, currency="EUR", fx=erp.Fx(rate="1.10", rate_on=first)),
                a_rate(entity, "EUR", "1.14", rate_on=first),
                an_opening_balance(entity, "OLD-1", "OLD", "400.00", due_on=date(2025, 12, 20), **loaded),
                an_opening_balance(entity, "OLD-2", "OLD-CREDIT", "-50.00", **loaded),
                an_invoice(entity, "ZERO-1", "FEE", "0.00", issued_on=first),
                a_debit_memo(entity, "DM-1", "FEE", "35.00", issued_on=first, reason="BANK_FEE"),
                a_void(entity, "EARLY-1", "EARLY"),
                an_invoice(entity, "PAID-1", "PAID", "300.00", issued_on=first),
                a_receipt(entity, "BR-PAID", "300.00", value_on=first, naming="PAID-1"),
                an_invoice(entity, "WRONG-1", "WRONG", "1000.00", issued_on=first),
                a_receipt(entity, "BR-WRONG", "1000.00", value_on=first, naming="WRONG-1"),
                an_invoice(entity, "OPEN-1", "OPEN", "50.00", issued_on=first),
                an_invoice(entity, "BILLED-1", "BILLED", "100.00", issued_on=first),
                an_invoice(entity, "BILLED-2", "BILLED", "200.00", issued_on=first),
            ],
            second: [
                an_invoice(entity, "INV-2X", "DISCOUNT", "1200.00", issued_on=second, **discounted),
                an_invoice(entity, "EUR-2", "EUROS", "100.00", issued_on=second, currency="EUR"),
                an_invoice(entity, "EARLY-1", "EARLY", "80.00", issued_on=second),
                a_void(entity, "SAME-1", "SAME"),
                a_receipt(entity, "BR-SAME", "60.00", value_on=second, naming="SAME-1"),
                an_invoice(entity, "SAME-1", "SAME", "60.00", issued_on=second),
            ],
            third: [
                a_void(entity, "PAID-1", "PAID"),
                an_invoice(entity, "RIGHT-1", "WRONG", "900.00", issued_on=third, type="384", ref_document_no="WRONG-1"),
            ],
            fourth: [a_receipt(entity, "BR-OPEN", "50.00", value_on=fourth, naming="OPEN-1")],
        },
        ends_on=fourth,
        acts={
            first: [*policy(entity, "terms", first, TAX_NOT_DISCOUNTED), _rent(entity)],
            third: [
                Act("clerk-1", "clerk", "/v1/voids", {"entity": entity, "document_no": "OPEN-1", "customer": "OPEN"}),
                Act("clerk-1", "clerk", "/v1/voids", {"entity": entity, "document_no": "PAID-1", "customer": "PAID"}, status=409),
                Act("clerk-1", "clerk", "/v1/bills", {"entity": entity, "customer": "BILLED", "currency": "USD", "bill_no": "BILL-1"}),
            ],
        },
    )


def _rent(entity: str) -> Act:
    """A schedule that bills at the end of every month, from one that has passed on."""
    body = {
        "entity": entity,
        "schedule_no": "RENT-1",
        "customer": "RENT",
        "currency": "USD",
        "every": "monthly",
        "starts_on": "2026-01-31",
        "number_prefix": "RENT-",
        "terms": "NET30",
        "total": "900.00",
    }
    return Act("clerk-1", "clerk", "/v1/billing-schedules", body)
