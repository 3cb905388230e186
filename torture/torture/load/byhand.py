"""
A history as somebody writes it by hand, for tests of the oracle: who did what, and what was answered.

Everything is of US01 and in dollars; where nothing else is said it is C-01's and was acknowledged.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from torture.load.history import Entry
from torture.load.oracle import Oracle


class Told:
    """Builds a history line by line; what is invoked is named by its place."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def invoke(
        self, kind: str, route: str, body: Mapping[str, Any], *, meant: str = "accepted", code: str = "", subject: str = "clerk-1"
    ) -> str:
        """Note that somebody sends something; return its id."""
        id_ = f"op-{len(self.entries)}"
        self.entries.append(
            Entry(
                at=0,
                what="invoke",
                id=id_,
                attempt=1,
                kind=kind,
                route=route,
                key=f"key-{id_}",
                subject=subject,
                body=body,
                meant=meant,
                code=code,
            )
        )
        return id_

    def came(self, id_: str, what: Any, **more: Any) -> None:
        """Note what came of it."""
        self.entries.append(Entry(at=0, what=what, id=id_, attempt=1, **more))

    def invoice(self, number: str, total: str = "100.00", customer: str = "C-01", *, acknowledged: bool = True) -> str:
        """Have an ERP tell an invoice."""
        body = {"entity": "US01", "document_no": number, "customer": customer, "currency": "USD", "issued_on": "2025-01-02", "total": total}
        id_ = self.invoke("invoice", "erp.documents", body)
        if acknowledged:
            self.came(id_, "ok", place=("erp.documents", 0, len(self.entries)))
        else:
            self.came(id_, "info", error="KafkaTimeoutError: ")
        return id_

    def money(self, reference: str, amount: str, **says: Any) -> str:
        """Have the bank tell of money."""
        body = {"entity": "US01", "bank_ref": reference, "value_on": "2025-01-02", "amount": amount, "currency": "USD", **says}
        id_ = self.invoke("receipt", "bank.entries", body)
        self.came(id_, "ok", place=("bank.entries", 0, len(self.entries)))
        return id_

    def limit(self, limit: str, *, status: int | None, version: int = 0, meant: str = "accepted") -> str:
        """Set a limit: without a status nobody knows what came of it."""
        id_ = self.invoke("limit", "PUT /v1/accounts/C-01/limit", {"entity": "US01", "currency": "USD", "limit": limit}, meant=meant)
        if status is None:
            self.came(id_, "info", error="ReadTimeout: ")
        elif status == 200:
            self.came(id_, "ok", status=200, answer=json.dumps({"limit": limit, "version": version}))
        else:
            self.came(id_, "fail", status=status, answer="{}")
        return id_

    def document(
        self, kind: str, number: str, *, route: str = "erp.documents", done: bool = True, meant: str = "accepted", **more: Any
    ) -> str:
        """Tell or post a document of any kind."""
        body = {"entity": "US01", "document_no": number, "customer": "C-01", "currency": "USD", "issued_on": "2025-01-02", **more}
        id_ = self.invoke(kind, route, body, meant=meant)
        self.came(id_, "ok" if done else "fail", status=201 if done else 409, answer="{}")
        return id_

    def asked(self, document_no: str, asked: str, *, maker: str = "clerk-1", status: str = "pending", amount: str | None = None) -> str:
        """Ask for a write-off; return its id."""
        body = {"entity": "US01", "document_no": document_no, "kind": "bad_debt", "reason": "INSOLVENT"}
        id_ = self.invoke(
            "adjustment", "POST /v1/adjustments", body | ({"amount": amount} if amount else {}), meant="either", subject=maker
        )
        adjustment = f"US01|adj|{document_no}|1|1"
        answer = {"adjustment": adjustment, "item": f"US01|{document_no}|1", "currency": "USD", "asked": asked, "status": status}
        self.came(id_, "ok", status=201, answer=json.dumps({**answer, "requested_by": maker, "decided_by": None}))
        return adjustment

    def decided(self, adjustment: str, verb: str, by: str, *, status: int | None = 200, **body: str) -> None:
        """Decide about a write-off."""
        id_ = self.invoke("decision", f"POST /v1/adjustments/{quote(adjustment, safe='')}/{verb}", body, meant="either", subject=by)
        if status is None:
            self.came(id_, "info", error="ReadTimeout: ")
        else:
            self.came(id_, "ok" if status == 200 else "fail", status=status, answer="{}")

    def returned(self, reference: str, *, route: str = "bank.entries") -> None:
        """Take money back, as the bank or by hand."""
        kind, body = ("return", {"returned_bank_ref": reference}) if route == "bank.entries" else ("reversal", {})
        self.came(self.invoke(kind, route, {"entity": "US01", **body}), "ok", status=200, answer="{}")

    def refund(self, reference: str, amount: str) -> str:
        """Ask for money to be paid back; return the id of that."""
        body = {"entity": "US01", "receipt": reference, "amount": amount, "reason": "OVERPAID"}
        id_, refund = self.invoke("refund", "POST /v1/refunds", body, meant="either"), f"US01|refund|{reference}|1"
        answer = {"refund": refund, "amount": amount, "currency": "USD", "status": "pending", "requested_by": "clerk-1"}
        self.came(id_, "ok", status=201, answer=json.dumps({**answer, "decided_by": None}))
        return refund

    def refund_decided(self, refund: str, verb: str, by: str) -> None:
        """Decide about it."""
        route = f"POST /v1/refunds/{quote(refund, safe='')}/{verb}"
        self.came(self.invoke("refund_decision", route, {}, meant="either", subject=by), "ok", status=200, answer="{}")

    @property
    def oracle(self) -> Oracle:
        """What must be by all that."""
        return Oracle.of(self.entries)
