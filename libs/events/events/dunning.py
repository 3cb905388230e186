"""Facts of the dunning service (topic `receivables.collections`)."""

from datetime import date

import msgspec

from events.fact import Amount, Event, fact


class NoticedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item on a notice: the level it has reached with it and what was open when the noticed day closed."""

    item: str
    level: int
    due_on: date
    open: Amount


@fact("receivables.DunningNoticeSent.v1", topic="receivables.collections")
class DunningNoticeSent(Event, frozen=True, kw_only=True):
    """
    Published when a notice left through its channel: one per account and currency, over the facts booked up to `noticed_on`.

    Decided while the day after `noticed_on` turns, so it is booked on that day. `level` is the highest of its items.

    Does not imply a fee or interest, nor that the customer has read it.
    """

    entity: str
    notice: str
    account: str
    currency: str
    noticed_on: date
    level: int
    total: Amount
    items: list[NoticedItem]
    channel: str
