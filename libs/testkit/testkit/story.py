"""What a story is: what an ERP and a bank tell one legal entity, and what its people do, day by day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from events import bank, erp
from events.fact import Event


@dataclass(frozen=True, slots=True)
class Act:
    """
    What somebody does over HTTP, and the status of the answer.

    `{policy}`, `{adjustment}` and `{refund}` in the path stand for what an earlier answer of that day called so.
    """

    by: str
    role: str
    path: str
    body: Mapping[str, Any]
    status: int = 201
    service: str = "invoice"


@dataclass(frozen=True, slots=True)
class Story:
    """
    Facts by the day they are told, and acts by the day they are done, before any fact of it; the books open on the first of these days.

    The story is over when `ends_on` has closed.
    """

    entity: str
    days: Mapping[date, Sequence[Event]]
    ends_on: date
    acts: Mapping[date, Sequence[Act]] = field(default_factory=dict)

    @property
    def opens_on(self) -> date:
        return min(self.days)

    @property
    def eventful_days(self) -> list[date]:
        """The days on which something is told or done."""
        return sorted(self.days.keys() | self.acts.keys())

    @property
    def facts(self) -> list[Event]:
        """All that is told, day by day."""
        return [fact for day in sorted(self.days) for fact in self.days[day]]

    @property
    def receipts(self) -> list[str]:
        """The bank references of the story's receipts."""
        return sorted(fact.bank_ref for fact in self.facts if isinstance(fact, bank.EntryBooked))

    @property
    def customers(self) -> list[str]:
        """The customers of the story that have documents, and those under whose accounts others settle."""
        documents = erp.Document | erp.CreditMemoIssued | erp.OpeningBalanceLoaded
        parents = {fact.parent for fact in self.facts if isinstance(fact, erp.CustomerUpserted) and fact.parent is not None}
        return sorted(parents | {fact.customer for fact in self.facts if isinstance(fact, documents)})


def policy(entity: str, kind: str, valid_from: date, body: Mapping[str, Any], *, service: str = "invoice") -> list[Act]:
    """One person proposes a policy, another approves it: it is in force when the next day opens."""
    proposed = {"entity": entity, "kind": kind, "valid_from": str(valid_from), "body": body}
    return [
        Act("maker-1", "policy_maker", "/v1/policies", proposed, service=service),
        Act("checker-1", "policy_checker", "/v1/policies/{policy}/approve", {}, status=200, service=service),
    ]
