"""HTTP of the review queue: what money may be for, accepted, split or rejected by people (PAY-06)."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias

from chassis.database import Connection
from chassis.http import Command, CommandDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from fastapi import APIRouter, Query, Response

from payment.handlers import reviews
from payment.handlers.suggestions import find_matches, load_scoring
from payment.queries import made, reads
from payment.queries import suggestions as queries
from payment.queries.made import StoredSuggestion
from payment.schemas.suggestions import (
    AcceptanceBody,
    SuggestionOut,
    SuggestionRejectionBody,
    SuggestionsOut,
    ThresholdsOut,
)

MAY_DECIDE: Final = ("clerk", "approver")
PAGE_MAX: Final = 200

router = APIRouter(tags=["suggestions"])
Decide: TypeAlias = Callable[[Connection, Batch], Awaitable[tuple[list[Fact], StoredSuggestion]]]
CursorQuery = Annotated[str, Query(pattern=r"^[0-9]{1,18}$", description="The `next_cursor` of the page before.")]


@router.get("/v1/suggestions")
async def list_suggestions(
    db: ReaderDep,
    entity: Annotated[str, Query(examples=["US01"])],
    receipt: Annotated[str | None, Query(description="A bank reference.", examples=["BR-1"])] = None,
    account: Annotated[str | None, Query(examples=["C-1"])] = None,
    state: Annotated[Literal["open", "accepted", "rejected"], Query()] = "open",
    cursor: CursorQuery = "0",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="Receipts, or decided suggestions, in a page.")] = 50,
) -> SuggestionsOut:
    """
    List what money that nothing has placed may be for, computed now, receipt by receipt in the order they came, the best first.

    With `state` those that people have decided about. `account` of an open one is that of the receipt.
    """
    open_on = await reads.find_open_day(db, entity)
    if open_on is None:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
    scoring = await load_scoring(db, entity, open_on)
    if state != "open":
        decided = await made.list_decided(db, entity, state, bank_ref=receipt, account=account, after=int(cursor), limit=limit + 1)
        page = [SuggestionOut.of_stored(one) for one in decided[:limit]]
        following = str(decided[limit - 1].number) if len(decided) > limit else None
        return SuggestionsOut(suggestions=page, without=[], thresholds=ThresholdsOut.of(scoring), next_cursor=following)
    if receipt is not None:
        one = await queries.find_free(db, entity, receipt)
        receipts = [one] if one is not None and account in (None, one.account) else []
    else:
        receipts = await queries.list_free(db, entity, account=account, after=int(cursor), limit=limit + 1)
    following = str(receipts[limit - 1].id) if len(receipts) > limit else None
    shown = receipts[:limit]
    found = await find_matches(db, entity, shown, open_on + timedelta(days=1), scoring)
    return SuggestionsOut.of(shown, found, scoring, following)


@router.post("/v1/suggestions/{suggestion:path}/accept", responses={200: {"model": SuggestionOut}})
async def accept_suggestion(suggestion: str, body: AcceptanceBody, command: CommandDep) -> Response:
    """
    Take a suggestion, whole or in part, which applies the money; a receipt without a payer finds it by that.

    It has to be one that is made still: what it was about may have changed (409 `SUGGESTION_GONE`).
    """
    taken = None if body.items is None else [reviews.Wanted(one.item, one.amount) for one in body.items]

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], StoredSuggestion]:
        return await reviews.accept_suggestion(db, suggestion, taken, body.reason, command.principal.sub, batch)

    return await _decide(suggestion, command, work)


@router.post("/v1/suggestions/{suggestion:path}/reject", responses={200: {"model": SuggestionOut}})
async def reject_suggestion(suggestion: str, body: SuggestionRejectionBody, command: CommandDep) -> Response:
    """Refuse a suggestion: nothing about just these items is suggested for this receipt again."""

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], StoredSuggestion]:
        return await reviews.reject_suggestion(db, suggestion, body.reason, command.principal.sub, batch)

    return await _decide(suggestion, command, work)


async def _decide(suggestion: str, command: Command, decide: Decide) -> Response:
    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            facts, stored = await decide(db, batch)
        except reviews.SuggestionDecided as decided:
            raise Problem(409, "SUGGESTION_DECIDED", str(decided.__doc__)) from None
        except reviews.SuggestionGone as gone:
            raise Problem(409, "SUGGESTION_GONE", str(gone.__doc__)) from None
        except reviews.SuggestionUnknown as unknown:
            raise Problem(404, "SUGGESTION_UNKNOWN", str(unknown.__doc__)) from None
        except reviews.NothingToApply as nothing:
            raise Problem(409, "NOTHING_TO_APPLY", str(nothing.__doc__)) from None
        except reviews.AcceptanceRefused as refused:
            raise Problem(422, "ACCEPTANCE_REFUSED", str(refused.__doc__), refused.reasons) from None
        return facts, SuggestionOut.of_stored(stored).model_dump(mode="json")

    return await command.run(suggestion.partition("|")[0], work, status=200, roles=MAY_DECIDE)
