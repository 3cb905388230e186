"""What is kept of documents and receipts as JSON, and read back with their rows."""

from datetime import date
from typing import Any

import msgspec

from payment.domain import Stated, Tier
from payment.domain.findings import Line
from payment.domain.instalments import Early


class _Early(msgspec.Struct, frozen=True):
    tiers: list[tuple[date, int, int]]
    prorated: bool
    unearned: bool


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    document_no: str
    n: int | None = None
    amount: int | None = None
    gross: int | None = None
    deductions: list[tuple[str, int]] = msgspec.field(default_factory=list)


_read_early = msgspec.json.Decoder(_Early).decode
_read_lines = msgspec.json.Decoder(list[_Line]).decode


def early_to_json(early: Early) -> str:
    """Write the discount terms of an instalment: see `tables.ledger.Item`."""
    return msgspec.json.encode(
        _Early([(tier.until_on, tier.amount_minor, tier.tax_minor) for tier in early.tiers], early.is_prorated, early.unearned_allowed)
    ).decode()


def early_from_json(text: str) -> Early:
    """Read what `early_to_json` wrote."""
    kept = _read_early(text)
    return Early(tuple(Tier(*tier) for tier in kept.tiers), kept.prorated, kept.unearned)


def stated_to_json(lines: list[dict[str, Any]]) -> str:
    """Write what a remittance states, amounts in minor units, document numbers caseless: see `tables.ledger.Receipt`."""
    return msgspec.json.encode(msgspec.convert(lines, list[_Line])).decode()


def stated_from_json(text: str) -> tuple[Stated, ...]:
    """Read what of it the settlement needs."""
    return tuple(Stated(line.document_no, line.n, line.amount, tuple(line.deductions)) for line in _read_lines(text))


def lines_about(text: str, document_no: str) -> tuple[Line, ...]:
    """Read what of it findings need: what is said of one document."""
    number = document_no.casefold()
    return tuple(
        Line(line.n, line.gross, tuple(code for code, _ in line.deductions)) for line in _read_lines(text) if line.document_no == number
    )
