"""What else is told: limits, notices, items that are overdue, answers to what was refused."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from torture.check.amounts import minor_of
from torture.check.fold.posting import Folder, Posting
from torture.check.folded import Folded, FoldedNotice


def _limit_changed(folded: Folded, told: Posting) -> None:
    """Facts of one key come in order, so the last one counts."""
    folded.limits[told.entity, told.fact.data["account"], told.currency] = told.minor("new")


def _notice_sent(folded: Folded, told: Posting) -> None:
    data = told.fact.data
    if data["notice"] in folded.notices:
        folded.issued_twice.append(data["notice"])
    items = tuple((one["item"], int(one["level"]), minor_of(one["open"], told.currency)) for one in data["items"])
    folded.notices[data["notice"]] = FoldedNotice(
        entity=told.entity,
        account=data["account"],
        currency=told.currency,
        noticed_on=date.fromisoformat(data["noticed_on"]),
        level=int(data["level"]),
        total_minor=told.minor("total"),
        items=items,
        booked_on=told.fact.booked_on,
    )


def _overdue(folded: Folded, told: Posting) -> None:
    folded.overdue[told.fact.data["item"]].append((told.booked_on, told.minor("open")))


def _rejected(folded: Folded, told: Posting) -> None:
    """Count answers to what was refused, by topic of the answer and identity of the refused."""
    folded.rejections[told.fact.record.topic, told.fact.data["source"], told.fact.data["source_id"]] += 1


FOLDS: Final[Mapping[str, Folder]] = {
    "CreditLimitChanged": _limit_changed,
    "DunningNoticeSent": _notice_sent,
    "InstalmentOverdue": _overdue,
    "DocumentRejected": _rejected,
    "EntryRejected": _rejected,
}
"""All other facts that are folded."""
