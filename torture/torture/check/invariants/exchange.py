"""M7, E5, R2: what exchange gained is what the money was worth less what it settled was worth, to the minor unit."""

from collections import defaultdict
from collections.abc import Iterator

from torture.check.books import ExchangeDelta
from torture.check.evidence import Evidence
from torture.check.finding import Finding
from torture.check.folded import ExchangeKey, Folded
from torture.check.invariants.read_model import late_entities
from torture.check.ledger_rows import Exchanged


def e5_gains_are_their_facts(evidence: Evidence) -> Iterator[Finding]:
    """E5: what every application gained in the ledger is what the published facts add up to."""
    said: dict[tuple[str, str, str], int] = defaultdict(int)
    for one in evidence.books.rows("payment", Exchanged):
        said[one.application, one.receipt, one.item] += one.gain_minor
    told = evidence.folded.gains
    for place in sorted(said.keys() | told.keys()):
        if said.get(place, 0) != told.get(place, 0):
            yield Finding("E5", " ".join(place), f"gained {said.get(place, 0)}, the log says {told.get(place, 0)}")


def m7_gains_add_up(evidence: Evidence) -> Iterator[Finding]:
    """
    M7: of receipts and items that only settle each other, gain less loss is the worth of the money applied less that of what it settled.

    Both to the minor unit, however many parts there were: the last one takes the rounding. Left out is what cannot be told apart from
    outside: items that credit, adjustments, allowances or voids have touched too, and money of which nobody knows the worth, or of which a
    part went to another account, with its own part of the worth.
    """
    folded = evidence.folded
    gained: dict[str, int] = defaultdict(int)
    for (_, receipt, _), minor in folded.gains.items():
        gained[receipt] += minor
    for receipts, items in _settling_each_other(folded):
        gain_minor = sum(gained[receipt] for receipt in receipts)
        worth_minor = sum(_worth(one.base_minor, one.amount_minor, one.applied_minor) for one in map(folded.receipts.__getitem__, receipts))
        carrying_minor = sum(_worth(one.base_minor, one.total_minor, one.settled_minor) for one in map(folded.items.__getitem__, items))
        if gain_minor != worth_minor - carrying_minor:
            what = f"gained {gain_minor}, worth were {worth_minor}, settled {carrying_minor}"
            residual = abs(gain_minor - worth_minor + carrying_minor)
            yield Finding("M7", " ".join(sorted(receipts)), what, residual_minor=residual)


def _worth(base_minor: int | None, whole_minor: int, part_minor: int) -> int:
    assert base_minor is not None, "only what has a worth is compared"
    return (2 * base_minor * part_minor + whole_minor) // (2 * whole_minor)


def _settling_each_other(folded: Folded) -> Iterator[tuple[set[str], set[str]]]:
    """Yield groups of receipts and items that money has tied together, in another currency than the entity's and in no other way."""
    group_of: dict[str, set[str]] = {}
    left_out: set[str] = set()
    touched = {name for (_, receipt, name) in folded.allowances for name in (receipt, name)}
    touched |= {item for (_, _, item), one in folded.applications.items() if one.source_kind == "memo"}
    touched |= {item for adjustment in folded.adjustments.values() for item in adjustment.places}
    for _, receipt, item in [place for place, one in folded.applications.items() if one.source_kind == "receipt"]:
        group = group_of.get(receipt, {receipt}) | group_of.get(item, {item})
        group_of |= dict.fromkeys(group, group)
    for name, group in group_of.items():
        known = folded.receipts.get(name) or folded.items[name]
        is_plain = not (folded.receipts[name].transferred_minor if name in folded.receipts else folded.items[name].voided_minor)
        if known.base_minor is None or name in touched or not is_plain:
            left_out |= group
    for group in {id(group): group for group in group_of.values()}.values():
        if not group & left_out:
            yield group & folded.receipts.keys(), group & folded.items.keys()


def r2_exchange_differences_are_a_fold_of_the_log(evidence: Evidence) -> Iterator[Finding]:
    """R2: reporting's exchange differences are what the checker folds from the log, row by row."""
    late = late_entities(evidence)
    rows = evidence.books.rows("reporting", ExchangeDelta)
    said: dict[ExchangeKey, int] = {
        (one.entity, one.account, one.currency, one.measure, one.effective_on, one.booked_on): one.delta_minor for one in rows
    }
    told = evidence.folded.exchange
    for key in sorted(said.keys() | told.keys()):
        if key[0] not in late and said.get(key, 0) != told.get(key, 0):
            what = f"{said.get(key, 0)} minor units, the log says {told.get(key, 0)}"
            yield Finding("R2", f"reporting exchange {'|'.join(map(str, key))}", what)
