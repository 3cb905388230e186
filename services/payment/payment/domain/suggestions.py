"""
What money that nothing has placed may be for: suggestions to people (PAY-04, PAY-06, PAY-18).

A suggestion is a set of items to be paid as a whole. Where the evidence points to several sets of items there is none, but the reason why:
ambiguous money is never guessed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Final, Literal, NamedTuple, TypeAlias

from payment.domain.clues import references_in
from payment.domain.covers import PIECES_MAX, find_cover
from payment.domain.scores import ONE_BPS, Scoring, closeness_bps, format_score, most_alike_bps

EXACT_AMOUNT: Final = "exact_amount"
EXACT_COVER: Final = "exact_cover"
SIMILAR: Final = "similar"
ALREADY_PAID: Final = "already_paid"
RULES_OF_SUGGESTIONS: Final = (EXACT_AMOUNT, EXACT_COVER, SIMILAR, ALREADY_PAID)
"""Why something is suggested, in the order in which equal scores stand."""
SUGGESTIONS_MAX: Final = 5
"""As many are made for one receipt, the best ones."""
WORDS_MAX: Final = 20
"""As many words of a remittance are compared with every number."""
WORD_LENGTH_MIN: Final = 3

Silence: TypeAlias = Literal["AMBIGUOUS", "BOUND", "NOTHING_FITS"]


def words_in(remittance: str, scoring: Scoring) -> tuple[str, ...]:
    """Return what in a remittance may be a number of a document, as it is compared; without a digit nothing is."""
    words = dict.fromkeys(scoring.bare(one) for one in references_in(remittance))
    return tuple(one for one in words if len(one) >= WORD_LENGTH_MIN and any(map(str.isdigit, one)))[:WORDS_MAX]


class FreeMoney(NamedTuple):
    """
    A receipt with money that nothing has placed.

    `words` are what its remittance has that may be a document number, stripped. `account` is the payer's, None while nobody is known to
    have paid it.
    """

    receipt: str
    account: str | None
    free_minor: int
    words: tuple[str, ...] = ()


class Owed(NamedTuple):
    """An open item, or, of `closed` ones, one that was settled: then `minor` is what it was billed at."""

    item: str
    document_no: str
    n: int
    account: str
    due_on: date
    minor: int


class OpenCredit(NamedTuple):
    """What is open of a credit memo (`entity|document_no`)."""

    memo: str
    account: str
    minor: int


@dataclass(frozen=True, slots=True)
class Field:
    """
    What a receipt is compared with.

    `customers` says by account how likely its customer has paid, in ten-thousandths; accounts left out are nobody's guess. `owed` and
    `credits` are what is open there, `closed` what was settled lately by other money, all in the receipt's currency and in due order.
    """

    customers: Mapping[str, int]
    owed: Sequence[Owed]
    credits: Sequence[OpenCredit] = ()
    closed: Sequence[Owed] = ()


class Part(NamedTuple):
    """One item of a suggestion and the money for it; credit of a memo is there with a negative amount."""

    item: str
    amount_minor: int
    score_bps: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Money of a receipt for items of an account, by a rule, and how well they fit. The parts add up to no more than the money."""

    receipt: str
    account: str
    rule: str
    score_bps: int
    parts: tuple[Part, ...]

    @property
    def id(self) -> str:
        """`entity|bank_ref|<digest of what it says>`: the same content is the same suggestion, whenever it is found."""
        content = "\0".join([self.rule, *(f"{one.item}\0{one.amount_minor}" for one in self.parts)])
        return f"{self.receipt}|{blake2b(content.encode(), digest_size=8).hexdigest()}"

    @property
    def items(self) -> frozenset[str]:
        """What it is about, whatever the amounts."""
        return frozenset(one.item for one in self.parts)


class Found(NamedTuple):
    """The suggestions for one receipt, the best first; without any, why."""

    suggestions: tuple[Suggestion, ...]
    silence: Silence | None = None

    def sure(self, scoring: Scoring) -> Suggestion | None:
        """
        Return the suggestion that the policy lets be applied without a person, if there is one.

        It needs a number of a document that is alike, and nothing may fit as well: only what was named applies itself (PAY-04).
        """
        if scoring.auto_apply_bps is None or not self.suggestions:
            return None
        best, *others = self.suggestions
        is_sure = (
            best.rule == SIMILAR and best.score_bps >= scoring.auto_apply_bps and all(one.score_bps < best.score_bps for one in others)
        )
        return best if is_sure else None


def suggest(money: FreeMoney, field: Field, scoring: Scoring, rejected: Iterable[frozenset[str]] = ()) -> Found:
    """
    Return what the money may be for, as far as the policy's minimum, less what a person has rejected.

    A payer who is known pays its own items only. For a payer nobody knows an item of any account may be the one, if just one item needs
    exactly this amount.
    """
    if money.free_minor <= 0:
        return Found((), "NOTHING_FITS")
    refused = set(rejected)
    made, is_ambiguous = _exact(money, field, scoring)
    for owed, rule in ((field.owed, SIMILAR), (field.closed, ALREADY_PAID)):
        made += _similar(money, field, owed, rule, scoring, SUGGESTIONS_MAX + len(refused))
    wanted = [one for one in made if one.score_bps >= scoring.minimum_bps and one.items not in refused]
    by_items = {one.items: one for one in wanted}  # Of the same items the later rule counts: a number that is alike says more.
    if by_items:
        return Found(tuple(sorted(by_items.values(), key=_rank))[:SUGGESTIONS_MAX])
    return Found((), "AMBIGUOUS" if is_ambiguous else "NOTHING_FITS")


