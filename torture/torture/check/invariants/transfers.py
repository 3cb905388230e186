"""M3, E5, D1: money that went from one account to another left the one as it came to the other, because the books or a person said so."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from torture.check.evidence import Evidence
from torture.check.finding import Finding, Harm
from torture.check.folded import TransferEnd
from torture.check.ledger_rows import Receipt, Transfer

PERSON = "person"


def m3_transfers_have_two_ends(evidence: Evidence) -> Iterator[Finding]:
    """
    M3: of every transfer the log has one end on the account that was left and one where it arrived, which say the same.

    So by entity and currency as much has left accounts as has come to others.
    """
    left: dict[tuple[str, str], int] = defaultdict(int)
    arrived: dict[tuple[str, str], int] = defaultdict(int)
    for name, one in sorted(evidence.folded.transfers.items()):
        for ends, sums in ((one.outs, left), (one.ins, arrived)):
            for end in ends:
                sums[end.entity, end.currency] += end.amount_minor
        if len(one.outs) != 1 or len(one.ins) != 1:
            harm = Harm.DOUBLE if max(len(one.outs), len(one.ins)) > 1 else Harm.LOST
            yield Finding("M3", name, f"left {len(one.outs)} times and arrived {len(one.ins)} times", harm)
            continue
        (out,), (into,) = one.outs, one.ins
        if out._replace(by=None) != into._replace(receipt=None):
            yield Finding("M3", name, f"left as {out}, arrived as {into}", residual_minor=abs(out.amount_minor - into.amount_minor))
    for entity, currency in sorted(left.keys() | arrived.keys()):
        if left[entity, currency] != arrived[entity, currency]:
            what = f"{left[entity, currency]} {currency} left accounts, {arrived[entity, currency]} came to others"
            yield Finding("M3", f"transfers of {entity}", what)


def m3_transferred_is_the_sum_of_transfers(evidence: Evidence) -> Iterator[Finding]:
    """M3: per receipt, transferred = the sum of its transfers, each of which is the amount of the receipt that was made of it."""
    receipts = {one.receipt: one for one in evidence.books.rows("payment", Receipt)}
    sums: dict[str, int] = defaultdict(int)
    for one in evidence.books.rows("payment", Transfer):
        sums[one.from_receipt] += one.amount_minor
        made = receipts.get(one.receipt)
        said = (made.account, made.currency, made.amount_minor) if made else None
        if said != (should := (one.account, one.currency, one.amount_minor)):
            yield Finding("M3", one.transfer, f"{one.receipt} is {said}, should be {should}", Harm.NONE if made else Harm.LOST)
    for name, receipt in receipts.items():
        if receipt.transferred_minor != (minor := sums.pop(name, 0)):
            yield Finding("M3", name, f"transferred {receipt.transferred_minor}, its transfers {minor}")
    for name in sums:
        yield Finding("M3", name, "money of a receipt that is not there was transferred")


def m3_returned_money_is_returned_wherever_it_went(evidence: Evidence) -> Iterator[Finding]:
    """M3: of money that was taken back, what had gone to other accounts was taken back there."""
    receipts = {one.receipt: one for one in evidence.books.rows("payment", Receipt)}
    returned = {one.receipt for one in evidence.expected.receipts.values() if one.was_returned}
    for one in evidence.books.rows("payment", Transfer):
        made = receipts.get(one.receipt)
        if one.origin in returned and made is not None:
            left_minor = made.amount_minor - made.returned_minor - made.refunded_minor - made.transferred_minor
            if left_minor:
                yield Finding("M3", one.receipt, f"{left_minor} are still here of {one.origin}, which was taken back")


def e5_transfers_are_their_facts(evidence: Evidence) -> Iterator[Finding]:
    """E5: every transfer of the ledger is what was published of it."""
    rows = evidence.books.rows("payment", Transfer)
    for name, times in Counter(one.transfer for one in rows).items():
        if times > 1:
            yield Finding("E5", name, f"stands there {times} times", Harm.DOUBLE)
    said = {one.transfer: _said(one) for one in rows}
    told = {name: end for name, one in evidence.folded.transfers.items() for end in one.ins}
    for name in sorted(said.keys() | told.keys()):
        if said.get(name) != told.get(name):
            harm = Harm.NONE if name in said and name in told else Harm.DOUBLE if name in said else Harm.LOST
            yield Finding("E5", name, f"stands as {said.get(name)}, the log says {told.get(name)}", harm)


def _said(row: Transfer) -> TransferEnd:
    entity, places = row.transfer.partition("|")[0], (row.from_receipt, row.from_account, row.account)
    return TransferEnd(entity, *places, row.currency, row.amount_minor, row.effective_on, row.receipt)


def d1_transfers_are_those_decided(evidence: Evidence) -> Iterator[Finding]:
    """D1: every transfer a person had accepted is told of once, as it was accepted, and no other by a person."""
    told = {name: end for name, one in evidence.folded.transfers.items() for end in one.outs if end.by == PERSON}
    expected = evidence.expected.transfers
    for name in sorted(expected.keys() | told.keys()):
        one, end = expected.get(name), told.get(name)
        if end is None:
            yield Finding("D1", name, f"was accepted as {one}, and the log does not say so", Harm.LOST)
        elif one is None:
            yield Finding("D1", name, f"is told as {end}, and nobody had it accepted", Harm.DOUBLE)
        elif (end.from_receipt, end.to_account, end.amount_minor) != (should := (one.receipt, one.to_account, one.amount_minor)):
            yield Finding("D1", name, f"is told as {end}, was accepted as {should}")
