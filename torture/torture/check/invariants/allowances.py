"""M1, M2, E5: what payments were allowed to keep back: what stands of it, what was told of it, and by which terms."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date

from torture.check.evidence import Evidence
from torture.check.finding import Finding, Harm
from torture.check.folded import DISCOUNTS, FoldedItem
from torture.check.ledger_rows import Allowance, LedgerItem


def m1_allowed_is_the_sum_of_allowances(evidence: Evidence) -> Iterator[Finding]:
    """M1: per item of the ledger, allowed = the sum of its allowances, discounted that of its discounts, none of which is below zero."""
    allowed: dict[str, int] = defaultdict(int)
    discounted: dict[str, int] = defaultdict(int)
    for one in evidence.books.rows("payment", Allowance):
        allowed[one.item] += one.amount_minor
        discounted[one.item] += one.amount_minor if one.kind in DISCOUNTS else 0
        if one.amount_minor < 0:
            yield Finding("M1", one.allowance, f"{-one.amount_minor} more was taken back than allowed")
    for item in evidence.books.rows("payment", LedgerItem):
        sums = allowed.pop(item.item, 0), discounted[item.item]
        if sums != (item.allowed_minor, item.discounted_minor):
            said = f"allowed and discounted are {item.allowed_minor}, {item.discounted_minor}"
            yield Finding("M1", item.item, f"{said}, the allowances {sums}")
    for name in allowed:
        yield Finding("M1", name, "something was allowed of an item that is not there")


def m2_discounts_stay_within_their_terms(evidence: Evidence) -> Iterator[Finding]:
    """M2: what is discounted of an item is at most its best discount; what was earned, the best that its money was there in time for."""
    folded = evidence.folded
    for (name, receipt, item_name), one in folded.allowances.items():
        value_on = folded.receipts[receipt].value_on if receipt in folded.receipts else None
        if one.kind in DISCOUNTS and one.amount_minor > (most_minor := _most(folded.items[item_name], one.kind, value_on)):
            what = f"{one.amount_minor} is {one.kind} by money of {value_on}, the terms give {most_minor}"
            yield Finding("M2", f"{name} {receipt}", what)
    for name, item in folded.items.items():
        most_minor = max((tier.minor for tier in item.tiers), default=0)
        if item.issued and item.discounted_minor > most_minor:
            yield Finding("M2", name, f"{item.discounted_minor} is discounted, the terms give {most_minor}")


def _most(item: FoldedItem, kind: str, value_on: date | None) -> int:
    is_allowed_late = kind != DISCOUNTS[0] and item.unearned_allowed
    return max((tier.minor for tier in item.tiers if is_allowed_late or (value_on or date.max) <= tier.until_on), default=0)


def e5_allowances_are_their_facts(evidence: Evidence) -> Iterator[Finding]:
    """E5: every allowance of the ledger is what the published facts add up to, once."""
    rows = evidence.books.rows("payment", Allowance)
    said = {(one.allowance, one.receipt, one.item): (one.kind, one.currency, one.amount_minor) for one in rows}
    told = {name: (one.kind, one.currency, one.amount_minor) for name, one in evidence.folded.allowances.items()}
    for place, times in Counter((one.allowance, one.receipt, one.item) for one in rows).items():
        if times > 1:
            yield Finding("E5", " ".join(place), f"stands there {times} times", Harm.DOUBLE)
    for place in sorted(said.keys() | told.keys()):
        if said.get(place) != told.get(place):
            harm = Harm.NONE if place in said and place in told else Harm.DOUBLE if place in said else Harm.LOST
            yield Finding("E5", " ".join(place), f"stands at {said.get(place)}, the log says {told.get(place)}", harm)
