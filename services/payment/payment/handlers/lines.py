"""Reading what a payer says of documents one by one: into what is kept of it, or into every reason why not."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
from events.bank import Deduction, RemittanceLine
from events.ingress import check_identifier
from events.invoice import Reason
from money import AmountRefused, parse_minor

from payment.handlers.kept import stated_to_json

LINES_MAX: Final = 1_000
"""No remittance has more lines: a batch locks each document it names."""
DEDUCTIONS_MAX: Final = 20
INSTALMENTS_MAX: Final = 10_000


class Lines(NamedTuple):
    """
    The lines of a remittance: as kept (`handlers.kept`), the documents they name, caseless, each once, and what they pay together.

    `content` says all of it, also what is not kept: other lines have another.
    """

    stated: str
    numbers: tuple[str, ...]
    total_minor: int
    content: str


def read_lines(lines: Sequence[RemittanceLine], currency: str) -> Lines | list[Reason]:
    """
    Read lines whose amounts are in a currency that is known.

    An amount below zero is a credit that the payer nets. What a payer keeps back, `discount_taken` and `deductions`, is positive. Where
    something is kept back and `gross` is left out, it is the sum.
    """
    if len(lines) > LINES_MAX:
        return [Reason(code="TOO_MANY", field="lines")]
    reasons: list[Reason] = []
    read = [_read_line(line, f"lines[{place}]", currency, reasons) for place, line in enumerate(lines)]
    if reasons:
        return reasons
    return Lines(
        stated=stated_to_json(
            [{name: part for name, part in line.items() if name != "discount_taken" and part is not None} for line in read]
        ),
        numbers=tuple(dict.fromkeys(line["document_no"] for line in read)),
        total_minor=sum(line["amount"] or 0 for line in read),
        content=msgspec.json.encode(read).decode(),
    )


def _read_line(line: RemittanceLine, at: str, currency: str, reasons: list[Reason]) -> dict[str, Any]:
    if reason := check_identifier(f"{at}.document_no", line.document_no):
        reasons.append(reason)
    if line.n is not None and not 1 <= line.n <= INSTALMENTS_MAX:
        reasons.append(Reason(code="OUT_OF_RANGE", field=f"{at}.n"))
    if len(line.deductions) > DEDUCTIONS_MAX:
        reasons.append(Reason(code="TOO_MANY", field=f"{at}.deductions"))
    amount = _read_minor(line.amount, currency, f"{at}.amount", reasons)
    gross = _read_minor(line.gross, currency, f"{at}.gross", reasons)
    discount_taken = _read_positive(line.discount_taken, currency, f"{at}.discount_taken", reasons)
    deductions = [
        _read_deduction(one, f"{at}.deductions[{place}]", currency, reasons) for place, one in enumerate(line.deductions[:DEDUCTIONS_MAX])
    ]
    kept_back = (discount_taken or 0) + sum(minor for _, minor in deductions)
    if gross is None and amount is not None and kept_back:
        gross = amount + kept_back
    return {
        "document_no": line.document_no.casefold(),
        "n": line.n,
        "amount": amount,
        "gross": gross,
        "discount_taken": discount_taken,
        "deductions": deductions,
    }


def _read_deduction(deduction: Deduction, at: str, currency: str, reasons: list[Reason]) -> tuple[str, int]:
    if reason := check_identifier(f"{at}.code", deduction.code):
        reasons.append(reason)
    return deduction.code, _read_positive(deduction.amount, currency, f"{at}.amount", reasons) or 0


def _read_positive(text: str | None, currency: str, field: str, reasons: list[Reason]) -> int | None:
    minor = _read_minor(text, currency, field, reasons)
    if minor is not None and minor <= 0:
        reasons.append(Reason(code="AMOUNT_NOT_POSITIVE", field=field))
    return minor


def _read_minor(text: str | None, currency: str, field: str, reasons: list[Reason]) -> int | None:
    try:
        return None if text is None else parse_minor(text, currency)
    except AmountRefused as refused:
        reasons.append(Reason(code=refused.code, field=field))
        return None
