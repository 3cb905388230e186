"""HTTP bodies of the credit service."""

from collections.abc import Iterable, Sequence
from datetime import date

from asyncpg import Record
from events.ingress import check_identifier
from events.invoice import Reason
from money import AmountRefused, CurrencyUnknown, format_minor, parse_minor
from pydantic import BaseModel, Field

from credit.domain import AccountKey, Components, available_minor
from credit.handlers import Limit, SetLimit


class BodyRefused(Exception):
    """The body reads well but cannot be a command; every reason is in `reasons`."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(", ".join(f"{reason.field}: {reason.code}" for reason in reasons))
        self.reasons = reasons


class LimitBody(BaseModel):
    """A credit limit to set: what an account may owe in one currency."""

    entity: str = Field(examples=["US01"])
    currency: str = Field(examples=["USD"])
    limit: str = Field(examples=["50000.00"], description="A plain decimal string, not negative.")

    def to_command(self, account: str, *, if_match: str | None, set_by: str, entities: Iterable[str]) -> SetLimit:
        """
        Return the command that the body asks for.

        :raises BodyRefused: entity, account, currency or limit cannot be what they claim.
        """
        reasons = [] if self.entity in entities else [Reason(code="ENTITY_UNKNOWN", field="entity")]
        if unusable := check_identifier("account", account):
            reasons.append(unusable)
        limit_minor = 0
        try:
            limit_minor = parse_minor(self.limit, self.currency)
        except CurrencyUnknown as refused:
            reasons.append(Reason(code=refused.code, field="currency"))
        except AmountRefused as refused:
            reasons.append(Reason(code=refused.code, field="limit"))
        if limit_minor < 0:
            reasons.append(Reason(code="AMOUNT_NEGATIVE", field="limit"))
        if reasons:
            raise BodyRefused(reasons)
        return SetLimit(AccountKey(self.entity, account, self.currency), limit_minor, if_match, set_by)


class LimitOut(BaseModel):
    """A credit limit in force; its version is also the ETag."""

    entity: str
    account: str
    currency: str
    limit: str
    version: int

    @classmethod
    def of(cls, limit: Limit) -> "LimitOut":
        """Write a limit for people and programs."""
        return cls(**limit.key._asdict(), limit=format_minor(limit.limit_minor, limit.key.currency), version=limit.version)


class ComponentsOut(BaseModel):
    """What an exposure is made of: exposure = open - on_account - memo_credit."""

    open: str
    on_account: str
    memo_credit: str


class CreditOut(BaseModel):
    """Limit and exposure in one currency; `limit`, `available` and `limit_version` are null where no limit was ever set."""

    currency: str
    limit: str | None
    exposure: str
    available: str | None
    components: ComponentsOut
    limit_version: int | None

    @classmethod
    def of(cls, row: Record) -> "CreditOut":
        """Write what `queries.read_account` found for one currency."""
        components = Components(row["open_minor"], row["on_account_minor"], row["memo_minor"])
        currency, limit_minor = row["currency"], row["limit_minor"]
        available = available_minor(limit_minor, components)
        return cls(
            currency=currency,
            limit=None if limit_minor is None else format_minor(limit_minor, currency),
            exposure=format_minor(components.exposure_minor, currency),
            available=None if available is None else format_minor(available, currency),
            components=ComponentsOut(
                open=format_minor(components.open_minor, currency),
                on_account=format_minor(components.on_account_minor, currency),
                memo_credit=format_minor(components.memo_minor, currency),
            ),
            limit_version=row["version"],
        )


class AccountOut(BaseModel):
    """An account's credit by currency; `complete_up_to` is the last closed day of the entity, null before its first."""

    entity: str
    account: str
    complete_up_to: date | None
    currencies: list[CreditOut]
