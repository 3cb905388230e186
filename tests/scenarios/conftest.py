"""The stream of A14, told once in order and in disorder by several seeds; each is told when first asked for."""

from collections.abc import Mapping

import pytest
from testkit.books import Retold
from testkit.story import Story
from testkit.stream import STREAM
from testkit.world import World

NUMBERS = (0, *(pytest.param(number, marks=pytest.mark.torture) for number in range(1, 6)))


@pytest.fixture(scope="session")
def in_order(world: World) -> Mapping[str, Story]:
    """The stories of the stream, one after the other, every fact once."""
    stories = {name: story(f"{name}-O") for name, story in STREAM.items()}
    set_limit(world, stories)
    for story in stories.values():
        world.tell(story)
    return stories


@pytest.fixture(scope="session", params=NUMBERS, ids=lambda number: f"shuffle-{number}")
def shuffled(request: pytest.FixtureRequest, world: World, in_order: Mapping[str, Story]) -> Retold:
    """The stories of the stream at once, every fact twice, shuffled between the markers of a day, the bank before the ERP."""
    stories = {name: story(f"{name}-{request.param}") for name, story in STREAM.items()}
    seed = f"{world.seed}/{request.param}"
    set_limit(world, stories)
    world.tell_in_disorder([*stories.values()], seed=seed)
    set_limit(world, stories)
    return Retold(world, seed, in_order, stories)


def set_limit(world: World, stories: Mapping[str, Story]) -> None:
    """A12: the one command of the stream; sent again it is the same command."""
    entity = stories["EXAMPLES"].entity
    body = {"entity": entity, "currency": "USD", "limit": "50000.00"}
    answer = world.put("credit", "/v1/accounts/C-12/limit", body, key=f"{entity}-limit", roles=("credit-analyst",))
    assert answer.status_code == 200, answer.text
