"""Suggestions: what money that nothing has placed may be for, told when a day turns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact
from events.payment import Candidate, MatchSuggested
from money import format_minor
from policies.queries import read_in_force

from payment.domain.books import RECEIPT, SCORED, Source
from payment.domain.policies import CASH_APPLICATION
from payment.domain.scores import ONE_BPS, Scoring, format_score
from payment.domain.suggestions import Field, Found, FreeMoney, OpenCredit, Owed, Suggestion, suggest, words_in
from payment.handlers.decisions import NewDecision, decide
from payment.handlers.identification import recommend_payers
from payment.handlers.spreading import divide
from payment.queries import made, texts
from payment.queries import suggestions as queries
from payment.queries.made import NewSuggestion
from payment.queries.suggestions import Asked, FreeReceipt


async def load_scoring(db: Connection, entity: str, day: date) -> Scoring:
    """Return how an entity scores matches on a day: by its policy of cash application, approved before it."""
    applying, version = await read_in_force(db, CASH_APPLICATION, entity, day)
    thresholds = applying.suggestions
    return Scoring(
        version=version,
        recommended_bps=thresholds.recommended_bps,
        minimum_bps=thresholds.minimum_bps,
        auto_apply_bps=thresholds.auto_apply_bps,
    )


@dataclass(slots=True)
class _Compared:
    """What receipts of one entity are compared with: by account (row id) and currency, or by receipt (row id)."""

    customers: dict[int, dict[str, int]] = field(default_factory=dict)
    words: dict[int, tuple[str, ...]] = field(default_factory=dict)
    account_ids: dict[str, int] = field(default_factory=dict)
    credits: Mapping[tuple[int, str], list[OpenCredit]] = field(default_factory=dict)
    items: Mapping[tuple[int, str], list[Owed]] = field(default_factory=dict)
    closed: Mapping[tuple[int, str], list[Owed]] = field(default_factory=dict)
    first_items: Mapping[int, list[Owed]] = field(default_factory=dict)
    equal_items: Mapping[int, list[Owed]] = field(default_factory=dict)
    paid: Mapping[int, set[str]] = field(default_factory=dict)
    barred: Mapping[int, set[str]] = field(default_factory=dict)

    def places(self, receipt: FreeReceipt) -> list[tuple[int, str]]:
        """Return the accounts whose items a receipt may pay."""
        ids = [self.account_ids[one] for one in self.customers[receipt.id] if one in self.account_ids]
        return [(account_id, receipt.currency) for account_id in ids]

    def field_of(self, receipt: FreeReceipt) -> Field:
        """Put together what one receipt is compared with."""
        places, barred = self.places(receipt), self.barred.get(receipt.id, set())
        lists = [self.items.get(place, []) for place in places] if self.words[receipt.id] else [self.first_items.get(receipt.id, [])]
        owed = [one for items in lists for one in items]
        here = {one.item for one in owed}
        owed += [one for one in self.equal_items.get(receipt.id, ()) if one.item not in here]
        paid = self.paid.get(receipt.id, set())
        closed = [one for place in places for one in self.closed.get(place, ()) if one.item not in paid] if self.words[receipt.id] else []
        return Field(
            customers=self.customers[receipt.id],
            owed=[one for one in owed if one.item not in barred] if barred else owed,
            credits=[one for place in places for one in self.credits.get(place, ())],
            closed=closed,
        )


async def find_matches(db: Connection, entity: str, receipts: Sequence[FreeReceipt], day: date, scoring: Scoring) -> dict[int, Found]:
    """
    Return what receipts (by row id) with free money may be for, by what was booked before `day`, less what people have rejected.

    What a deposit is for is known: nothing is suggested for it while it is bound.
    """
    found = {one.id: Found((), "BOUND") for one in receipts if one.is_bound}
    receipts = [one for one in receipts if not one.is_bound]
    if not receipts:
        return found
    compared = await _compare(db, entity, receipts, day, scoring)
    rejected = await made.find_rejected(db, [one.id for one in receipts])
    for one in receipts:
        money = FreeMoney(one.receipt, one.account if one.is_identified else None, one.free_minor, compared.words[one.id])
        found[one.id] = suggest(money, compared.field_of(one), scoring, rejected.get(one.id, ()))
    return found


async def _compare(db: Connection, entity: str, receipts: Sequence[FreeReceipt], day: date, scoring: Scoring) -> _Compared:
    """Load what receipts are compared with, with one statement per table; all items only where a remittance names something."""
    unknown = [one for one in receipts if not one.is_identified]
    recommended = await recommend_payers(db, entity, unknown, day, scoring) if unknown else {}
    compared = _Compared()
    for one in receipts:
        compared.customers[one.id] = {one.account: ONE_BPS} if one.is_identified else {}
        for payer in recommended.get(one.id, ()):
            compared.customers[one.id][payer.account] = max(compared.customers[one.id].get(payer.account, 0), payer.score_bps)
        compared.words[one.id] = words_in(one.remittance or "", scoring)
        if one.is_identified:
            compared.account_ids[one.account] = one.account_id
    guessed = {payer.account for payers in recommended.values() for payer in payers}
    compared.account_ids |= await queries.find_accounts(db, entity, guessed) if guessed else {}
    places = {one.id: compared.places(one) for one in receipts}
    compared.credits = await queries.load_credits(db, {place for of in places.values() for place in of})
    if naming := {place for receipt_id, of in places.items() if compared.words[receipt_id] for place in of}:
        compared.items = await queries.load_all_items(db, naming)
        compared.closed = await queries.load_closed_items(db, naming, day - timedelta(days=scoring.closed_days))
        compared.paid = await queries.find_paid_by(db, [receipt_id for receipt_id, words in compared.words.items() if words])
    asked = [
        Asked(one.id, account_id, currency, one.free_minor, one.free_minor + _sum(compared.credits.get((account_id, currency), ())))
        for one in receipts
        if not compared.words[one.id]
        for account_id, currency in places[one.id]
    ]
    compared.first_items = await queries.load_first_items(db, asked) if asked else {}
    compared.equal_items = await queries.find_equal_items(db, entity, unknown) if unknown else {}
    compared.barred = await queries.find_barred(db, [one.id for one in receipts])
    return compared


def _sum(credits: Sequence[OpenCredit]) -> int:
    return sum(one.minor for one in credits)


async def find_accounts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts with money something may be found for, and one, once, where texts are kept that are not needed any more."""
    scoring = await load_scoring(db, entity, day)
    accounts = await queries.find_suggestable(db, entity, day, day - timedelta(days=scoring.closed_days), after, limit)
    placed = await texts.find_account_with_placed(db, entity, day)
    if placed is not None and placed > after:
        accounts = sorted({*accounts, placed})[:limit]
    return accounts


