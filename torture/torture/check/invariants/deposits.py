"""M3: a deposit pays what bears its order (PAY-16)."""

from collections.abc import Iterator
from datetime import date

from torture.check.evidence import Evidence
from torture.check.finding import Finding

PERSON = "person"


def m3_deposits_pay_what_bears_their_order(evidence: Evidence) -> Iterator[Finding]:
    """M3: a deposit that is bound pays documents that bear its order or contract, or what a person put it on."""
    folded = evidence.folded
    for (application, source, item), one in folded.applications.items():
        receipt = folded.receipts.get(source)
        if receipt is None or receipt.deposit_for is None or one.rule == PERSON or one.first_on >= (receipt.released_on or date.max):
            continue
        document = folded.documents.get(item.rpartition("|")[0])
        orders = document.orders if document else frozenset()
        if receipt.deposit_for.strip().casefold() not in orders:
            what = f"{source} is a deposit for {receipt.deposit_for} and pays {item} by {one.rule}, which bears {sorted(orders)}"
            yield Finding("M3", application, what)
