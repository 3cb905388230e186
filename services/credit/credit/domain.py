"""Credit exposure: what an account owes, less the credit it holds with us."""

from dataclasses import dataclass
from typing import NamedTuple


class AccountKey(NamedTuple):
    """What exposure and limit are kept by. Accounts of two entities, and two currencies of one account, never meet."""

    entity: str
    account: str
    currency: str


@dataclass(frozen=True, slots=True)
class Components:
    """
    The parts of an exposure in minor units of one currency, kept apart: open items, money put on-account, open credit of memos.

    Additive: the same facts in any order end in the same components. On the way a component may be negative, because an application can
    come before the invoice it is for. Unapplied money is no part of it: exposure moves when money is applied or put on-account.
    """

    open_minor: int = 0
    on_account_minor: int = 0
    memo_minor: int = 0

    def __add__(self, other: "Components") -> "Components":
        return Components(
            self.open_minor + other.open_minor,
            self.on_account_minor + other.on_account_minor,
            self.memo_minor + other.memo_minor,
        )

    @property
    def exposure_minor(self) -> int:
        """What would be lost if the account never paid again; negative where we owe the customer."""
        return self.open_minor - self.on_account_minor - self.memo_minor


NOTHING = Components()


def billed(minor: int) -> Components:
    """An invoice or debit memo opens items: exposure rises."""
    return Components(open_minor=minor)


def voided(minor: int) -> Components:
    """All items of a document are worth nothing: exposure falls; what was applied to them is told by its own facts."""
    return Components(open_minor=-minor)


def discounted(minor: int) -> Components:
    """A discount is granted: exposure falls, because nobody counts on it any more."""
    return Components(open_minor=-minor)


def discount_revoked(minor: int) -> Components:
    """A discount is taken back and the item open again: exposure rises."""
    return Components(open_minor=minor)


def written_off(minor: int) -> Components:
    """Part of an item is adjusted or written off: exposure falls, because nobody counts on it any more."""
    return Components(open_minor=-minor)


def recovered(minor: int) -> Components:
    """An adjustment is taken back or recovered and the item open again: exposure rises until the money is applied."""
    return Components(open_minor=minor)


def memo_issued(minor: int) -> Components:
    """A credit memo is open credit until it is applied: exposure falls."""
    return Components(memo_minor=minor)


def money_applied(minor: int) -> Components:
    """Unapplied money closes items: exposure falls."""
    return Components(open_minor=-minor)


def memo_applied(minor: int) -> Components:
    """Open credit closes items: exposure stays as it was."""
    return Components(open_minor=-minor, memo_minor=-minor)


def money_given_back(minor: int) -> Components:
    """Applied money is unapplied again and the item open: exposure rises."""
    return Components(open_minor=minor)


def memo_given_back(minor: int) -> Components:
    """Applied credit is open credit again and the item open: exposure stays as it was."""
    return Components(open_minor=minor, memo_minor=minor)


def put_on_account(minor: int) -> Components:
    """Unapplied money becomes credit of the account: exposure falls."""
    return Components(on_account_minor=minor)


def taken_off_account(minor: int) -> Components:
    """On-account money is unapplied again, on its way to an item: exposure rises until it arrives there."""
    return Components(on_account_minor=-minor)


def available_minor(limit_minor: int | None, components: Components) -> int | None:
    """What may still be sold on credit, negative above the limit; None where no limit was set: that is neither nothing nor everything."""
    return None if limit_minor is None else limit_minor - components.exposure_minor
