"""Playing a story to a payment service, in the order it is told or another, and reading the books it ends in."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec
from events.fact import Event

from testkit.chance.people import People
from testkit.chance.story import Facts, Story, day_of, must_precede, told_of
from testkit.service import Published, ServiceUnderTest

BOOKS: Final[Mapping[str, str]] = {
    "item": "SELECT * FROM chk.item WHERE entity = $1",
    "receipt": "SELECT * FROM chk.receipt WHERE entity = $1",
    "memo": "SELECT * FROM chk.memo WHERE entity = $1",
    "adjustment": "SELECT * FROM chk.adjustment WHERE entity = $1",
    "transfer": "SELECT * FROM chk.transfer WHERE transfer LIKE $1 || '|%'",
    "refund": "SELECT refund, amount_minor, status FROM chk.refund WHERE entity = $1",
    "return": "SELECT bank_return.bank_ref, receipt.bank_ref AS receipt, receipt.debited_on FROM bank_return"
    " LEFT JOIN receipt ON receipt.id = receipt_id WHERE bank_return.entity = $1",
    "entry": (
        "SELECT account.account, receipt.bank_ref AS receipt, memo.document_no AS memo, void.document_no AS void,"
        " allowance.bank_ref AS allowance, adjustment.adjustment, item.n, document.document_no AS item, application, rule, applied_on,"
        " entry.booked_on, entry.effective_on, sum(entry.amount_minor)::text AS amount_minor"
        " FROM entry JOIN account ON account.id = entry.account_id LEFT JOIN receipt ON receipt.id = entry.receipt_id"
        " LEFT JOIN document AS memo ON memo.id = entry.memo_id LEFT JOIN document AS void ON void.id = entry.void_id"
        " LEFT JOIN receipt AS allowance ON allowance.id = entry.allowance_id LEFT JOIN adjustment ON adjustment.id = entry.adjustment_id"
        " LEFT JOIN item ON item.id = entry.item_id LEFT JOIN document ON document.id = item.document_id"
        " WHERE account.entity = $1 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 HAVING sum(entry.amount_minor) <> 0"
    ),
    "suggestion": "SELECT suggestion, account, rule, score_bps, items, state, made_on FROM suggestion WHERE entity = $1",
}
"""What a service says of an entity's money that may hang on no order: balances, dispositions, entries net by account, source and date."""
_MAY_BE_TAKEN_BACK: Final = {
    "PaymentApplied": "applied",
    "CreditApplied": "applied",
    "DiscountGranted": "granted",
    "AdjustmentPosted": "adjusted",
    "OnAccountCredited": "on-account",
}
_TAKES_BACK: Final = {
    "ApplicationReversed": "applied",
    "DiscountRevoked": "granted",
    "AdjustmentReversed": "adjusted",
    "ReceiptUnapplied": "on-account",
}
"""Facts of which one takes back what another told: only their sum hangs on no order."""
_NAMES: Final = ("application", "discount", "adjustment", "receipt", "memo", "item", "account", "currency")
_OF_ORDER: Final = ("account", "references")
"""What a fact about money that has just come says by what has come before it."""


Balance: TypeAlias = Callable[[ServiceUnderTest], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Order:
    """How the facts of a spell come: all at once as they stand, or, with a seed, shuffled, in batches, some of them twice."""

    seed: int | None = None

    def batches(self, facts: Facts, chance: random.Random) -> Iterator[tuple[Facts, bool]]:
        """Cut facts into batches, and say which of them come again."""
        if self.seed is None:
            if facts:
                yield facts, False
            return
        left = _shuffled(facts, chance)
        while left:
            size = chance.choice((1, 1, 1, 2, 3, len(left)))
            yield tuple(left[:size]), chance.random() < 0.3
            del left[:size]


@dataclass(slots=True)
class Outcome:
    """What a story came to: the answers to people, the books when each day had turned, and what was told."""

    answers: list[str] = field(default_factory=list)
    books: list[Counter[str]] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)


