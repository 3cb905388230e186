"""Reading and writing the content of a fact: our structs beside pydantic, as the naive hop uses it."""

import time
from collections.abc import Callable, Collection
from typing import Any, Final

import msgspec
from events import erp

from bench.case import Case, Round
from bench.contest import Contender, contest
from bench.facts import Told
from bench.naive.hop import InvoiceIssued
from bench.race import Race

DECODE: Final = "codec_decode"
ENCODE: Final = "codec_encode"
NAMES: Final = (DECODE, ENCODE)
_PYDANTIC: Final = "pydantic"


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Read, then write, the same facts both ways."""
    values = [record.value for record in Told().issue(race.sizes.n)]
    with race.bar("codec", race.sizes.rounds) as bar:
        rounds = await contest(
            race,
            {
                DECODE: _timed(values, msgspec.json.Decoder(erp.InvoiceIssued).decode),
                f"{DECODE} {_PYDANTIC}": _timed(values, InvoiceIssued.model_validate_json),
                ENCODE: _timed([msgspec.json.decode(value, type=erp.InvoiceIssued) for value in values], msgspec.json.Encoder().encode),
                f"{ENCODE} {_PYDANTIC}": _timed(
                    [InvoiceIssued.model_validate_json(value) for value in values], InvoiceIssued.model_dump_json
                ),
            },
            bar,
        )
    return [Case(name, "facts", rounds[name], {_PYDANTIC: rounds[f"{name} {_PYDANTIC}"]}) for name in NAMES if name in wanted]


def _timed(contents: list[Any], work: Callable[[Any], object]) -> Contender:
    async def once() -> Round:
        began_at = time.perf_counter()
        for content in contents:
            work(content)
        return Round(len(contents), time.perf_counter() - began_at)

    return once
