"""How business days travel: who waits for whose markers, without going round in a circle, and as docs/messaging.md says."""

import re
from collections.abc import Mapping, Sequence

from chassis.business_day import TOPIC_OWNERS
from chassis.service import Subscriptions

from testkit.tidy.checkout import Checkout

PAGE = "docs/messaging.md"


def cycles(subscriptions: Mapping[str, Subscriptions]) -> list[str]:
    """
    A day that opens must not wait for itself: along the topics waited for, no service comes before itself.

    Awaited feedback closes circles on purpose, because it is awaited for the day before only. Such a topic must not be waited for twice.
    """
    waits = {name: [TOPIC_OWNERS[topic] for topic in heard.forward if topic in TOPIC_OWNERS] for name, heard in subscriptions.items()}
    found = [f"{' waits for '.join(circle)}" for name in waits if (circle := _circle(name, waits))]
    for name, heard in subscriptions.items():
        found += [f"{name} waits for {topic} twice, and with it for its own day" for topic in set(heard.forward) & set(heard.feedback)]
        found += [
            f"{name} awaits {topic} of the day before and does not hear it" for topic in set(heard.feedback_awaited) - set(heard.feedback)
        ]
    return sorted(found)


def _circle(start: str, waits: Mapping[str, Sequence[str]]) -> list[str] | None:
    """Return the shortest way from a service back to itself."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for after in waits.get(way[-1], ()):
            if after == start:
                return [*way, after]
            if after not in seen:
                seen.add(after)
                ways.append([*way, after])
    return None


def undescribed(checkout: Checkout, subscriptions: Mapping[str, Subscriptions]) -> list[str]:
    """The table of docs/messaging.md says exactly which topics each service waits for and which it hears at once."""
    rows = {name: cells for name, *cells in re.findall(r"^\| (\w+) \|([^|\n]*)\|([^|\n]*)\|$", checkout.read(PAGE), re.MULTILINE)}
    found = []
    for name, heard in subscriptions.items():
        waits, at_once = rows.get(name, ("", ""))
        for title, cell, topics in (("waits for", waits, heard.forward), ("hears at once", at_once, [*heard.feedback, *heard.at_once])):
            said = set(re.findall(r"`([a-z.]+)`", cell))
            found += [f"{PAGE}: {name} {title} {topic}, which is not said" for topic in sorted({*topics} - said)]
            found += [f"{PAGE}: {name} {title} {topic}, which is not so" for topic in sorted(said - {*topics})]
    return found
