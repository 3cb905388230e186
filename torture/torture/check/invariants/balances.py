"""M5: what an account owes, the same wherever it is asked."""

from collections import defaultdict
from collections.abc import Iterator

from torture.check.answers import CHECKER
from torture.check.books import Balance
from torture.check.evidence import Evidence
from torture.check.expected import Owner
from torture.check.finding import Finding
from torture.check.folded import OPEN
from torture.check.ledger_rows import LedgerItem, LedgerMemo, Receipt


def m5_balances_agree(evidence: Evidence) -> Iterator[Finding]:
    """
    M5: per owner, open less unapplied, on-account and open credit in the ledger = balance in reporting = fold of the log = oracle.

    The oracle does not know how much of what was approved was still open, what payments were allowed to keep back, and which fees of
    returned money are billed by now, so it is told what the log says was written off, discounted and charged.
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
    expected = evidence.expected.nets
    for owner in sorted(ledger.keys() | reported.keys() | told.keys() | expected.keys()):
        figures = [books.get(owner, 0) for books in (ledger, reported, told)]
        figures += [expected.get(owner, 0) + decided_inside.get(owner, 0)] if expected and owner[1] != CHECKER else []
        if len(set(figures)) > 1:
            residual = max(figures) - min(figures)
            yield Finding("M5", "|".join(owner), f"ledger, reporting, log, oracle say {figures}", residual_minor=residual)
