"""The business day as a watermark: markers that travel through every partition of every topic."""

from datetime import date

import msgspec

from events.fact import Event, fact


@fact("receivables.BusinessDayStarted.v1", topic="*")
class BusinessDayStarted(Event, frozen=True, kw_only=True):
    """
    Stands in every partition of a topic when a business day of an entity starts there.

    In an ingress topic: queued by the owner of the calendar at the entity's midnight. In a service's own topic: everything that service
    books before `date`, and its work of `date`, stands before the marker. Neither deduplicated by sequence nor parked: the highest counts.

    Does not imply that other topics are as far.
    """

    entity: str
    date: date


class MissingMarker(msgspec.Struct, frozen=True, kw_only=True):
    """A partition whose marker had not come when the day opened."""

    topic: str
    partition: int


@fact("receivables.DayOpenedWithout.v1", topic="*")
class DayOpenedWithout(Event, frozen=True, kw_only=True):
    """
    Published in a service's own topic when a day opened there although a marker was missing for longer than `patience`.

    Raises an alarm. Does not imply loss: what comes from the missing partition later is booked on the day open then, and counted.
    """

    entity: str
    date: date
    service: str
    missing: list[MissingMarker]
