"""S1: under whose account documents settle, by the parents that ERPs told, put together once more from the log (PAY-11)."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

from torture.check.evidence import Evidence
from torture.check.finding import Finding
from torture.check.folded import FoldedDocument
from torture.check.invariants.days import first_day_of
from torture.check.log import context_of
from torture.check.rows import Day

_CUSTOMERS = "erp.customers"
_UPSERTED = "erp.CustomerUpserted.v1"


def s1_documents_follow_the_hierarchy(evidence: Evidence) -> Iterator[Finding]:
    """
    S1: the account of a document is the topmost parent of its customer by what was told on an earlier day.

    One that is about a document of the same customer from an earlier day is where that is. Left out are entities in which something came
    late, and customers some of whose records were to be set aside: what was told of them counts from a day that the log does not say.
    """
    folded = evidence.folded
    late = {day.entity for day in evidence.books.rows("invoice", Day) if day.late}
    parents = _Parents.told_by(evidence)
    for name, document in folded.documents.items():
        if document.customer is None or document.booked_on is None or document.entity in late:
            continue
        if document.origin_id is not None and document.account == document.customer:
            continue  # Of our own making: billed to an account, not to a customer.
        should = _account_about(document, folded.documents.get(document.about or ""))
        should = should or parents.account_of(document.entity, document.customer, document.booked_on)
        if should is not None and document.account != should:
            what = f"of {document.customer} booked on {document.booked_on} stands under {document.account}, by the hierarchy {should}"
            yield Finding("S1", name, what)


def _account_about(document: FoldedDocument, about: FoldedDocument | None) -> str | None:
    """Return the account that a document inherits, None where it is about none of an earlier day."""
    if about is None or about.booked_on is None or document.booked_on is None or about.booked_on >= document.booked_on:
        return None
    return about.account if about.customer == document.customer else None


class _Parents:
    """What was told of parents: by entity and customer, by the day it was booked on."""

    def __init__(self, told: Mapping[tuple[str, str], Mapping[date, str]], unsure: frozenset[tuple[str, str]]) -> None:
        self._told = told
        self._unsure = unsure

    @classmethod
    def told_by(cls, evidence: Evidence) -> "_Parents":
        """Read the log; what stands before any marker was booked on the day before the first."""
        told: dict[tuple[str, str], dict[date, str]] = defaultdict(dict)
        unsure: set[tuple[str, str]] = set()
        firsts: dict[str, date | None] = {}
        for records in evidence.log.sent.values():
            for record, behind in records:
                if record.topic != _CUSTOMERS or context_of(record)[0]["type"] != _UPSERTED:
                    continue
                data = json.loads(context_of(record)[1])
                name = str(data.get("entity")), str(data.get("customer"))
                if evidence.log.is_strange(record) or (record.key or b"").decode(errors="replace") in evidence.log.strange_keys:
                    unsure.add(name)
                    continue
                if name[0] not in firsts:
                    firsts[name[0]] = first_day_of(evidence.log.markers, name[0])
                day = behind or firsts[name[0]] or date.min
                told[name][day] = max(told[name].get(day, ""), str(data.get("parent") or ""))
        return cls(told, frozenset(unsure))

    def account_of(self, entity: str, customer: str, day: date) -> str | None:
        """Follow the parents told before a day; None where that is not sure. Who comes back to somebody stays where the circle began."""
        seen = [customer]
        while True:
            if (entity, seen[-1]) in self._unsure:
                return None
            told = self._told.get((entity, seen[-1]), {})
            before = [on for on in told if on < day]
            parent = told[max(before)] if before else ""
            if not parent or parent in seen:
                return parent or seen[-1]
            seen.append(parent)