async def play(payment: ServiceUnderTest, story: Story, entity: str, order: Order, assert_books_balance: Balance) -> Outcome:
    """
    Play a story to its end, of an entity that nothing has been told of.

    :param assert_books_balance: is asked when a day has turned.
    :raises AssertionError: something was parked, or the books do not balance, or a person had no answer.
    """
    people, outcome, chance = People(payment, entity), Outcome(), random.Random(order.seed)
    said: list[Published] = []
    for n, spells in enumerate(story.days):
        for spell in spells:
            for facts, is_repeated in order.batches(spell.facts, chance):
                await payment.receive(*(told_of(fact, entity) for fact in facts), entity=entity)
                if is_repeated:
                    await payment.receive_again()
                await _assert_nothing_is_parked(payment)
            for deed in spell.deeds:
                await people.do(deed)
        await payment.turn(entity, day_of(n + 1))
        await _assert_nothing_is_parked(payment)
        await assert_books_balance(payment)
        outcome.books.append(await _books(payment, entity))
        said += payment.published_envelopes()
    outcome.answers = people.answers
    outcome.told = net(said)
    return outcome


def differences(expected: Outcome, found: Outcome) -> list[str]:
    """Say what is in one outcome only: the answers, else the books of the first day that differ, else what was told."""
    pairs = [(Counter(expected.answers), Counter(found.answers)), *zip(expected.books, found.books, strict=True)]
    for one, other in [*pairs, (expected.told, found.told)]:
        if one != other:
            return [f"- {line}" for line in sorted(one - other)] + [f"+ {line}" for line in sorted(other - one)]
    return []


def _shuffled(facts: Facts, chance: random.Random) -> list[Event]:
    """Shuffle, and let nothing stand before what it must follow."""
    left = chance.sample(facts, len(facts))
    ordered: list[Event] = []
    while left:
        first = next(fact for fact in left if not any(must_precede(other, fact) for other in left if other is not fact))
        ordered.append(first)
        left.remove(first)
    return ordered


async def _assert_nothing_is_parked(payment: ServiceUnderTest) -> None:
    parked = await payment.db.pool.fetch("SELECT * FROM chassis.parked")
    assert not parked, f"parked: {[dict(row) for row in parked][:1]}"


async def _books(payment: ServiceUnderTest, entity: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, query in BOOKS.items():
        for row in await payment.db.pool.fetch(query, entity):
            found[f"{name} {json.dumps(dict(row), default=str)}"] += 1
    return found


def net(said: Sequence[Published]) -> Counter[str]:
    """
    Return what was told, without what came and went again on the way.

    Who paid money is in the books: when that was known, and by which of two clues, is a matter of order.
    """
    plain: Counter[str] = Counter()
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in said:
        name, data = type(one.data).__name__, msgspec.to_builtins(one.data)
        on = f"{one.envelope.effective_on} {one.envelope.booked_on}"
        if name in ("PayerIdentified", "PayerUnknown"):
            continue
        if name == "FxRealised":
            sums[f"{name} {on} {_named(data)}"] += Decimal(data["gain"]) - Decimal(data["loss"])
        elif name in _TAKES_BACK:
            sums[f"{_TAKES_BACK[name]} {on} {_named(data)}"] -= Decimal(data["amount"])
        elif name in _MAY_BE_TAKEN_BACK:
            sums[f"{_MAY_BE_TAKEN_BACK[name]} {on} {_named(data)}"] += Decimal(data["amount"])
        else:
            told = {field: value for field, value in data.items() if name != "PaymentReceived" or field not in _OF_ORDER}
            plain[f"{name} {on} {json.dumps(told, sort_keys=True)}"] += 1
    return plain + Counter({f"{key} {amount}": 1 for key, amount in sums.items() if amount})


def _named(data: Mapping[str, object]) -> str:
    return json.dumps({name: data[name] for name in _NAMES if data.get(name) is not None})
