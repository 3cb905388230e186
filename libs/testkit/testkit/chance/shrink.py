"""Making a story that breaks something small enough to be read."""

from collections.abc import Awaitable, Callable

from testkit.chance.story import Story


async def smallest(story: Story, judged: Callable[[Story], Awaitable[str]], *, plays_max: int) -> Story:
    """
    Leave out of a story what it breaks the same way without, larger parts first.

    :param judged: plays a story and says what kind of thing it breaks; nothing when it breaks none.
    :param plays_max: so many stories are played; what is smallest then is returned.
    """
    broken = await judged(story)
    size = len(story)
    while size > 1 and plays_max > 0:
        size, at = (size + 1) // 2, 0
        while at < len(story) and plays_max > 0:
            smaller = story.without(range(at, at + size))
            plays_max -= 1
            if await judged(smaller) == broken:
                story = smaller
            else:
                at += size
    return story
