"""A2, M1, M6, D1: what was written off was approved by somebody else, once, and is never more than that."""

from collections import defaultdict
from collections.abc import Iterator

from torture.check.books import Adjustment
from torture.check.evidence import Evidence
from torture.check.expected import ExpectedAdjustment
from torture.check.finding import Finding, Harm
from torture.check.ledger_rows import LedgerAdjustment, LedgerItem

APPROVED = ("approved", "posted", "recovered")
ENDED = ("rejected", "expired", "withdrawn")


def a2_nobody_decides_about_their_own_request(evidence: Evidence) -> Iterator[Finding]:
    """A2: whoever approved or rejected a request did not make it, in the books and in the log; only its maker withdraws one."""
    for one in evidence.books.rows("invoice", Adjustment):
        if one.status in (*APPROVED, "rejected") and one.decided_by == one.requested_by:
            yield Finding("A2", one.adjustment, f"{one.requested_by} asked for it, and it was {one.status} by {one.decided_by}")
        if one.status == "rejected" and one.decided_by is None:
            yield Finding("A2", one.adjustment, "was rejected by nobody")
        if one.status == "withdrawn" and one.decided_by != one.requested_by:
            yield Finding("A2", one.adjustment, f"{one.requested_by} asked for it, and {one.decided_by} withdrew it")
    for name, told in evidence.folded.adjustments.items():
        if told.approvals and told.approved_by == told.requested_by:
            yield Finding("A2", name, f"the log has it approved by {told.approved_by}, who asked for it")


def a2_every_effect_has_an_approval(evidence: Evidence) -> Iterator[Finding]:
    """A2: what stands of an adjustment was approved once, of that item, and is between zero and what was approved."""
    for name, told in evidence.folded.adjustments.items():
        if told.approvals > 1 or len(told.endings) > 1 or (told.approvals and told.endings):
            what = f"was decided {told.approvals + len(told.endings)} times: {told.approvals} approvals, {told.endings}"
            yield Finding("A2", name, what, Harm.DOUBLE)
        if told.places and (not told.approvals or told.places != {told.item}):
            yield Finding(
                "A2", name, f"was posted to {sorted(told.places)}, approved {told.approvals} times for {told.item!r}", Harm.DOUBLE
            )
        if not 0 <= told.posted_minor <= told.approved_minor:
            yield Finding("A2", name, f"{told.posted_minor} stands of it, approved were {told.approved_minor}", Harm.DOUBLE)


def m1_written_off_is_the_sum_of_adjustments(evidence: Evidence) -> Iterator[Finding]:
    """M1: per item of the ledger, written off = the sum of its adjustments, none of which stands below zero or above its approval."""
    sums: dict[str, int] = defaultdict(int)
    for one in evidence.books.rows("payment", LedgerAdjustment):
        sums[one.item] += one.posted_minor
        if not 0 <= one.posted_minor <= one.approved_minor:
            yield Finding("M1", one.adjustment, f"{one.posted_minor} stands of it, approved were {one.approved_minor}")
    for item in evidence.books.rows("payment", LedgerItem):
        if item.adjusted_minor != (minor := sums.pop(item.item, 0)):
            yield Finding("M1", item.item, f"written off {item.adjusted_minor}, its adjustments {minor}")
    for name in sums:
        yield Finding("M1", name, "something was written off an item that is not there")


def m6_copies_of_adjustments_agree(evidence: Evidence) -> Iterator[Finding]:
    """M6: what was approved and what stands of it are the same in invoice, in the ledger and in the log; so is what came to nothing."""
    told = evidence.folded.adjustments
    approved = {name: (one.item, one.approved_minor, one.posted_minor) for name, one in told.items() if one.approvals}
    ledger = evidence.books.rows("payment", LedgerAdjustment)
    requests = evidence.books.rows("invoice", Adjustment)
    copies = {
        "payment": {one.adjustment: (one.item, one.approved_minor, one.posted_minor) for one in ledger},
        "invoice": {
            one.adjustment: (one.item, one.approved_minor, one.posted_minor - one.taken_back_minor)
            for one in requests
            if one.status in APPROVED
        },
    }
    for service, said in copies.items():
        for name in sorted(said.keys() | approved.keys()):
            if said.get(name) != approved.get(name):
                harm = Harm.NONE if name in said and name in approved else Harm.DOUBLE if name in said else Harm.LOST
                yield Finding("M6", f"{service} {name}", f"{said.get(name)}, the log says {approved.get(name)}", harm)
    ended = {name: one.endings for name, one in told.items() if one.endings}
    for request in requests:
        endings = [request.status] if request.status in ENDED else []
        if endings != ended.pop(request.adjustment, []):
            yield Finding("M6", f"invoice {request.adjustment}", f"is {request.status}, the log says {told[request.adjustment].endings}")
    for name, endings in ended.items():
        yield Finding("M6", f"invoice {name}", f"is not there, the log says {endings}", Harm.LOST)


def d1_adjustments_are_those_accepted(evidence: Evidence) -> Iterator[Finding]:
    """D1: every request that was acknowledged is there as it was decided, and no other is."""
    said = {one.adjustment: one for one in evidence.books.rows("invoice", Adjustment)}
    told = evidence.expected.adjustments
    for name in sorted((said.keys() | told.keys()) - evidence.expected.maybe):
        row, one = said.get(name), told.get(name)
        if row is None:
            yield Finding("D1", name, f"was accepted as {one} and is not there", Harm.LOST)
        elif one is None:
            yield Finding("D1", name, f"is there as {row}, and nobody had it accepted", Harm.DOUBLE)
        elif _said(row) != _told(one, row):
            yield Finding("D1", name, f"is there as {_said(row)}, was accepted as {_told(one, row)}")


def _said(row: Adjustment) -> tuple[object, ...]:
    status = "approved" if row.status in APPROVED else row.status
    return (row.entity, row.item, row.currency, row.asked_minor, row.requested_by, status, row.approved_minor, row.decided_by)


def _told(one: ExpectedAdjustment, row: Adjustment) -> tuple[object, ...]:
    """What nobody has decided may have expired when a day turned: that is the days' to say, not the callers'."""
    status = "expired" if (one.status, row.status) == ("pending", "expired") else one.status
    return (one.entity, one.item, one.currency, one.asked_minor, one.requested_by, status, one.approved_minor, one.decided_by)


def d1_voids_are_those_accepted(evidence: Evidence) -> Iterator[Finding]:
    """D1: the documents that became void are those that were voided or corrected, told of once each."""
    told, expected = evidence.folded.voids.keys(), evidence.expected.voided
    for document in sorted(expected - told - evidence.expected.maybe):
        yield Finding("D1", document, "was voided, and the log does not say so", Harm.LOST)
    for document in sorted(told - expected - evidence.expected.maybe):
        yield Finding("D1", document, "is void, and nobody had it voided", Harm.DOUBLE)
