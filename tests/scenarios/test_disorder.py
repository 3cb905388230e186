"""A14: the same facts, shuffled and doubled, end in the same books."""

import json
from collections import Counter
from typing import Any

import pytest
from testkit.stories import STORIES, Story
from testkit.world import World

pytestmark = pytest.mark.scenario


@pytest.mark.parametrize("copy", ["X", "Y"])
def test_stories_told_in_disorder_end_in_the_same_books_as_in_order(world: World, copy: str) -> None:
    """A14, EVT-03, W1: all stories as one stream, every fact twice, shuffled within each day, the bank before the ERP."""
    for name, story in STORIES.items():
        world.tell(story(f"{name}I"))

    world.tell_in_disorder([story(name + copy) for name, story in STORIES.items()])

    for name, story in STORIES.items():
        in_order, in_disorder = books(world, story(f"{name}I")), books(world, story(name + copy))
        different = {"in order": sorted(in_order - in_disorder), "in disorder": sorted(in_disorder - in_order)}
        assert not any(different.values()), f"{story.__name__} with SEED={world.seed}: {json.dumps(different, indent=1)}"


def books(world: World, story: Story) -> Counter[str]:
    """Everything the services say about a story's entity as lines that can be compared with those of another entity."""
    entity, days = story.entity, sorted({*story.days, story.ends_on})
    answers = [
        *world.read("payment", "/v1/items", entity, limit="1000")["items"],
        *({**world.receipt(entity, ref), "identified_by": None} for ref in story.receipts),  # By which of two clues is a matter of order.
        *world.notices(entity),
        *world.read("invoice", "/v1/invoices", entity, limit="200")["invoices"],
        *(world.get("credit", f"/v1/accounts/{one}", entity=entity).json() for one in story.customers),
        *(world.read("dunning", f"/v1/accounts/{one}", entity) for one in story.customers),
        *(
            world.read("reporting", "/v1/aging", entity, as_of=str(as_of), known_at=str(known_at), by="customer")
            for as_of in days
            for known_at in days
        ),
        *(world.read("reporting", "/v1/roll-forward", entity, month=f"{day:%Y-%m}") for day in days),
        *(world.read("reporting", "/v1/kpis", entity, as_of=str(day), known_at=str(day)) for day in days),
    ]
    return Counter(json.dumps(comparable(answer), sort_keys=True).replace(entity, "ENTITY") for answer in answers)


def comparable(value: Any) -> Any:
    """Sort every list: services list things as they came, and that is the one thing that disorder may change."""
    if isinstance(value, dict):
        return {name: comparable(one) for name, one in value.items()}
    if isinstance(value, list):
        return sorted(map(comparable, value), key=json.dumps)
    return value
