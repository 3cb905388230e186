"""Reading a bank entry, whichever way it came: into what we record, or into every reason why not."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from chassis.entities import Entities
from events.bank import EntryBooked
from events.envelope import Envelope
from events.ingress import check_identifier
from events.invoice import Reason
from money import AmountRefused, CurrencyUnknown, parse_minor

from payment.domain import BANK_ACCOUNT, REFERENCE, digest_of, normalise_bank_account, references_in

BANK_TRANSFER: Final = "bank_transfer"
VALUE_ON_MIN: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Entry:
    """
    Money that came in, checked. Personal data is digests already: `bank_account` the debtor's, `references` by their place from 1.

    `content` is a digest of all that decides where the money goes: another content under the same reference is another receipt.
    """

    entity: str
    bank_ref: str
    value_on: date
    amount_minor: int
    currency: str
    method: str
    customer: str | None
    bank_account: bytes | None
    references: tuple[bytes, ...]
    content: bytes

    @property
    def name(self) -> tuple[str, str]:
        """The natural key."""
        return self.entity, self.bank_ref

    @property
    def receipt(self) -> str:
        """Its id in facts."""
        return f"{self.entity}|{self.bank_ref}"


def read_entry(data: EntryBooked, entities: Entities, envelope: Envelope | None, *, method: str = BANK_TRANSFER) -> Entry | list[Reason]:
    """Return the entry, or every reason why it cannot be recorded. `envelope` is that of the fact, None for our own API."""
    reasons = entities.reasons_against(data.entity, envelope)
    named = [("bank_ref", data.bank_ref), ("method", method)]
    named += [("customer", data.customer)] if data.customer is not None else []
    reasons += [reason for field, value in named if (reason := check_identifier(field, value)) is not None]
    amount_minor = 0
    try:
        amount_minor = parse_minor(data.amount, data.currency)
        if amount_minor <= 0:
            reasons.append(Reason(code="AMOUNT_NOT_POSITIVE", field="amount"))
    except CurrencyUnknown as refused:
        reasons.append(Reason(code=refused.code, field="currency"))
    except AmountRefused as refused:
        reasons.append(Reason(code=refused.code, field="amount"))
    if data.value_on < VALUE_ON_MIN:
        reasons.append(Reason(code="DATE_OUT_OF_RANGE", field="value_on"))
    if reasons:
        return reasons
    remittance = (data.remittance or "").strip()
    bank_account = normalise_bank_account((data.debtor.iban if data.debtor else None) or "")
    content = "\0".join((str(amount_minor), data.currency, str(data.value_on), data.customer or "", bank_account, remittance))
    return Entry(
        entity=data.entity,
        bank_ref=data.bank_ref,
        value_on=data.value_on,
        amount_minor=amount_minor,
        currency=data.currency,
        method=method,
        customer=data.customer,
        bank_account=digest_of(data.entity, BANK_ACCOUNT, bank_account) if bank_account else None,
        references=tuple(digest_of(data.entity, REFERENCE, one) for one in references_in(remittance)),
        content=digest_of(data.entity, "content", content),
    )
