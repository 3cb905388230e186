"""The same fact told again: byte for byte, under another id, with its amounts written otherwise, or in the other mode."""

import re
from collections.abc import Mapping
from random import Random
from typing import Any, Final

from torture.load.wire import SOURCES, Record, attributes, in_binary_mode, in_structured_mode, turned

LABEL: Final = b"torture"
"""The header by which a record tells whose it is: the id of its operation. Nobody but the rig knows it."""
_TIMES: Final = ((1, 2, 3, 4, 5), (60, 20, 10, 6, 4))
_AMOUNTS: Final = frozenset(("total", "amount", "tax", "open", "original_total", "gross", "discount_taken", "fee"))
_ZEROS_AT_THE_END: Final = re.compile(r"(\.\d*?)0+$", re.ASCII)


def copies_of(random: Random, id_: str, type_: str, topic: str, key: str, body: Mapping[str, Any], name: str = "") -> tuple[Record, ...]:
    """
    Write a fact as one to five records; the first is the plain one.

    Its CloudEvents id is the natural key, as naive senders choose it, or `name` where a fact of another type has that key as well.
    """
    (times,) = random.choices(_TIMES[0], _TIMES[1])
    label = (LABEL, id_.encode())
    name = name or key
    plain = attributes(type_, SOURCES[topic], name)
    first = in_binary_mode(topic, key, plain, body, label)
    copies = [first]
    for n in range(1, times):
        other = {**plain, "id": f"{name}#{n}"}
        copies.append(
            random.choice(
                (
                    first,
                    first,
                    in_binary_mode(topic, key, other, body, label),
                    in_binary_mode(topic, key, other, respelled(body), label),
                    in_binary_mode(topic, key, plain, turned(body), label),
                    in_structured_mode(topic, key, plain, body, label),
                )
            )
        )
    return tuple(copies)


def respelled(content: Any) -> Any:
    """Write every amount without zeros behind its point: "10.50" is "10.5"."""
    if isinstance(content, list):
        return [respelled(one) for one in content]
    if not isinstance(content, Mapping):
        return content
    return {name: _short(value) if name in _AMOUNTS and isinstance(value, str) else respelled(value) for name, value in content.items()}


def _short(amount: str) -> str:
    return _ZEROS_AT_THE_END.sub(r"\1", amount).rstrip(".")
