"""Which money left us again, from what banks told and people decided, and from what was answered."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import unquote

from torture.check.expected import ExpectedReceipt, ExpectedRefund, ExpectedTransfer
from torture.load.amounts import read_minor

DECIDED: Final[Mapping[str, str]] = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}
"""What each verb makes of a refund."""


@dataclass(slots=True)
class Leaving:
    """
    Returns, refunds and transfers that were accepted, told in any order; `released` is money or credit that was given back to the rules,
    `debited` what was taken back and is billed anew.

    `surprises` are answers that contradict what was asked or each other; `maybe` are refunds that were decided about by nobody knows whom.
    """

    returned: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    debited: set[str] = field(default_factory=set)
    transfers: dict[str, ExpectedTransfer] = field(default_factory=dict)
    requests: dict[str, ExpectedRefund] = field(default_factory=dict)
    decisions: list[tuple[str, str, str]] = field(default_factory=list)
    maybe: set[str] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)

    def take_return(self, body: Mapping[str, Any]) -> None:
        """Note that a bank took money back."""
        self.returned.add(f"{body['entity']}|{body['returned_bank_ref']}")

    def take_reversal(self, route: str, body: Mapping[str, Any]) -> None:
        """Note that a person did, in the bank's place."""
        receipt = receipt_of(route, body)
        if receipt in self.returned | self.debited:
            self.surprises.append(f"{receipt}: was taken back, and again by a person")
        (self.debited if body.get("as") == "debit_memo" else self.returned).add(receipt)

    def take_placing(self, route: str, body: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Note what a person decided about money: only releases and transfers are of interest, all else the ledger has to say."""
        if route.endswith("/release"):
            self.released.add(receipt_of(route, body))
        elif route.endswith("/transfers"):
            self._take_transfer(receipt_of(route, body), body, answer)

    def _take_transfer(self, receipt: str, body: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Note a transfer: the last of those that the answer has of the receipt."""
        made = answer["transfers"][-1]
        minor = read_minor(made["amount"], answer["currency"])
        if "amount" in body and read_minor(body["amount"], answer["currency"]) != minor:
            self.surprises.append(f"{receipt}: {body['amount']} were to be transferred, answered is {made}")
        if made["transfer"] in self.transfers:
            self.surprises.append(f"{made['transfer']}: two transfers were given this id")
        self.transfers[made["transfer"]] = ExpectedTransfer(made["transfer"], receipt, made["to_account"], minor)

    def take_request(self, body: Mapping[str, Any], maker: str, answer: Mapping[str, Any]) -> None:
        """Note a refund that was asked for."""
        refund, receipt = answer["refund"], f"{body['entity']}|{body['receipt']}"
        minor = read_minor(answer["amount"], answer["currency"])
        if "amount" in body and read_minor(body["amount"], answer["currency"]) != minor:
            self.surprises.append(f"{refund}: {body['amount']} was asked for, answered is {answer['amount']}")
        if (answer["requested_by"], answer["status"], answer["decided_by"]) != (maker, "pending", None):
            self.surprises.append(f"{refund}: {maker} asked for it, answered is {answer}")
        if refund in self.requests:
            self.surprises.append(f"{refund}: two requests were given this id")
        self.requests[refund] = ExpectedRefund(refund, receipt, minor, maker)

    def take_decision(self, refund: str, verb: str, by: str) -> None:
        """Note a decision that was accepted."""
        self.decisions.append((refund, verb, by))

    def refunds(self) -> Mapping[str, ExpectedRefund]:
        """Fold the decisions: there is at most one for a refund, and its maker only withdraws."""
        ends = dict(self.requests)
        for refund, verb, by in self.decisions:
            request = ends.get(refund)
            if request is None or request.status != "pending":
                self.surprises.append(f"{refund}: {by} was let {verb} what is {'not there' if request is None else request.status}")
                continue
            if (by == request.requested_by) != (verb == "withdraw"):
                self.surprises.append(f"{refund}: {by} was let {verb} what {request.requested_by} asked for")
            ends[refund] = replace(request, status=DECIDED[verb], decided_by=by)
        return ends

    def applied_to(self, receipts: Mapping[str, ExpectedReceipt], refunds: Mapping[str, ExpectedRefund]) -> dict[str, ExpectedReceipt]:
        """Say of receipts what of them left us. Who is taken money back from depends on when its payer was found."""
        paid_back: dict[str, int] = defaultdict(int)
        for one in refunds.values():
            paid_back[one.receipt] += one.amount_minor if one.status == "approved" else 0
        return {
            name: replace(
                receipt,
                was_returned=name in self.returned,
                refunded_minor=paid_back[name],
                payer_open=receipt.payer_open or name in self.returned,
            )
            for name, receipt in receipts.items()
        }


def receipt_of(route: str, body: Mapping[str, Any]) -> str:
    """Return the receipt that an address is about: the last part but one of it."""
    return f"{body['entity']}|{unquote(route.split('/')[-2])}"
