"""
Aliases: by what a payer was recognised once, remembered by a person and trusted only after another one has looked (PAY-11).

States as in the EFT short names of sbc-pay: PENDING until the second look, then LINKED or UNLINKED, as often as somebody changes that.
"""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

ALIAS: Final = "alias"
"""By what a linked alias identifies a payer, as `PayerIdentified.by` says it."""
BY_NAME: Final = "name"
State: TypeAlias = Literal["PENDING", "LINKED", "UNLINKED"]
Objection: TypeAlias = Literal["MAKER_IS_CHECKER", "ALIAS_DECIDED"]


def state_of(is_linked: bool | None) -> State:
    """Return the state by the latest look, None where nobody has looked yet."""
    if is_linked is None:
        return "PENDING"
    return "LINKED" if is_linked else "UNLINKED"


def objection_to(wanted: State, state: State, learned_by: str, decided_by: str) -> Objection | None:
    """
    Say why somebody may not decide so about an alias: whoever taught it does not trust it too, and a decision is not made twice.

    Distrust needs no second person: who taught it by mistake may say so.
    """
    if wanted == state:
        return "ALIAS_DECIDED"
    return "MAKER_IS_CHECKER" if wanted == "LINKED" and learned_by == decided_by else None


def owner_of(linked: Iterable[str]) -> str | None:
    """Return the account that an alias is linked to; nobody where it is linked to several: money is not guessed."""
    accounts = set(linked)
    return accounts.pop() if len(accounts) == 1 else None
