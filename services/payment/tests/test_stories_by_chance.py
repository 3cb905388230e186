"""
Stories by chance: whatever comes and whatever people do, nothing fails, and the books and facts are those of each day's set.

Each story is played twice, to two services: as it stands, and with the facts of every day in another order, in other batches, some of them
twice. `STORIES=n` plays more of them, `SEED=n` begins with another one; a story that breaks something is made small and shown.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from zoneinfo import ZoneInfo

import pytest
from chassis.entities import SERVICES, Entities, Entity
from events import invoice
from payment.app import SERVICE
from testkit.chance.invention import invent
from testkit.chance.play import Order, differences, play
from testkit.chance.shrink import smallest
from testkit.chance.story import FIRST_DAY, Story
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

Balance = Callable[[ServiceUnderTest], Awaitable[None]]
STORIES = int(os.environ.get("STORIES") or 10)
FIRST = int(os.environ.get("SEED") or 1)
AT_ONCE = 10
"""Stories that are told to one pair of services: queries that judge the books read all of them."""
PLAYS_MAX = 150
"""So many stories are played to make one small."""


class Judge:
    """Plays stories to pairs of services, each of an entity that nothing has been told of; what both say of it must be the same."""

    def __init__(self, database_url: Callable[[str], str], assert_books_balance: Balance) -> None:
        self.said = ""
        self._database_url = database_url
        self._assert_books_balance = assert_books_balance
        self._opened = AsyncExitStack()
        self._services: list[ServiceUnderTest] = []
        self._unused: list[str] = []

    async def broken_by(self, story: Story) -> str:
        """Play a story and say what kind of thing it breaks, nothing if none; `said` is the whole of it."""
        if not self._unused:
            await self._open()
        entity = self._unused.pop()
        try:
            expected, found = [
                await play(service, story, entity, order, self._assert_books_balance)
                for service, order in zip(self._services, (Order(), Order(story.seed)), strict=True)
            ]
        except Exception as failed:  # Of whatever kind: this is what is looked for, and shown with the story.
            self._unused.clear()  # What is wrong in these books is no other story's.
            self.said = repr(failed)
            return type(failed).__name__
        different = [] if story.is_of_order else differences(expected, found)
        self.said = "\n".join(different)
        return "differs" if different else ""

    async def _open(self) -> None:
        await self.close()
        self._unused = [f"E{n:02}" for n in range(AT_ONCE)]
        zone = ZoneInfo("America/New_York")
        entities = Entities({one: Entity(one, "USD", zone, "US", FIRST_DAY, frozenset(), "told") for one in self._unused}, SERVICES)
        opening = [service_under_test(SERVICE, self._database_url("payment"), entities=entities) for _ in range(2)]
        self._services = [await self._opened.enter_async_context(one) for one in opening]

    async def close(self) -> None:
        """Leave the services."""
        await self._opened.aclose()


@pytest.fixture
async def judge(database_url: Callable[[str], str], assert_books_balance: Balance) -> AsyncIterator[Judge]:
    one = Judge(database_url, assert_books_balance)
    yield one
    await one.close()


@pytest.mark.parametrize("first", range(FIRST, FIRST + STORIES, AT_ONCE))
async def test_whatever_comes_in_whatever_order_the_books_are_those_of_the_facts(judge: Judge, first: int) -> None:
    """PAY-02, PAY-04 to PAY-11, PAY-13, PAY-16: docs/messaging.md section 11."""
    for seed in range(first, min(first + AT_ONCE, FIRST + STORIES)):
        if await judge.broken_by(invent(seed)):
            small = await smallest(invent(seed), judge.broken_by, plays_max=PLAYS_MAX)
            await judge.broken_by(small)
            pytest.fail(f"SEED={seed} STORIES=1\n{small}\n{judge.said}")


def test_the_same_seed_invents_the_same_story() -> None:
    assert [str(invent(seed)) for seed in range(20)] == [str(invent(seed)) for seed in range(20)]


def test_a_story_without_a_document_is_without_what_is_about_it() -> None:
    for seed in range(100):
        story = invent(seed)
        assert str(story.without(range(0))) == str(story)
        assert len(story.without(range(len(story)))) == 0
        told = [fact for spells in story.without(range(1)).days for spell in spells for fact in spell.facts]
        there = {fact.invoice for fact in told if isinstance(fact, invoice.Billed)}
        assert {fact.invoice for fact in told if isinstance(fact, invoice.InvoiceVoided | invoice.WriteOffApproved)} <= there
