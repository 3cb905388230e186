"""What one unit of a currency is worth in another: told by an ERP for a day, or stated with a document or with money."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

from torture.load.operation import Operation
from torture.load.plan.desk import Desk
from torture.load.wire import RATE

TOPIC: Final = "erp.reference"
_WORTH: Final[Mapping[str, int]] = {"USD": 10_000, "EUR": 10_900, "JPY": 67, "KWD": 32_500}
"""Of one unit, in ten-thousandths of a dollar, give or take."""


def drawn(random: Random, currency: str, into: str) -> str:
    """Draw a rate, up to five percent off the usual, as a decimal string of six places."""
    millionths = _WORTH[currency] * 1_000_000 * random.randint(9_500, 10_500) // (_WORTH[into] * 10_000)
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"


def rate_told(desk: Desk) -> Sequence[Operation]:
    """An ERP publishes a rate of a day, or another one of a day it has spoken of already."""
    foreign = [one for one in desk.world.customers if one.own_currency not in one.currencies[:1]]
    customer = desk.random.choice(foreign or list(desk.world.customers))
    currency = desk.random.choice([one for one in _WORTH if one != customer.own_currency])
    body = {
        "entity": customer.entity,
        "currency": currency,
        "rate": drawn(desk.random, currency, customer.own_currency),
        "rate_on": desk.day_near(5).isoformat(),
    }
    key = f"{body['entity']}|{currency}|{body['rate_on']}"
    return [desk.publication("rate", RATE, TOPIC, key, body, name=f"{key}|{desk.number()}")]
