"""What a total is made of: goods, freight and charges, each net, and tax; and how much of each a credit takes back."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import msgspec
from money import round_half_up

from invoice.domain.faults import Fault, check_sum, read_amount

LINE_KINDS: Final = ("goods", "freight", "charges")
LINES_MAX: Final = 10_000


class Line(NamedTuple):
    """One line as its sender wrote it: its net amount, negative for a deduction, what it is for, and its tax where that is told by line."""

    amount: str
    kind: str = "goods"
    tax: str | None = None


class LineMinor(NamedTuple):
    """A line in minor units."""

    amount: int
    kind: str
    tax: int | None


class Components(msgspec.Struct, frozen=True, gc=False):
    """
    The parts of a total, in minor units; none is negative. `goods_tax` is what of the tax is on goods, exactly.

    Where lines would make a part negative (freight given back, more than there is), the whole net amount counts as goods.
    """

    goods_minor: int
    tax_minor: int
    freight_minor: int
    charges_minor: int
    goods_tax: Fraction | int

    @property
    def net_minor(self) -> int:
        return self.goods_minor + self.freight_minor + self.charges_minor


def read_lines(lines: Sequence[Line], currency: str, faults: list[Fault]) -> list[LineMinor | None]:
    """Read lines; one that cannot be read is None, and every fault of it is told."""
    if len(lines) > LINES_MAX:
        faults.append(Fault("LINES_TOO_MANY", "lines"))
        return [None]
    read: list[LineMinor | None] = []
    for index, line in enumerate(lines):
        amount = read_amount(line.amount, currency, f"lines[{index}].amount", faults)
        tax = None if line.tax is None else read_amount(line.tax, currency, f"lines[{index}].tax", faults)
        if line.kind not in LINE_KINDS:
            faults.append(Fault("LINE_KIND_UNKNOWN", f"lines[{index}].kind"))
        is_read = amount is not None and (line.tax is None or tax is not None)
        read.append(LineMinor(amount, line.kind, tax) if is_read and amount is not None else None)
    return read


def check_amounts(
    total_minor: int | None, tax_minor: int | None, has_tax: bool, lines: Sequence[LineMinor | None], faults: list[Fault]
) -> int | None:
    """
    Check that lines and tax make the total, and return the tax of the document: as stated, else what the lines say, else None.

    `has_tax` says that a tax was stated, be it readable or not. A tax is neither negative nor more than the total.
    """
    known = [line for line in lines if line is not None]
    line_taxes = [line.tax for line in known if line.tax is not None]
    is_complete = len(known) == len(lines)
    if line_taxes and has_tax and is_complete:
        check_sum("TAX_SUM", "tax", line_taxes, tax_minor, faults)
    if not has_tax and line_taxes:
        tax_minor = sum(line_taxes)
    if lines and is_complete:
        check_sum("LINES_SUM", "lines", [*(line.amount for line in known), tax_minor if has_tax else (tax_minor or 0)], total_minor, faults)
    if tax_minor is not None and total_minor is not None and total_minor >= 0 and not 0 <= tax_minor <= total_minor:
        faults.append(Fault("TAX_OUT_OF_RANGE", "tax"))
    return tax_minor


def components_of(total_minor: int, tax_minor: int | None, lines: Sequence[LineMinor | None]) -> Components:
    """Say what a total is made of; without lines, all that is not tax is goods."""
    tax = tax_minor or 0
    if not lines:
        return Components(total_minor - tax, tax, 0, 0, tax)
    net, taxes = dict.fromkeys(LINE_KINDS, 0), dict.fromkeys(LINE_KINDS, 0)
    for line in lines:
        if line is not None:
            net[line.kind] += line.amount
            taxes[line.kind] += line.tax or 0
    if min(net.values()) < 0:
        return Components(total_minor - tax, tax, 0, 0, tax)
    whole = sum(net.values())
    by_line = any(line is not None and line.tax is not None for line in lines)
    goods_tax = taxes["goods"] if by_line else Fraction(tax * net["goods"], whole) if whole else tax
    return Components(net["goods"], tax, net["freight"], net["charges"], goods_tax)


class Parts(NamedTuple):
    """A net amount and its tax, in minor units."""

    net_minor: int
    tax_minor: int

    @property
    def total_minor(self) -> int:
        return self.net_minor + self.tax_minor


def credit_in_parts(billed: Parts, before: Parts, share: Fraction) -> Parts:
    """
    Credit a share of what was billed: each part rounded for itself, and the total is their sum (INV-06).

    `before` was credited already. Nothing is credited twice, and who credits the rest of the net amount takes the rest of the tax.
    """
    left = Parts(billed.net_minor - before.net_minor, billed.tax_minor - before.tax_minor)
    net = min(round_half_up(billed.net_minor * share), left.net_minor)
    tax = left.tax_minor if net == left.net_minor else min(round_half_up(billed.tax_minor * share), left.tax_minor)
    return Parts(max(net, 0), max(tax, 0))


def tax_in_total(billed: Parts, before: Parts, total_minor: int) -> int:
    """
    Return what of a credit's total is tax, in proportion to what was billed, never more than is left of it.

    Who credits all that is left takes the rest. What goes beyond the document is credit on account, without tax.
    """
    left_tax = max(billed.tax_minor - before.tax_minor, 0)
    if total_minor >= billed.total_minor - before.total_minor or not billed.total_minor:
        return min(left_tax, total_minor)
    return min(round_half_up(Fraction(billed.tax_minor * total_minor, billed.total_minor)), left_tax)
