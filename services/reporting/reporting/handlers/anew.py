"""The read model made anew from all its facts."""

from collections.abc import Sequence
from typing import Any

from chassis.database import Connection
from chassis.service import Batch, Received
from events import dunning

from reporting.handlers.findings import FINDINGS, finding_of
from reporting.handlers.money import FOLDS, folded
from reporting.handlers.suggestions import SUGGESTING, told_of
from reporting.queries import findings, folds, gathering


async def gather(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> None:
    """Keep what facts add to a read model that is being made anew; `queries.gathering.add_up` makes it of that."""
    await gathering.gather(db, folded([fact for fact in facts if type(fact.data) in FOLDS]))
    await gathering.gather_suggestions(db, [told_of(fact) for fact in facts if type(fact.data) in SUGGESTING])
    await findings.save(db, [finding_of(fact) for fact in facts if type(fact.data) in FINDINGS])
    if notices := [fact for fact in facts if type(fact.data) is dunning.DunningNoticeSent]:
        await folds.save_notices(db, notices)
