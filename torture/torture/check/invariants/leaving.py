"""M3, A2, D1, M6, W1: money that left us: taken back by a bank, with its fee, or paid back because two people wanted it."""

from collections.abc import Iterator
from datetime import timedelta

from torture.check.books import ReturnFee
from torture.check.evidence import Evidence
from torture.check.finding import Finding, Harm
from torture.check.ledger_rows import Receipt, Refund
from torture.check.rows import Day

FEEDBACK_DAYS = timedelta(days=2)
RETURN_FEE = "return_fee"


def m3_returned_money_is_nowhere_else(evidence: Evidence) -> Iterator[Finding]:
    """M3: of a receipt that a bank took back nothing is applied, allowed, on account or free: it is returned, or left us or it before."""
    returned = {one.receipt for one in evidence.books.rows("payment", Receipt) if one.returned_minor}
    for one in evidence.books.rows("payment", Receipt):
        if one.receipt in returned and one.returned_minor + one.refunded_minor + one.transferred_minor != one.amount_minor:
            yield Finding("M3", one.receipt, f"was taken back, and only {one.returned_minor} of {one.amount_minor} are")
    folded = evidence.folded
    for name, receipt in folded.receipts.items():
        if bool(receipt.reversals) != (name in returned):
            yield Finding("M3", name, f"the log has it taken back {len(receipt.reversals)} times, the ledger {int(name in returned)}")
    for (application, source, item), applied in folded.applications.items():
        if applied.source_kind == "receipt" and applied.amount_minor and source in returned:
            yield Finding("M3", application, f"{applied.amount_minor} of money that was taken back still pay {item}")
    for (allowance, source, item), allowed in folded.allowances.items():
        if allowed.amount_minor and source in returned:
            yield Finding("M3", allowance, f"{allowed.amount_minor} of {item} are still allowed to money that was taken back")


def m3_what_people_took_off_stays_off(evidence: Evidence) -> Iterator[Finding]:
    """M3: no rule puts money or credit on an item again that a person took off it, unless a person did, or released it."""
    folded, released = evidence.folded, evidence.expected.released
    again = {
        (source, item)
        for (_, source, item), one in folded.applications.items()
        if one.rule == "person" and (off_on := folded.taken_off.get((source, item))) is not None and max(one.by_day) >= off_on
    }
    for (application, source, item), one in folded.applications.items():
        off_on = folded.taken_off.get((source, item))
        if off_on is None or one.rule == "person" or (source, item) in again or source in released:
            continue
        later = sum(minor for day, minor in one.by_day.items() if day > off_on)
        if later > 0 or (one.first_on >= off_on and one.amount_minor > 0):
            yield Finding("M3", application, f"{source} pays {item} by {one.rule}, off which a person took it on {off_on}")


def w1_fees_are_billed_two_days_later(evidence: Evidence) -> Iterator[Finding]:
    """W1: for every fee of money that was taken back from somebody, one debit memo is booked two days later, and there is no other."""
    days = {day.entity: day for day in evidence.books.rows("invoice", Day)}
    billed: dict[str, list[str]] = {}
    for name, document in evidence.folded.documents.items():
        if document.origin == RETURN_FEE:
            billed.setdefault(document.origin_id or "", []).append(name)
    for name, receipt in evidence.folded.receipts.items():
        day = days.get(receipt.entity)
        fees = [one for one in receipt.charged if one.fee_minor]
        memos = billed.pop(name, [])
        due = [one for one in fees if day is not None and one.booked_on + FEEDBACK_DAYS <= day.open_on]
        if len(memos) != len(due) and not (day is not None and day.late):
            harm = Harm.DOUBLE if len(memos) > len(due) else Harm.LOST
            yield Finding("W1", f"fee {name}", f"is billed by {memos}, due are {due}", harm)
        for memo, fee in zip(memos, fees, strict=False):
            document = evidence.folded.documents[memo]
            said = (document.account, document.total_minor, document.booked_on)
            should = (fee.account, fee.fee_minor, fee.booked_on + FEEDBACK_DAYS)
            if said != should and not (day is not None and day.late):
                yield Finding("W1", f"fee {memo}", f"is {said}, by the facts {should}")
    for name, memos in billed.items():
        yield Finding("W1", f"fee {name}", f"is billed by {memos}, and nothing was taken back", Harm.DOUBLE)


