"""
The books of a story that was told to its end: what the services say about its entity, as lines.

Each part of them is a function. Two entities that were told the same facts must have the same lines, whatever the order was:
the entity's name is written ENTITY, and lists are sorted, because services list things as they came.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, TypeAlias

from chassis.record import Fresh, classify, content_of

from testkit.story import Story
from testkit.world import World

Lines: TypeAlias = Counter[str]
DOCUMENTS: Final = {"/v1/invoices": "invoices", "/v1/debit-memos": "debit_memos", "/v1/credit-memos": "credit_memos"}
DECISIONS: Final = {
    "/v1/adjustments": "adjustments",
    "/v1/late-charges": "late_charges",
    "/v1/billing-schedules": "schedules",
    "/v1/bills": "bills",
}
"""Lists of the invoice service, and how each names its rows."""
OF_MONEY: Final = {"/v1/refunds": "refunds", "/v1/returns": "returns", "/v1/findings": "findings", "/v1/overdue": "items"}
"""Lists of the payment service, likewise."""
_INSTANTS: Final = ("requested_at", "decided_at")
Part: TypeAlias = Callable[[World, Story], Lines]
_ITEMS_MAX = "1000"
_PAGE = "200"


def items(world: World, story: Story) -> Lines:
    """What is open of every item and memo, as ledger, invoice, dunning and reporting have it."""
    entity = story.entity
    return _lines(
        entity,
        [
            *world.read("payment", "/v1/items", entity, limit=_ITEMS_MAX)["items"],
            *(one for path, name in DOCUMENTS.items() for one in _all(world, path, name, entity)),
            *(world.read("dunning", f"/v1/accounts/{one}", entity) for one in story.customers),
            *(world.read("reporting", "/v1/items", entity, customer=one, limit=_ITEMS_MAX) for one in story.customers),
        ],
    )


def decisions(world: World, story: Story) -> Lines:
    """What people and policies have decided: adjustments, bad debt by customer, late charges, billing schedules and bills."""
    entity = story.entity
    bad_debts = (world.read("invoice", f"/v1/customers/{one}/bad-debt", entity) for one in story.customers)
    return _lines(entity, [*bad_debts, *(one for path, name in DECISIONS.items() for one in _all(world, path, name, entity))])


def facts_of_documents(world: World, story: Story) -> Lines:
    """Every fact of the invoice service: its type, its effective and its booked day, and what it says."""
    found = [one for one in map(classify, world.log("receivables.invoice")) if isinstance(one, Fresh) and one.entity == story.entity]
    told = {one.envelope.id: one for one in found}  # The stream repeats what was said.
    return _lines(story.entity, [_said(one) for one in told.values()])


def dispositions(world: World, story: Story) -> Lines:
    """
    Where the money of every receipt is, with every application and its dates, and what each account has with us; what was paid back, taken
    back, and found when days turned.
    """
    # By which of two clues a payer was found is a matter of order: `identified_by` says the first that was enough.
    receipts = ({**world.receipt(story.entity, ref), "identified_by": None} for ref in story.receipts)
    listed = (one for path, name in OF_MONEY.items() for one in _all(world, path, name, story.entity, service="payment"))
    accounts = (world.read("payment", f"/v1/accounts/{one}", story.entity) for one in story.customers)
    without = ({name: value for name, value in one.items() if name not in _INSTANTS} for one in listed)
    return _lines(story.entity, [*receipts, *accounts, *without])


def exposures(world: World, story: Story) -> Lines:
    """Limit, exposure by component and what is available, by account and currency."""
    return _lines(story.entity, (world.read("credit", f"/v1/accounts/{one}", story.entity) for one in story.customers))


def notices(world: World, story: Story) -> Lines:
    """Every notice: account, day, level, total, and its items with the amounts that were open."""
    return _lines(story.entity, world.notices(story.entity))


def aging(world: World, story: Story) -> Lines:
    """Aging by customer as of every day, as it was known when that day closed and as it is known now."""
    asked = [(day, known_at) for day in _every_day(story) for known_at in (day, None)]
    return _lines(
        story.entity,
        [world.read("reporting", "/v1/aging", story.entity, as_of=day, known_at=known_at, by="customer") for day, known_at in asked],
    )


def closes(world: World, story: Story) -> Lines:
    """Roll-forward of every month and key figures at its end, as they were known then and as they are known now; and what rates gained."""
    month_ends = {f"{day:%Y-%m}": day for day in _every_day(story)}
    asked = [(month, day, known_at) for month, day in month_ends.items() for known_at in (day, None)]
    return _lines(
        story.entity,
        [
            *(world.read("reporting", "/v1/roll-forward", story.entity, month=month, known_at=known_at) for month, _, known_at in asked),
            *(world.read("reporting", "/v1/kpis", story.entity, as_of=day, known_at=known_at) for _, day, known_at in asked),
            *(
                world.read("reporting", "/v1/exchange-differences", story.entity, known_at=known_at, limit=_ITEMS_MAX, **_month(month, day))
                for month, day, known_at in asked
            ),
        ],
    )


def matching(world: World, story: Story) -> Lines:
    """How well the money of every month was matched by its end, and what was found about payments."""
    month_ends = {f"{day:%Y-%m}": day for day in _every_day(story)}
    return _lines(
        story.entity,
        [
            *(
                world.read("reporting", "/v1/match-quality", story.entity, as_of=day, **_month(month, day))
                for month, day in month_ends.items()
            ),
            world.read("reporting", "/v1/payment-findings", story.entity, limit=_ITEMS_MAX),
        ],
    )


def _month(month: str, last: date) -> dict[str, object]:
    return {"from": f"{month}-01", "until": last}


@dataclass(frozen=True, slots=True)
class Retold:
    """Stories by name, told in order of some entities and in disorder of others; `seed` repeats the disorder."""

    world: World
    seed: str
    in_order: Mapping[str, Story]
    in_disorder: Mapping[str, Story]

    def must_agree_on(self, part: Part) -> None:
        """Compare a part of the books; AssertionError with every line that is there or there only, and when there is none at all."""
        different = []
        for name, story in self.in_order.items():
            expected, came_out = part(self.world, story), part(self.world, self.in_disorder[name])
            assert expected, f"{name} has no {part.__name__}"
            different += [f"{name} in order:    {line}" for line in sorted(expected - came_out)]
            different += [f"{name} in disorder: {line}" for line in sorted(came_out - expected)]
        assert not different, "\n".join([f"SEED={self.world.seed}, {self.seed}:", *different])


def _all(world: World, path: str, name: str, entity: str, *, service: str = "invoice") -> Iterator[Any]:
    """Every page of a list of a service, whose rows are named so."""
    cursor = None
    while True:
        page = world.read(service, path, entity, limit=_PAGE, cursor=cursor)
        yield from page[name]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _said(fact: Fresh) -> dict[str, Any]:
    """What a fact says and when, without what tells one telling of it from another."""
    envelope = fact.envelope
    return {"type": envelope.type, "on": [str(envelope.effective_on), str(envelope.booked_on)], "data": content_of(fact.data)}


def _every_day(story: Story) -> list[date]:
    return [story.opens_on + timedelta(days=n) for n in range((story.ends_on - story.opens_on).days + 1)]


def _lines(entity: str, answers: Iterable[Any]) -> Lines:
    return Counter(json.dumps(_sorted(answer), sort_keys=True).replace(entity, "ENTITY") for answer in answers)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(one) for name, one in value.items()}
    if isinstance(value, list):
        return sorted(map(_sorted, value), key=json.dumps)
    return value
