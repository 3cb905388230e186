"""Facts of the credit service (topic `receivables.credit`)."""

from events.fact import Amount, Event, fact


@fact("receivables.CreditLimitChanged.v1", topic="receivables.credit")
class CreditLimitChanged(Event, frozen=True, kw_only=True):
    """
    Published when the credit limit of an account was set over HTTP. `old` is absent for the first limit.

    Does not imply that any order is held or released.
    """

    entity: str
    account: str
    currency: str
    new: Amount
    old: Amount | None = None
