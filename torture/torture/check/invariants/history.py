"""D1, D2: every acknowledged command has its effect exactly once, every refused one none, and asking again changes nothing."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from torture.check.answers import CHECKER
from torture.check.books import Document, Exposure
from torture.check.evidence import Evidence
from torture.check.expected import Command
from torture.check.finding import Finding, Harm
from torture.check.invariants.debits import RETURNED_PAYMENT
from torture.check.invariants.leaving import RETURN_FEE
from torture.check.ledger_rows import Receipt
from torture.check.rows import Idem

_SERVING = ("invoice", "payment", "credit")


def d1_documents_are_those_accepted(evidence: Evidence) -> Iterator[Finding]:
    """
    D1: every accepted document is there exactly once with what was accepted, and no other is. Fees of returned money, and such money billed
    anew, are of our own making: see W1.
    """
    own = {name for name, one in evidence.folded.documents.items() if one.origin in (RETURN_FEE, RETURNED_PAYMENT)}
    rows = [row for row in evidence.books.rows("invoice", Document) if row.account != CHECKER and row.document not in own]
    yield from _more_than_once([row.document for row in rows])
    group = evidence.expected.group
    said = {row.document: (row.kind, row.entity, group(row.entity, row.account), row.currency, row.total_minor) for row in rows}
    told = {
        one.document: (one.kind, one.entity, group(one.entity, one.account), one.currency, one.total_minor)
        for one in evidence.expected.documents.values()
    }
    yield from _compared(said, told, evidence.expected.maybe)


def d1_receipts_are_those_accepted(evidence: Evidence) -> Iterator[Finding]:
    """
    D1: so is every receipt, with its payer where the oracle knows him, and with what left us of it again, from him or from somebody else
    it had gone to. Receipts made of such money are no receipts of their own here.
    """
    expected, made = evidence.expected.receipts, evidence.folded.arrivals
    rows = [row for row in evidence.books.rows("payment", Receipt) if row.receipt not in made or row.receipt in expected]
    yield from _more_than_once([row.receipt for row in rows])
    taken_back = {name for name, one in expected.items() if one.was_returned}
    returned = {row.receipt: row.returned_minor + (row.transferred_minor if row.receipt in taken_back else 0) for row in rows}
    said = {row.receipt: (row.entity, row.currency, row.amount_minor, row.refunded_minor, returned[row.receipt]) for row in rows}
    told = {one.receipt: (one.entity, one.currency, one.amount_minor, one.refunded_minor, one.returned_minor) for one in expected.values()}
    yield from _compared(said, told, evidence.expected.maybe)
    payers = {row.receipt: evidence.expected.group(row.entity, row.account) for row in rows}
    for one in expected.values():
        likely = {evidence.expected.group(one.entity, account) for account in one.among or (one.account,)}
        if one.receipt in payers and not one.payer_open and payers[one.receipt] not in likely:
            yield Finding("D1", one.receipt, f"its payer is {payers[one.receipt]}, the oracle says {sorted(map(str, likely))}")


def _compared(said: Mapping[str, object], told: Mapping[str, object], maybe: frozenset[str]) -> Iterator[Finding]:
    for name in sorted(told.keys() - said.keys() - maybe):
        yield Finding("D1", name, f"was accepted as {told[name]} and is not there", Harm.LOST)
    for name in sorted(said.keys() - told.keys() - maybe):
        yield Finding("D1", name, f"is there as {said[name]}, and nobody had it accepted", Harm.DOUBLE)
    for name in sorted(said.keys() & told.keys()):
        if said[name] != told[name]:
            yield Finding("D1", name, f"is there as {said[name]}, was accepted as {told[name]}")


def _more_than_once(names: Sequence[str]) -> Iterator[Finding]:
    for name, times in Counter(names).items():
        if times > 1:
            yield Finding("D1", name, f"is there {times} times", Harm.DOUBLE)


def d1_answers_are_as_they_should_be(evidence: Evidence) -> Iterator[Finding]:
    """D1: nothing sound was refused, nothing wrong accepted, and everything has come to a definite end."""
    for surprise in evidence.expected.surprises:
        yield Finding("D1", "an answer", surprise)
    for operation in evidence.expected.undecided:
        yield Finding("D1", operation, "never came to a definite end")


def d1_limits_are_those_set(evidence: Evidence) -> Iterator[Finding]:
    """D1: the limit in force is the last one acknowledged, where the oracle knows the last."""
    limits = {(row.entity, row.account, row.currency): row.limit_minor for row in evidence.books.rows("credit", Exposure)}
    for owner, limit_minor in evidence.expected.limits.items():
        if limits.get(owner) != limit_minor:
            yield Finding("D1", "|".join(owner), f"the limit is {limits.get(owner)}, acknowledged was {limit_minor}", Harm.LOST)


def d1_keys_keep_their_answers(evidence: Evidence) -> Iterator[Finding]:
    """D1: under every key stands the answer its sender got; none under the key of a refused one, none of a sender that did not send."""
    by_slot: dict[tuple[str, str, str, str, str], list[Command]] = defaultdict(list)
    for one in evidence.expected.commands:
        by_slot[one.service, one.entity, one.principal, one.route, one.key].append(one)
    senders = {one.principal for one in evidence.expected.commands}
    stored = {
        (service, row.entity, row.principal, row.route, row.key): row.status
        for service in _SERVING
        for row in evidence.books.rows(service, Idem)
        if row.principal in senders
    }
    for slot, commands in by_slot.items():
        where, status = " ".join(slot), stored.get(slot)
        accepted = [one.status for one in commands if one.was_accepted]
        if accepted and status is None:
            yield Finding("D1", where, f"was acknowledged with {accepted[0]}, and no answer is kept", Harm.LOST)
        elif accepted and status != accepted[0]:
            yield Finding("D1", where, f"was acknowledged with {accepted[0]}, kept is {status}")
        elif not accepted and status is not None and all(one.was_refused for one in commands):
            yield Finding("D1", where, f"was refused with {commands[0].status}, and {status} is kept", Harm.DOUBLE)
    for slot in sorted(stored.keys() - by_slot.keys()):
        yield Finding("D1", " ".join(slot), "an answer is kept to what nobody sent", Harm.DOUBLE)


def d2_asking_again_changes_nothing(evidence: Evidence) -> Iterator[Finding]:
    """D2: a stored key gives the same status and body again, and 422 to another body."""
    for one in evidence.replays:
        command = one.command
        where = f"{command.service} {command.route} {command.key}"
        if one.status != command.status:
            yield Finding("D2", where, f"was answered with {command.status}, again with {one.status}")
        elif command.answer is not None and one.answer != command.answer:
            yield Finding("D2", where, f"was answered with {command.answer[:200]!r}, again with {one.answer[:200]!r}")
        if one.altered_status != 422:
            yield Finding("D2", where, f"another body under the same key is answered with {one.altered_status}")


def d2_a_rush_has_one_effect(evidence: Evidence) -> Iterator[Finding]:
    """D2: many concurrent sends of one new key have one effect and equal answers."""
    for one in evidence.rushes:
        if one.effects != 1:
            harm = Harm.DOUBLE if one.effects else Harm.LOST
            yield Finding("D2", one.key, f"{len(one.statuses)} concurrent sends had {one.effects} effects", harm)
        if len(one.answers) != 1 or any(not 200 <= status < 300 for status in one.statuses):
            yield Finding(
                "D2", one.key, f"concurrent sends were answered {Counter(one.statuses)}, with {len(one.answers)} different bodies"
            )
