"""The books as the log tells them: every fact of ours folded once, with code that shares nothing with the services'."""

from collections.abc import Iterable, Mapping
from typing import Final

from torture.check.amounts import AmountUnreadable
from torture.check.fold import allowances, documents, money, others
from torture.check.fold.posting import Folder, Posting
from torture.check.folded import Folded
from torture.check.log import Fact

__all__ = ["fold"]

_FOLDS: Final[Mapping[str, Folder]] = {**documents.FOLDS, **money.FOLDS, **allowances.FOLDS, **others.FOLDS}


def fold(facts: Iterable[Fact]) -> Folded:
    """Fold first occurrences of facts; what nobody folds (rejections apart) is passed over."""
    folded = Folded()
    for fact in facts:
        folder = _FOLDS.get(fact.name)
        if folder is None:
            continue
        try:
            folder(folded, Posting.of(fact))
        except (KeyError, TypeError, ValueError, AmountUnreadable) as error:
            folded.unread.append((f"{fact.record.topic} {fact.id}", f"{fact.name}: {type(error).__name__}: {error}"))
    return folded
