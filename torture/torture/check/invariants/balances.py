"""M5: what an account owes, the same wherever it is asked."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from torture.check.answers import CHECKER
from torture.check.books import Balance
from torture.check.evidence import Evidence
from torture.check.expected import Owner
from torture.check.finding import Finding
from torture.check.folded import OPEN
from torture.check.ledger_rows import LedgerItem, LedgerMemo, Receipt


def m5_balances_agree(evidence: Evidence) -> Iterator[Finding]:
    """
    M5: per owner, open less unapplied, on-account and open credit in the ledger = balance in reporting = fold of the log.

    By group of customers it is what the oracle says. That does not know how much of what was approved was still open, what payments were
    allowed to keep back, and which fees of returned money are billed by now, so it is told what the log says was written off, discounted
    and charged; and to which account money went that could be the payer's or somebody else's.
    """
    ledger: dict[Owner, int] = defaultdict(int)
    for item in evidence.books.rows("payment", LedgerItem):
        ledger[item.entity, item.account, item.currency] += item.open_minor
    for receipt in evidence.books.rows("payment", Receipt):
        if receipt.account is not None:
            ledger[receipt.entity, receipt.account, receipt.currency] -= receipt.unapplied_minor + receipt.on_account_minor
    for memo in evidence.books.rows("payment", LedgerMemo):
        ledger[memo.entity, memo.account, memo.currency] -= memo.remaining_minor
    reported = {(one.entity, one.account, one.currency): one.balance_minor for one in evidence.books.rows("reporting", Balance)}
    owed, credit = evidence.folded.sums(*OPEN), evidence.folded.sums("unapplied", "on_account", "memo")
    decided_inside = evidence.folded.sums("written_off", "discounted", "charged")
    told = {owner: owed.get(owner, 0) - credit.get(owner, 0) for owner in owed.keys() | credit.keys()}
    for owner in sorted(ledger.keys() | reported.keys() | told.keys()):
        figures = [books.get(owner, 0) for books in (ledger, reported, told)]
        if len(set(figures)) > 1:
            residual = max(figures) - min(figures)
            yield Finding("M5", "|".join(owner), f"ledger, reporting, log say {figures}", residual_minor=residual)
    if not evidence.expected.nets:
        return
    expected = _added(evidence, evidence.expected.nets, decided_inside, _gone_elsewhere(evidence))
    grouped = _added(evidence, told)
    for owner in sorted(expected.keys() | grouped.keys()):
        if owner[1] != CHECKER and expected.get(owner, 0) != grouped.get(owner, 0):
            figures = [grouped.get(owner, 0), expected.get(owner, 0)]
            yield Finding("M5", "|".join(owner), f"log, oracle say {figures}", residual_minor=abs(figures[0] - figures[1]))


def _added(evidence: Evidence, *books: Mapping[Owner, int]) -> dict[Owner, int]:
    """Add up by group of customers."""
    sums: dict[Owner, int] = defaultdict(int)
    for one in books:
        for (entity, account, currency), minor in one.items():
            sums[entity, evidence.expected.group(entity, account) or account, currency] += minor
    return sums


def _gone_elsewhere(evidence: Evidence) -> dict[Owner, int]:
    """What accounts owe more, or less, because money was transferred, and what came from one of several payers."""
    sums: dict[Owner, int] = defaultdict(int)
    receipts, arrivals = evidence.folded.receipts, evidence.folded.arrivals
    for name, end in arrivals.items():
        made, origin = receipts[name], end
        while origin.from_receipt in arrivals and origin.from_receipt != name:
            origin = arrivals[origin.from_receipt]
        here_minor = made.amount_minor - made.transferred_minor - made.returned_minor
        sums[end.entity, end.to_account, end.currency] -= here_minor
        sums[end.entity, origin.from_account, end.currency] += here_minor
    for one in evidence.expected.receipts.values():
        if one.among and one.receipt in receipts and (account := receipts[one.receipt].account) is not None:
            sums[one.entity, account, one.currency] -= one.stayed_minor
    return sums