def _rank(suggestion: Suggestion) -> tuple[int, int]:
    """The best score first, then by rule; what is equal stays in due order."""
    return -suggestion.score_bps, RULES_OF_SUGGESTIONS.index(suggestion.rule)


def _exact(money: FreeMoney, field: Field, scoring: Scoring) -> tuple[list[Suggestion], bool]:
    """What needs exactly this amount, account by account, the likely payers' first; and whether somewhere there were several answers."""
    made = []
    is_ambiguous = False
    for account in sorted(field.customers, key=lambda one: (-field.customers[one], one)):
        owed = [one for one in field.owed if one.account == account]
        credits = [one for one in field.credits if one.account == account]
        found, several = _exact_of_account(money, owed, credits, field.customers[account], scoring)
        is_ambiguous = is_ambiguous or several
        made += [found] if found else []
    if not made and money.account is None:
        equal = [one for one in field.owed if one.minor == money.free_minor and one.account not in field.customers]
        is_ambiguous = is_ambiguous or len(equal) > 1
        made += [_exact_suggestion(money, EXACT_AMOUNT, equal, (), 0, len(equal), scoring)] if len(equal) == 1 else []
    return made, is_ambiguous


def _exact_of_account(
    money: FreeMoney, owed: Sequence[Owed], credits: Sequence[OpenCredit], customer_bps: int, scoring: Scoring
) -> tuple[Suggestion | None, bool]:
    """
    One item that needs just the money; else the one set of items that does; else the one set of items less credit.

    Credit is looked at last, because an item and credit of the same amount would go with every other answer.
    """
    equal = [one for one in owed if one.minor == money.free_minor]
    if equal:
        found = _exact_suggestion(money, EXACT_AMOUNT, equal, (), customer_bps, len(owed), scoring) if len(equal) == 1 else None
        return found, found is None
    for netted in ((), credits[: PIECES_MAX // 2]) if credits else ((),):
        most_minor = money.free_minor + sum(one.minor for one in netted)
        pieces = [one for one in owed if one.minor <= most_minor][: PIECES_MAX - len(netted)]
        cover = find_cover(money.free_minor, [one.minor for one in pieces] + [-one.minor for one in netted])
        if cover.is_ambiguous:
            return None, True
        if cover.places:
            items = [pieces[place] for place in cover.places if place < len(pieces)]
            used = [netted[place - len(pieces)] for place in cover.places if place >= len(pieces)]
            return _exact_suggestion(money, EXACT_COVER, items, used, customer_bps, len(pieces), scoring), False
    return None, False


def _exact_suggestion(
    money: FreeMoney,
    rule: str,
    items: Sequence[Owed],
    credits: Sequence[OpenCredit],
    customer_bps: int,
    looked_at: int,
    scoring: Scoring,
) -> Suggestion:
    """Suggest items that the money pays in full; `looked_at` is of how many."""
    score_bps = scoring.of_exact_amount(customer_bps)
    reasons = (f"CUSTOMER={format_score(customer_bps)}", f"AMOUNT={format_score(ONE_BPS)}", f"ITEMS={len(items)}", f"LOOKED_AT={looked_at}")
    parts = [Part(one.item, one.minor, score_bps, reasons) for one in items]
    parts += [Part(one.memo, -one.minor, score_bps, ("CREDIT",)) for one in credits]
    return Suggestion(money.receipt, items[0].account, rule, score_bps, tuple(parts))


def _similar(money: FreeMoney, field: Field, owed: Sequence[Owed], rule: str, scoring: Scoring, limit: int) -> list[Suggestion]:
    """The best single items by customer, number and amount. Without a word that may be a number nothing is similar."""
    if not money.words:
        return []
    looked_at = [one for one in owed if money.account in (None, one.account)]
    alike = most_alike_bps(money.words, [scoring.bare(one.document_no) for one in looked_at])
    scored = []
    for place, (one, transaction_bps) in enumerate(zip(looked_at, alike, strict=True)):
        customer_bps, amount_bps = field.customers.get(one.account, 0), closeness_bps(money.free_minor, one.minor)
        score_bps = scoring.combine(customer_bps, transaction_bps, amount_bps)
        if score_bps >= scoring.minimum_bps and transaction_bps:
            scored.append((-score_bps, place, customer_bps, transaction_bps, amount_bps))
    return [_similar_suggestion(money, looked_at[one[1]], rule, -one[0], one[2:]) for one in sorted(scored)[:limit]]


def _similar_suggestion(money: FreeMoney, owed: Owed, rule: str, score_bps: int, parts_bps: tuple[int, ...]) -> Suggestion:
    names = ("CUSTOMER", "TRANSACTION", "AMOUNT")
    reasons = tuple(f"{name}={format_score(part)}" for name, part in zip(names, parts_bps, strict=True))
    part = Part(owed.item, min(money.free_minor, owed.minor), score_bps, reasons)
    return Suggestion(money.receipt, owed.account, rule, score_bps, (part,))


class Share(NamedTuple):
    """So much of the receipt, or with `memo` of that memo's credit, for an item."""

    item: str
    amount_minor: int
    memo: str | None = None


def shares_of(suggestion: Suggestion) -> list[Share]:
    """Return how a suggestion is applied as a whole: its credit to its first items, the money to what they need beyond that."""
    owed = [(one.item, one.amount_minor) for one in suggestion.parts if one.amount_minor > 0]
    credits = [(one.item, -one.amount_minor) for one in suggestion.parts if one.amount_minor < 0]
    shares = []
    for item, needed in owed:
        while needed and credits:
            memo, left = credits.pop(0)
            used = min(needed, left)
            shares.append(Share(item, used, memo))
            needed -= used
            if left > used:
                credits.insert(0, (memo, left - used))
        if needed:
            shares.append(Share(item, needed))
    return shares
