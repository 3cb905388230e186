"""One load from end to end: tell what was read, wait for the answers, compare with the books."""

from collections.abc import Callable
from dataclasses import dataclass

from launcher.stack import Urls
from rich.console import Console

from demo.kafka import publishing
from demo.migration.answers import RUN_AGAIN, Answers, listening
from demo.migration.documents import SOURCE
from demo.migration.load import Load, until_folded
from demo.migration.plan import Plan
from demo.migration.progress import shown
from demo.migration.report import Result
from demo.migration.tie_out import Books, standing_of, tie_out
from demo.services import Services


@dataclass(slots=True)
class Progress:
    """How far a run is, for whoever interrupts it."""

    to_send: int = 0
    sent: int = 0
    answered: int = 0


async def run(plan: Plan, urls: Urls, token: str, console: Console, progress: Progress) -> Result:
    """
    Load a file into a running stack and tie it out.

    :raises Trouble: with one sentence that says what to do; running again is always safe.
    """
    services = Services(urls.services, token, plan.entity, RUN_AGAIN)
    try:
        await services.days_of("invoice")  # Says at once when there is no such entity.
        async with listening(urls.kafka, plan.entity, SOURCE) as answers, publishing(urls.kafka, RUN_AGAIN) as publisher:
            before = await _books_at_rest(services, plan, answers)
            load = Load(plan.sheet.documents, publisher, answers)
            progress.to_send = len(load.to_send)
            with shown(console, progress.to_send) as watch:
                outcome = await load.run(_noting(progress, watch))
            console.print("waiting until reporting has it …")
            after = await _books(services, plan, answers)
            await answers.catch_up()
    finally:
        await services.close()
    tied = tie_out(plan.sheet, outcome, answers.issued, before, after, as_of=plan.days.as_of)
    return Result(plan, outcome, tied, plan.figures(outcome.in_books, answers.issued))


def _noting(progress: Progress, watch: Callable[[int, int], None]) -> Callable[[int, int], None]:
    def note(sent: int, answered: int) -> None:
        progress.sent, progress.answered = sent, answered
        watch(sent, answered)

    return note


async def _books_at_rest(services: Services, plan: Plan, answers: Answers) -> Books:
    """Ask what reporting says of exactly the documents that are known: what an interrupted run had sent may still be coming in."""
    while True:
        await answers.catch_up()
        known = len(answers.issued)
        books = await _books(services, plan, answers)
        await answers.catch_up()
        if len(answers.issued) == known:
            return books


async def _books(services: Services, plan: Plan, answers: Answers) -> Books:
    """Ask reporting, once it has folded all that was said."""
    await until_folded(answers)
    at_cut_over = standing_of(await services.get("reporting", "/v1/aging", as_of=str(plan.days.cut_over_on)))
    return Books(at_cut_over, standing_of(await services.get("reporting", "/v1/aging", as_of=str(plan.days.as_of))))
