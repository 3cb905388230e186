"""How an entity wants its money applied, as the settlement of a day reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal

EXACT_ITEM: Final = "exact_item"
CLEAR_ACCOUNT: Final = "clear_account"
CLEAR_PAST_DUE: Final = "clear_past_due"
CLEAR_PAST_DUE_BY_TERMS: Final = "clear_past_due_by_terms"
COMBINATION: Final = "combination"
OLDEST_FIRST: Final = "oldest_first"
RULES: Final = (EXACT_ITEM, CLEAR_ACCOUNT, CLEAR_PAST_DUE, CLEAR_PAST_DUE_BY_TERMS, COMBINATION, OLDEST_FIRST)
"""The rules of PAY-05 for money that names nothing, in the order of the field's standard."""


@dataclass(frozen=True, slots=True)
class Policy:
    """
    The policies of an entity on a day, together.

    `rules` are tried in their order on money that names nothing, the first that fits places it; `partials` lets `oldest_first` pay a part
    of the last item; `discounts` says whether items count less their earned discount for them. What they leave is `rest`. `auto_apply` is
    about on-account money and open memo credit: `oldest` pays the oldest item first, `never` leaves it to people, `same_reference` to what
    it names.

    `returns` says what becomes of money that a bank takes back (PAY-10): `standard` takes it off what it paid, `debit_memo` bills it anew.

    A payment that is short of an item by no more than `tolerance_of` settles it (PAY-09). `codes` say as what a deduction of that code is
    let go: `bank_charge` or `withholding_tax`; other deductions stay open. `version` names the policy of cash application.
    """

    auto_apply: Literal["oldest", "never", "same_reference"]
    version: str
    rules: tuple[str, ...] = (OLDEST_FIRST,)
    partials: bool = True
    discounts: Literal["earned", "none"] = "none"
    rest: Literal["unapplied", "on_account"] = "unapplied"
    tolerance_fixed: Mapping[str, int] = field(default_factory=dict)
    tolerance_percent: Fraction | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    returns: Literal["standard", "debit_memo"] = "standard"

    @property
    def spends_on_account(self) -> bool:
        """Whether rules use on-account money for what it does not name."""
        return self.auto_apply == "oldest"

    def tolerance_of(self, open_minor: int, currency: str) -> int:
        """Return what may be missing of an item with so much open: a fixed amount or a share of it, the smaller where both are given."""
        fixed = self.tolerance_fixed.get(currency)
        share = None if self.tolerance_percent is None else int(open_minor * self.tolerance_percent / 100)
        given = [one for one in (fixed, share) if one is not None]
        return min(given) if given else 0


STANDARD: Final = Policy("oldest", "standard-1")
"""What holds where an entity has published nothing."""
