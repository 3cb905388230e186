"""What was seen to happen to money, as the log tells it: where one of these never did, a run has proved nothing about it."""

from collections import Counter
from collections.abc import Mapping

from torture.check.evidence import Evidence
from torture.check.folded import Folded


def seen_in(evidence: Evidence) -> Mapping[str, int]:
    """Count what happened, by the names it has in the figures of a run."""
    folded = evidence.folded
    names = Counter(fact.name for fact in evidence.log.firsts)
    by = Counter(end.by for one in folded.transfers.values() for end in one.outs)
    return {
        "money transferred by hand": by["person"],
        "money spread at a turn": by["reference"],
        "transferred money taken back": sum(bool(folded.receipts[name].reversals) for name in folded.arrivals),
        "deposit drawn": _deposits_drawn(folded),
        "deposit released": names["DepositReleased"],
        "payment billed anew": names["PaymentReversedAsDebit"],
        "suggestion accepted": names["SuggestionAccepted"],
        "suggestion rejected": names["SuggestionRejected"],
        "credit taken off by a person": sum(source in folded.memos for source, _ in folded.taken_off),
        "document of a child on its parent's account": sum(
            one.customer is not None and one.customer != one.account for one in folded.documents.values()
        ),
        "item valued anew": names["FxRevalued"],
    }


def _deposits_drawn(folded: Folded) -> int:
    """How many applications there were of deposits, other than by hand."""
    deposits = {name for name, one in folded.receipts.items() if one.deposit_for is not None}
    return sum(source in deposits and one.rule != "person" for (_, source, _), one in folded.applications.items())
