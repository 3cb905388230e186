"""M3, W1, D1: money that was taken back and stays on what it paid is billed anew: once, in full, two days later (PAY-10)."""

from collections import defaultdict
from collections.abc import Iterator

from torture.check.evidence import Evidence
from torture.check.finding import Finding, Harm
from torture.check.invariants.leaving import FEEDBACK_DAYS
from torture.check.ledger_rows import Receipt
from torture.check.rows import Day

RETURNED_PAYMENT = "returned_payment"
"""The origin of the debit memo over such money."""


def m3_debited_money_stays_where_it_was(evidence: Evidence) -> Iterator[Finding]:
    """M3: of money that is billed anew all was applied when that day began, and none of it has left us: that is done once, one way."""
    folded = evidence.folded
    debited = {name: one for name, one in folded.receipts.items() if one.debits}
    applied: dict[str, int] = defaultdict(int)
    for (_, source, _), one in folded.applications.items():
        if source in debited:
            day = debited[source].debits[0].booked_on
            applied[source] += sum(minor for on, minor in one.by_day.items() if on < day)
    rows = {one.receipt: one for one in evidence.books.rows("payment", Receipt)}
    for name, receipt in debited.items():
        times = len(receipt.debits), len(receipt.reversals)
        if times != (1, 0):
            yield Finding("M3", name, f"is billed anew {times[0]} times and was taken off what it paid {times[1]} times", Harm.DOUBLE)
        figures = {receipt.debits[0].amount_minor, receipt.amount_minor, applied[name]}
        if len(figures) > 1:
            said = f"{receipt.debits[0].amount_minor} of {receipt.amount_minor} is billed anew"
            yield Finding("M3", name, f"{said}, {applied[name]} stood on items when the day began")
        if name in rows and rows[name].returned_minor:
            yield Finding("M3", name, f"{rows[name].returned_minor} has left us, though it is billed anew")


def w1_debits_are_billed_two_days_later(evidence: Evidence) -> Iterator[Finding]:
    """W1: for all money that is billed anew one debit memo over its amount is booked two days later, and there is no other."""
    days = {day.entity: day for day in evidence.books.rows("invoice", Day)}
    billed: dict[str, list[str]] = defaultdict(list)
    for name, document in evidence.folded.documents.items():
        if document.origin == RETURNED_PAYMENT:
            billed[document.origin_id or ""].append(name)
    for name, receipt in evidence.folded.receipts.items():
        day, memos = days.get(receipt.entity), billed.pop(name, [])
        if day is None or day.late:
            continue
        due = [one for one in receipt.debits if one.booked_on + FEEDBACK_DAYS <= day.open_on]
        if len(memos) != len(due):
            harm = Harm.DOUBLE if len(memos) > len(due) else Harm.LOST
            yield Finding("W1", f"returned {name}", f"is billed by {memos}, due are {due}", harm)
        for memo, debit in zip(memos, due, strict=False):
            document = evidence.folded.documents[memo]
            said = (document.account, document.currency, document.total_minor, document.booked_on)
            should = (debit.account, receipt.currency, debit.amount_minor, debit.booked_on + FEEDBACK_DAYS)
            if said != should:
                yield Finding("W1", f"returned {memo}", f"is {said}, by the facts {should}")
    for name, memos in billed.items():
        yield Finding("W1", f"returned {name}", f"is billed by {memos}, and was not taken back", Harm.DOUBLE)


def d1_debits_are_those_decided(evidence: Evidence) -> Iterator[Finding]:
    """D1: the money that is billed anew is that of which a person had it accepted: no policy of the load has banks do so."""
    told = {name for name, one in evidence.folded.receipts.items() if one.debits}
    for name in sorted(evidence.expected.debited - told):
        yield Finding("D1", name, "was to be billed anew, and the log does not say so", Harm.LOST)
    for name in sorted(told - evidence.expected.debited):
        yield Finding("D1", name, "is billed anew, and nobody had it accepted", Harm.DOUBLE)
