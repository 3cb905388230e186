"""What of a poll one transaction takes: the watermark rule as a pure function (docs/messaging.md section 10)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from chassis.business_day import OpenDay
from chassis.record import Broken, Fresh, MarkerMet, Record
from chassis.streams import Mark, Place

Item: TypeAlias = MarkerMet | Fresh | Broken


@dataclass(slots=True)
class Chosen:
    """
    What of a poll one transaction takes: facts to handle, markers met, records to hold, and how far each partition gets.

    `is_cut` says that the limit ended it: more may go now.
    """

    apply: list[Fresh | Broken] = field(default_factory=list)
    markers: dict[tuple[str, int, str], date] = field(default_factory=dict)
    hold: list[tuple[Record, str, date]] = field(default_factory=list)
    reached: dict[Place, int] = field(default_factory=dict)
    is_cut: bool = False


def choose(
    polled: Mapping[Place, Sequence[Item]],
    positions: Mapping[Place, int],
    days: Mapping[str, OpenDay],
    seen: dict[Mark, date],
    held: Collection[Mark],
    *,
    holding_topics: frozenset[str],
    hold: bool,
    limit: int,
) -> Chosen:
    """
    Take the longest prefix of every partition that may be handled now; pure but for `seen`, which it advances by the markers met.

    A record of an entity that stands behind a marker of a day not yet open, or behind something held of that entity, is held (`hold`) or
    ends the prefix. Feedback is never held; while the day turns it ends the prefix, or it would change books that the day's work has
    judged already. Markers are noted at once: the highest counts.
    """
    out = Chosen()
    blocked_here = set(held)
    for place, items in sorted(polled.items()):
        for item in items:
            if item.record.offset < positions[place]:
                continue
            if len(out.apply) + len(out.hold) >= limit:
                out.is_cut = True
                break
            if isinstance(item, MarkerMet):
                mark = (*place, item.entity)
                if item.entity in days:
                    seen[mark] = out.markers[mark] = max(item.day, seen.get(mark, date.min))
                out.reached[place] = item.record.offset + 1
                continue
            entity = item.entity if isinstance(item, Fresh) else None
            day = days.get(entity or "")
            if entity is not None and day is not None and place[0] not in holding_topics and day.turning_on is not None:
                break
            if entity is not None and day is not None and place[0] in holding_topics:
                mark = (*place, entity)
                behind = seen.get(mark, date.min)
                if mark in blocked_here or behind > day.open_on or day.turning_on is not None:
                    if not hold:
                        break
                    out.hold.append((item.record, entity, max(behind, day.turning_on or date.min)))
                    blocked_here.add(mark)
                    out.reached[place] = item.record.offset + 1
                    continue
            out.apply.append(item)
            out.reached[place] = item.record.offset + 1
    return out
