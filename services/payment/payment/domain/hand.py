"""What people may ask for by hand about money, credit and applications, judged by the books as they stand. Pure: values in, values out."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from policies.faults import Fault, check_day, read_amount

from payment.domain.books import MEMO, RECEIPT, Source

_code: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Held:
    """
    Money of a receipt or credit of a memo as it stands. `row_id` and `account_id` are those of its rows.

    `free_minor` of it is on no item; of that `pinned_minor` only a person may use, and `is_barred` says that a person took some of it off
    an item. `account` is where it stands, `is_identified` false while that is nobody's. `since_on` is its value date or the memo's date.
    `bound_to` is the order or contract whose deposit it is, while it is bound.
    """

    row_id: int
    account_id: int
    source: Source
    account: str
    is_identified: bool
    currency: str
    free_minor: int
    pinned_minor: int
    is_barred: bool
    is_returned: bool
    since_on: date
    bound_to: str | None


@dataclass(frozen=True, slots=True)
class Owed:
    """An item as it stands."""

    row_id: int
    item: str
    account: str
    currency: str
    open_minor: int


@dataclass(frozen=True, slots=True)
class Applied:
    """An application as it stands: `minor` of it, effective since `effective_on`, made on the booked day `applied_on`."""

    application: str
    source: Source
    item: str
    account: str
    currency: str
    minor: int
    effective_on: date
    applied_on: date
    rule: str


def as_code(text: str) -> str | None:
    """Return a reason that is a code of at most 40 characters; None for another text, which is left with its sender: it may name people."""
    return text if _code(text) else None


def source_of(application: str) -> Source | None:
    """Return whose money or credit an application is by its id, `receipt|entity|bank_ref|…` or `memo|entity|document_no|…`, or None."""
    kind, _, rest = application.partition("|")
    parts = rest.split("|", 2)
    return Source(kind, "|".join(parts[:2])) if kind in (RECEIPT, MEMO) and len(parts) == 3 else None


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a person (`by`) asks for on the open day: `amount` is text and left out for what fits, `effective_on` for as early as can be.

    It may lie back, but not ahead: nobody decides today what will be so tomorrow.
    """

    open_on: date
    reason: str
    by: str
    amount: str | None = None
    effective_on: date | None = None


def examine_application(asked: Asked, held: Held, owed: Owed | None) -> int | list[Fault]:
    """
    Return how much of what is held may be applied to an item, or every reason why not.

    Only what is on no item is applied: what is on another has to be taken off that one first.
    """
    faults = _faults(asked) + _spending_faults(held)
    if owed is None:
        return [*faults, Fault("ITEM_UNKNOWN", "item")]
    if owed.account != held.account:
        faults.append(Fault("ITEM_OF_ANOTHER_ACCOUNT", "item"))
    if owed.currency != held.currency:
        faults.append(Fault("CURRENCY_DIFFERS", "item"))
    if not owed.open_minor:
        faults.append(Fault("NOTHING_OPEN", "item"))
    minor = _wanted(asked.amount, held.currency, faults, default=min(held.free_minor, owed.open_minor))
    if minor > held.free_minor > 0:
        faults.append(Fault("AMOUNT_ABOVE_FREE", "amount"))
    if minor > owed.open_minor > 0:
        faults.append(Fault("AMOUNT_ABOVE_OPEN", "amount"))
    return faults or minor


def examine_taking_off(asked: Asked, applied: Applied) -> int | list[Fault]:
    """Return how much of an application is to be taken off its item, or every reason why not (PAY-07). Without an amount: all of it."""
    faults = _faults(asked)
    if asked.effective_on is not None and asked.effective_on < applied.effective_on:
        faults.append(Fault("BEFORE_APPLICATION", "effective_on"))
    if not applied.minor:
        faults.append(Fault("NOTHING_APPLIED", "application"))
    minor = _wanted(asked.amount, applied.currency, faults, default=applied.minor)
    if minor > applied.minor > 0:
        faults.append(Fault("AMOUNT_ABOVE_APPLIED", "amount"))
    return faults or minor


def examine_release(asked: Asked, held: Held) -> list[Fault]:
    """Return every reason why there is nothing to be given back to the rules."""
    faults = _faults(asked)
    field = "receipt" if held.source.kind == RECEIPT else "memo"
    if not held.pinned_minor and not held.is_barred and (held.bound_to is None or held.is_returned):
        faults.append(Fault("NOTHING_KEPT", field))
    elif not held.is_identified:
        faults.append(Fault("PAYER_UNKNOWN", field))
    return faults


def examine_refund(asked: Asked, held: Held) -> int | list[Fault]:
    """Return how much of a receipt may be asked to be paid back, or every reason why not (PAY-08). Without an amount: all that is free."""
    faults = _faults(asked) + _spending_faults(held)
    minor = _wanted(asked.amount, held.currency, faults, default=held.free_minor)
    if minor > held.free_minor > 0:
        faults.append(Fault("AMOUNT_ABOVE_FREE", "amount"))
    return faults or minor


def examine_transfer(asked: Asked, held: Held, to_account: str) -> int | list[Fault]:
    """Return how much of a receipt may go to another account, or every reason why not. Without an amount: all that is free."""
    faults = _faults(asked) + _spending_faults(held)
    if to_account == held.account:
        faults.append(Fault("SAME_ACCOUNT", "to_customer"))
    minor = _wanted(asked.amount, held.currency, faults, default=held.free_minor)
    if minor > held.free_minor > 0:
        faults.append(Fault("AMOUNT_ABOVE_FREE", "amount"))
    return faults or minor


def _faults(asked: Asked) -> list[Fault]:
    """Faults of what every request says: why, and from when."""
    faults = [] if as_code(asked.reason) is not None else [Fault("REASON_INVALID", "reason")]
    if asked.effective_on is not None:
        check_day(asked.effective_on, "effective_on", faults)
        if asked.effective_on > asked.open_on:
            faults.append(Fault("DATE_AHEAD", "effective_on"))
    return faults


def _spending_faults(held: Held) -> list[Fault]:
    """Why nothing of what is held can be used."""
    field = "receipt" if held.source.kind == RECEIPT else "memo"
    if not held.is_identified:
        return [Fault("PAYER_UNKNOWN", field)]
    if held.is_returned:
        return [Fault("RECEIPT_RETURNED", field)]
    return [] if held.free_minor else [Fault("NOTHING_FREE", field)]


def _wanted(amount: str | None, currency: str, faults: list[Fault], *, default: int) -> int:
    """Read an amount above zero, or take the default; what is returned beside a fault is of no use."""
    if amount is None:
        return default
    minor = read_amount(amount, currency, "amount", faults)
    if minor is not None and minor <= 0:
        faults.append(Fault("AMOUNT_NOT_POSITIVE", "amount"))
    return minor or 0