def m6_fees_agree(evidence: Evidence) -> Iterator[Finding]:
    """M6: the fees that invoice has heard of are those of the log, and it says of those that it billed that it has."""
    rows = {one.receipt: one for one in evidence.books.rows("invoice", ReturnFee)}
    billed = {one.origin_id for one in evidence.folded.documents.values() if one.origin == RETURN_FEE}
    told = {
        name: (fee.account, fee.fee_minor, name in billed)
        for name, receipt in evidence.folded.receipts.items()
        for fee in receipt.charged
        if fee.fee_minor
    }
    for name in sorted(rows.keys() | told.keys()):
        row = rows.get(name)
        said = (row.account, row.fee_minor, row.billed_on is not None) if row else None
        if said != told.get(name):
            yield Finding("M6", f"invoice fee {name}", f"{said}, the log says {told.get(name)}")


def a2_refunds_are_made_by_two(evidence: Evidence) -> Iterator[Finding]:
    """A2: a refund is made once, as it was asked for, and by somebody else; what was rejected is not made."""
    for name, one in evidence.folded.refunds.items():
        if one.requests != 1 or one.issues + one.rejections > 1:
            what = f"was asked for {one.requests} times, rejected {one.rejections} times, made {one.issues} times"
            yield Finding("A2", name, what, Harm.DOUBLE)
        if one.issues and one.issued_minor != one.asked_minor:
            yield Finding("A2", name, f"{one.issued_minor} were paid back, asked for were {one.asked_minor}")
        if one.issues and one.requested_by == one.approved_by:
            yield Finding("A2", name, f"{one.approved_by} approved it, who asked for it")


def m6_refunds_agree(evidence: Evidence) -> Iterator[Finding]:
    """M6: what the payment service keeps of refunds is what it told of them."""
    told = {
        name: (one.receipt, one.asked_minor, "approved" if one.issues else "ended" if one.rejections else "pending")
        for name, one in evidence.folded.refunds.items()
    }
    said = {
        one.refund: (one.receipt, one.amount_minor, one.status if one.status in ("approved", "pending") else "ended")
        for one in evidence.books.rows("payment", Refund)
    }
    for name in sorted(said.keys() | told.keys()):
        if said.get(name) != told.get(name):
            harm = Harm.NONE if name in said and name in told else Harm.DOUBLE if name in said else Harm.LOST
            yield Finding("M6", f"payment {name}", f"{said.get(name)}, the log says {told.get(name)}", harm)


def d1_refunds_are_those_decided(evidence: Evidence) -> Iterator[Finding]:
    """D1: every refund that was acknowledged is there as it was decided, and no other is."""
    said = {one.refund: one for one in evidence.books.rows("payment", Refund)}
    told = evidence.expected.refunds
    for name in sorted((said.keys() | told.keys()) - evidence.expected.maybe):
        row, one = said.get(name), told.get(name)
        if row is None:
            yield Finding("D1", name, f"was accepted as {one} and is not there", Harm.LOST)
        elif one is None:
            yield Finding("D1", name, f"is there as {row}, and nobody had it accepted", Harm.DOUBLE)
        else:  # What nobody has decided may have expired when a day turned: that is the days' to say, not the callers'.
            status = "expired" if (one.status, row.status) == ("pending", "expired") else one.status
            should = (one.receipt, one.amount_minor, status, one.requested_by, one.decided_by)
            if (is_so := (row.receipt, row.amount_minor, row.status, row.requested_by, row.decided_by)) != should:
                yield Finding("D1", name, f"is there as {is_so}, was accepted as {should}")
