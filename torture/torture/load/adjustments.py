"""What becomes of requests to write off, from what was asked, decided and answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from torture.check.expected import ExpectedAdjustment
from torture.load.amounts import read_minor

DECIDED: Final[Mapping[str, str]] = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}
"""What each verb makes of a request."""


@dataclass(slots=True)
class Adjustments:
    """
    The requests that were accepted and the decisions about them, told in any order.

    `surprises` are answers that contradict what was asked or each other; `maybe` are requests that were decided about by nobody knows whom.
    """

    requests: dict[str, ExpectedAdjustment] = field(default_factory=dict)
    decisions: list[tuple[str, str, str, Mapping[str, Any]]] = field(default_factory=list)
    maybe: set[str] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)

    def take_request(self, body: Mapping[str, Any], maker: str, answer: Mapping[str, Any]) -> None:
        """Note a request that was accepted; what a tolerance covers was approved at once, and nobody is named then."""
        id_, currency = answer["adjustment"], answer["currency"]
        entity, document_no = body["entity"], body["document_no"]
        item = f"{entity}|{document_no}|{body.get('n', 1)}"
        asked_minor = read_minor(answer["asked"], currency)
        is_approved = answer["status"] != "pending"
        if "amount" in body and read_minor(body["amount"], currency) != asked_minor:
            self.surprises.append(f"{id_}: {body['amount']} was asked for, answered is {answer['asked']}")
        if (answer["item"], answer["requested_by"], answer["decided_by"]) != (item, maker, None):
            self.surprises.append(f"{id_}: {maker} asked for {item}, answered is {answer}")
        if id_ in self.requests:
            self.surprises.append(f"{id_}: two requests were given this id")
        self.requests[id_] = ExpectedAdjustment(
            adjustment=id_,
            entity=entity,
            item=item,
            currency=currency,
            asked_minor=asked_minor,
            requested_by=maker,
            status="approved" if is_approved else "pending",
            approved_minor=asked_minor if is_approved else 0,
        )

    def take_decision(self, id_: str, verb: str, by: str, body: Mapping[str, Any]) -> None:
        """Note a decision that was accepted."""
        self.decisions.append((id_, verb, by, body))

    def result(self) -> Mapping[str, ExpectedAdjustment]:
        """Fold the decisions: there is at most one for a request, and its maker only withdraws."""
        ends = dict(self.requests)
        for id_, verb, by, body in self.decisions:
            request = ends.get(id_)
            if request is None or request.status != "pending":
                self.surprises.append(f"{id_}: {by} was let {verb} what is {'not there' if request is None else request.status}")
                continue
            if (by == request.requested_by) != (verb == "withdraw"):
                self.surprises.append(f"{id_}: {by} was let {verb} what {request.requested_by} asked for")
            ends[id_] = _decided(request, verb, by, body)
        return ends


def _decided(request: ExpectedAdjustment, verb: str, by: str, body: Mapping[str, Any]) -> ExpectedAdjustment:
    approved_minor = 0
    if verb == "approve":
        approved_minor = read_minor(body["amount"], request.currency) if "amount" in body else request.asked_minor
    return replace(request, status=DECIDED[verb], approved_minor=approved_minor, decided_by=by)
