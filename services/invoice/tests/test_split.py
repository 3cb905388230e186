"""What a part payment pays of a document (INV-11)."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain.faults import Fault
from invoice.domain.split import STANDARD_SPLIT, Parts, RuleSet, parse_split, split_movements, split_settled

# Goods 1,000.00, tax 200.00, freight 100.00, charges 50.00.
DOCUMENT = Parts(100_000, 20_000, 10_000, 5_000)
amounts = st.integers(0, 10**6)
documents = st.builds(Parts, amounts, amounts, amounts, amounts)
rule_sets = st.sampled_from(RuleSet)


@pytest.mark.parametrize(
    ("rule_set", "settled", "expected"),
    [
        (RuleSet.LINE_FIRST_TAX_AFTER, 60_000, Parts(60_000)),
        (RuleSet.LINE_FIRST_TAX_AFTER, 110_000, Parts(100_000, 10_000)),
        (RuleSet.LINE_FIRST_TAX_AFTER, 132_000, Parts(100_000, 20_000, 10_000, 2_000)),
        (RuleSet.LINE_AND_TAX_PRORATE, 60_000, Parts(50_000, 10_000)),
        (RuleSet.LINE_AND_TAX_PRORATE, 125_000, Parts(100_000, 20_000, 5_000)),
        (RuleSet.PRORATE_ALL, 67_500, Parts(50_000, 10_000, 5_000, 2_500)),
        (RuleSet.PRORATE_ALL, 135_000, DOCUMENT),
        (RuleSet.COSTS_INTEREST_PRINCIPAL, 4_000, Parts(0, charges_minor=4_000)),
        (RuleSet.COSTS_INTEREST_PRINCIPAL, 70_000, Parts(50_000, 10_000, 5_000, 5_000)),
    ],
)
def test_a_part_payment_is_split_by_the_rule_set(rule_set: RuleSet, settled: int, expected: Parts) -> None:
    """INV-11: Line First - Tax After, Line and Tax Prorate, Prorate All. PAY-12: costs and interest before the principal."""
    assert split_settled(settled, DOCUMENT, rule_set) == expected


@pytest.mark.parametrize("rule_set", RuleSet)
def test_overapplication_comes_last(rule_set: RuleSet) -> None:
    """INV-11: only what is more than the whole document is over."""
    assert split_settled(136_000, DOCUMENT, rule_set) == Parts(100_000, 20_000, 10_000, 5_000, 1_000)
    assert split_settled(7, Parts(0), rule_set) == Parts(0, over_minor=7)


@given(st.lists(st.integers(0, 10**6), max_size=20), documents, rule_sets)
def test_part_payments_add_up_to_each_part(payments: list[int], document: Parts, rule_set: RuleSet) -> None:
    """INV-11: however it is paid, no cent is lost, none is taken back, and all paid is every part paid."""
    splits = split_movements(payments, document, rule_set)

    assert [split.total_minor for split in splits] == payments
    for split in splits:
        assert min(split.goods_minor, split.tax_minor, split.freight_minor, split.charges_minor, split.over_minor) >= 0
    if sum(payments) >= document.total_minor:
        assert sum(split.goods_minor for split in splits) == document.goods_minor
        assert sum(split.tax_minor for split in splits) == document.tax_minor
        assert sum(split.freight_minor for split in splits) == document.freight_minor
        assert sum(split.charges_minor for split in splits) == document.charges_minor


@given(st.lists(st.integers(-(10**6), 10**6), max_size=20), documents, rule_sets)
def test_what_is_taken_back_is_undone(movements: list[int], document: Parts, rule_set: RuleSet) -> None:
    """INV-11: whatever came between, once all is taken back nothing is left of any part."""
    splits = split_movements([*movements, -sum(movements)], document, rule_set)

    assert sum(split.total_minor for split in splits) == 0
    for part in ("goods_minor", "tax_minor", "freight_minor", "charges_minor", "over_minor"):
        assert sum(getattr(split, part) for split in splits) == 0


@given(documents, st.integers(0, 3 * 10**6))
def test_the_tax_of_a_prorated_payment_is_the_nearest_cent(document: Parts, settled: int) -> None:
    """INV-11: tax is rounded first, because it is declared."""
    split = split_settled(settled, document, RuleSet.PRORATE_ALL)
    paid = min(settled, document.total_minor)
    assert 2 * abs(split.tax_minor * document.total_minor - paid * document.tax_minor) <= document.total_minor


@given(documents, st.lists(st.integers(0, 4 * 10**6), min_size=2, max_size=10), rule_sets)
def test_more_settled_is_never_less_of_any_part(document: Parts, settled: list[int], rule_set: RuleSet) -> None:
    """INV-11: which the largest remainder over four parts at once would not promise."""
    for less, more in pairwise(split_settled(minor, document, rule_set) for minor in sorted(settled)):
        grown = more - less
        assert min(grown.goods_minor, grown.tax_minor, grown.freight_minor, grown.charges_minor, grown.over_minor) >= 0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (STANDARD_SPLIT, RuleSet.PRORATE_ALL),
        ({"rule_set": "line_first_tax_after"}, RuleSet.LINE_FIRST_TAX_AFTER),
        ({"rule_set": "tax_first"}, [Fault("RULE_SET_UNKNOWN", "rule_set")]),
        ({"rule_set": ["prorate_all"]}, [Fault("RULE_SET_UNKNOWN", "rule_set")]),
        ({}, [Fault("MISSING", "rule_set")]),
        ({"rule_set": "prorate_all", "x": 1}, [Fault("FIELD_UNKNOWN", "x")]),
        ({"ruleset": "prorate_all"}, [Fault("FIELD_UNKNOWN", "ruleset"), Fault("MISSING", "rule_set")]),
    ],
)
def test_a_split_policy_is_read_or_told_every_fault(body: dict[str, Any], expected: object) -> None:
    """INV-11, XC-07"""
    assert parse_split(body) == expected