async def suggest_matches(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Tell of every receipt of these accounts with free money what it fits best, once; forget the texts of what is placed.

    What the policy thinks sure is applied instead. Money that goes to documents of other accounts this very morning waits until tomorrow.
    Work of the turn to `day`: a function of the facts booked before it.
    """
    await texts.forget_placed(db, entity, day)
    receipts = {one.id: one for one in await queries.load_free_of_accounts(db, entity, accounts, day)}
    for one in await divide(db, entity, [one.bank_ref for one in receipts.values() if one.is_identified], day):
        del receipts[one.receipt_id]
    if not receipts:
        return []
    scoring = await load_scoring(db, entity, day)
    found = await find_matches(db, entity, list(receipts.values()), day, scoring)
    sure = _sure(receipts, found, scoring)
    taken = {item for one in sure.values() for item in one.items}
    best = [
        NewSuggestion(receipt_id, one.suggestions[0], receipts[receipt_id].free_minor, scoring.version)
        for receipt_id, one in found.items()
        if one.suggestions and (receipt_id in sure or taken.isdisjoint(one.suggestions[0].items))
    ]
    new = await made.insert_made(db, entity, best, day) if best else set()
    told = [one for one in best if one.receipt_id not in sure and one.suggestion.id in new]
    facts = [_suggested(receipts[one.receipt_id], one.suggestion, day, scoring) for one in told]
    return facts + await _apply(db, [(receipts[receipt_id], one) for receipt_id, one in sure.items()], scoring, batch)


def _sure(receipts: Mapping[int, FreeReceipt], found: Mapping[int, Found], scoring: Scoring) -> dict[int, Suggestion]:
    """What is applied without a person, by receipt (row id) of a known payer; of several for one item the first, by bank reference."""
    sure: dict[int, Suggestion] = {}
    taken: set[str] = set()
    for receipt_id, one in found.items():
        suggestion = one.sure(scoring) if receipts[receipt_id].is_identified else None
        if suggestion is not None and taken.isdisjoint(suggestion.items):
            sure[receipt_id] = suggestion
            taken |= suggestion.items
    return sure


async def _apply(db: Connection, sure: Sequence[tuple[FreeReceipt, Suggestion]], scoring: Scoring, batch: Batch) -> list[Fact]:
    """Decide in the name of the policy, and keep with the decisions by which scores."""
    decisions = []
    for receipt, suggestion in sure:
        (part,) = suggestion.parts
        reason = " ".join((f"SCORE={format_score(suggestion.score_bps)}", *part.reasons))
        by, source = f"policy {scoring.version}", Source(RECEIPT, receipt.receipt)
        name = f"{receipt.entity}{SCORED}{suggestion.id.removeprefix(f'{receipt.entity}|')}"
        decisions.append(NewDecision("apply", source, part.amount_minor, receipt.value_on, reason, by, part.item, name))
        await made.decide(db, suggestion.id, "accepted", batch.open_on[receipt.entity], by, reason)
    return await decide(db, decisions, batch)


SUGGESTING: Final = DayWork(find_accounts, suggest_matches)
"""The part of a turning day in which people are told what money may be for."""


def _suggested(receipt: FreeReceipt, suggestion: Suggestion, day: date, scoring: Scoring) -> Fact:
    event = MatchSuggested(
        entity=receipt.entity,
        suggestion=suggestion.id,
        receipt=receipt.receipt,
        currency=receipt.currency,
        amount=format_minor(receipt.free_minor, receipt.currency),
        score=format_score(suggestion.score_bps),
        rule=suggestion.rule,
        candidates=[
            Candidate(
                item=one.item,
                amount=format_minor(one.amount_minor, receipt.currency),
                score=format_score(one.score_bps),
                reasons=list(one.reasons),
            )
            for one in suggestion.parts
        ],
        account=receipt.account if receipt.is_identified else None,
        policy_version=scoring.version,
    )
    return Fact(event, receipt.entity, f"{receipt.entity}|{receipt.account}", effective_on=day)
