"""Reading a bank entry, whichever way it came: into what we record, or into every reason why not."""

import json
from datetime import date
from typing import Final

import msgspec
from chassis.entities import Entities
from events.bank import EntryBooked, Exchange
from events.envelope import Envelope
from events.ingress import check_identifier
from events.invoice import Reason, Valuation
from events.payment import Received
from money import AmountRefused, CurrencyUnknown, format_minor, parse_minor
from policies.faults import Fault, read_rate

from payment.domain import BANK_ACCOUNT, RECEIPT, REFERENCE, digest_of, normalise_bank_account, references_in
from payment.domain.clues import digests_of_deposit
from payment.domain.rates import BANK, Cash, ExchangeRate, Valued, value_cash
from payment.handlers.lines import Lines, read_lines

BANK_TRANSFER: Final = "bank_transfer"
VALUE_ON_MIN: Final = date(1970, 1, 1)
NOT_PROVIDED: Final = "NOTPROVIDED"
"""What ISO 20022 has for the end-to-end id of a payer who gave none."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """
    Money that came in, checked: `amount_minor` of `currency` is what it settles in, `booked` what the bank booked.

    Personal data is digests already: `bank_account` the debtor's, `references` by their place from 1. `advised` are the references of
    advices about it, which come before all of them, `advised_customer` the customer they give. `stated` is JSON (`handlers.kept`).
    `payment_ref` stands for the payer's own reference. `valued` is None in the entity's own currency, and while no rate is known.
    `debtor_name` and `remittance` are for people to read while money is not placed, and personal data as they stand. `deposit_for` is the
    order or contract it is a deposit for; what stands for that is the last of `references`.

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
    own_currency: str
    booked: Cash
    valued: Valued | None = None
    stated: str | None = None
    payment_ref: bytes | None = None
    advised: tuple[bytes, ...] = ()
    advised_customer: str | None = None
    debtor_name: str | None = None
    remittance: str | None = None
    deposit_for: str | None = None

    @property
    def name(self) -> tuple[str, str]:
        """The natural key."""
        return self.entity, self.bank_ref

    @property
    def receipt(self) -> str:
        """Its id in facts."""
        return f"{self.entity}|{self.bank_ref}"

    @property
    def payment_refs(self) -> list[bytes]:
        """What an advice may call the payment, as digests: the bank's reference, and the payer's."""
        bank_ref = digest_of(self.entity, RECEIPT, self.bank_ref)
        return [bank_ref] if self.payment_ref is None else [bank_ref, self.payment_ref]

    @property
    def clues(self) -> dict[int, bytes]:
        """The references by place: those of advices below zero, its own from 1."""
        return {place - len(self.advised): digest for place, digest in enumerate(self.advised)} | dict(enumerate(self.references, 1))

    @property
    def settles(self) -> Cash:
        """What it settles in."""
        return Cash(self.currency, self.amount_minor)

    @property
    def is_exchanged(self) -> bool:
        """Whether it settles in another currency than the bank booked."""
        return self.booked.currency != self.currency

    @property
    def needs_rate(self) -> bool:
        """Whether it has to be valued at a published rate."""
        return self.currency != self.own_currency and self.valued is None

    @property
    def received(self) -> Received | None:
        """What the bank booked, as it is told, where that is another currency."""
        if not self.is_exchanged:
            return None
        return Received(currency=self.booked.currency, amount=format_minor(self.booked.minor, self.booked.currency))

    @property
    def valuation(self) -> Valuation | None:
        """What it is worth, as it is told."""
        if self.valued is None:
            return None
        return Valuation(
            currency=self.own_currency,
            rate=self.valued.rate,
            rate_on=self.valued.rate_on,
            type=self.valued.type,
            total=format_minor(self.valued.base_minor, self.own_currency),
        )


def read_entry(data: EntryBooked, entities: Entities, envelope: Envelope | None, *, method: str = BANK_TRANSFER) -> Entry | list[Reason]:
    """Return the entry, or every reason why it cannot be recorded. `envelope` is that of the fact, None for our own API."""
    reasons = entities.reasons_against(data.entity, envelope)
    named = [("bank_ref", data.bank_ref), ("method", method), ("customer", data.customer), ("payment_ref", data.payment_ref)]
    named.append(("deposit_for", data.deposit_for))
    reasons += [reason for field, value in named if value is not None and (reason := check_identifier(field, value)) is not None]
    booked = _read_cash(data.amount, data.currency, "", reasons)
    if data.value_on < VALUE_ON_MIN:
        reasons.append(Reason(code="DATE_OUT_OF_RANGE", field="value_on"))
    settles = booked if data.exchange is None else _read_exchange(data.exchange, data.currency, reasons)
    rate = None if data.rate is None else _read_rate(data, data.rate, reasons)
    lines = _read_lines(data, settles, reasons)
    if reasons or booked is None or settles is None:
        return reasons
    own_currency = entities.by_id[data.entity].currency
    valued = None if settles.currency == own_currency else value_cash(booked, settles, own_currency, data.value_on, rate)
    if valued is None and rate is not None and own_currency not in (booked.currency, settles.currency):
        return [Reason(code="AMOUNT_TOO_LARGE", field="rate")]
    remittance = (data.remittance or "").strip()
    bank_account = normalise_bank_account((data.debtor.iban if data.debtor else None) or "")
    numbers = dict.fromkeys((*(lines.numbers if lines else ()), *references_in(remittance)))
    order = () if data.deposit_for is None else digests_of_deposit(data.entity, data.deposit_for)
    return Entry(
        entity=data.entity,
        bank_ref=data.bank_ref,
        value_on=data.value_on,
        amount_minor=settles.minor,
        currency=settles.currency,
        method=method,
        customer=data.customer,
        bank_account=digest_of(data.entity, BANK_ACCOUNT, bank_account) if bank_account else None,
        references=tuple(dict.fromkeys((*(digest_of(data.entity, REFERENCE, one) for one in numbers), *order))),
        content=_content(data, booked, settles, bank_account, remittance, rate, lines),
        own_currency=own_currency,
        booked=booked,
        valued=valued,
        stated=lines.stated if lines else None,
        payment_ref=digest_of(data.entity, RECEIPT, data.payment_ref) if data.payment_ref not in (None, NOT_PROVIDED) else None,
        debtor_name=(data.debtor.name if data.debtor else None) or None,
        remittance=remittance or None,
        deposit_for=data.deposit_for,
    )


def _read_cash(text: str, currency: str, at: str, reasons: list[Reason]) -> Cash | None:
    """Read money that came in; None, with the reason, where it is none."""
    try:
        minor = parse_minor(text, currency)
    except CurrencyUnknown as refused:
        reasons.append(Reason(code=refused.code, field=f"{at}currency"))
        return None
    except AmountRefused as refused:
        reasons.append(Reason(code=refused.code, field=f"{at}amount"))
        return None
    if minor <= 0:
        reasons.append(Reason(code="AMOUNT_NOT_POSITIVE", field=f"{at}amount"))
    return Cash(currency, minor)


def _read_exchange(exchange: Exchange, booked_currency: str, reasons: list[Reason]) -> Cash | None:
    if exchange.currency == booked_currency:
        reasons.append(Reason(code="CURRENCY_NOT_EXCHANGED", field="exchange.currency"))
    return _read_cash(exchange.amount, exchange.currency, "exchange.", reasons)


def _read_rate(data: EntryBooked, text: str, reasons: list[Reason]) -> ExchangeRate | None:
    faults: list[Fault] = []
    rate = read_rate(text, "rate", faults)
    reasons += [Reason(code=fault.code, field=fault.field) for fault in faults]
    return None if rate is None else ExchangeRate(data.currency, f"{rate.normalize():f}", data.value_on, BANK)


def _read_lines(data: EntryBooked, settles: Cash | None, reasons: list[Reason]) -> Lines | None:
    """Read the lines in the currency that the money settles in; together they say no more than came."""
    if not data.lines or settles is None:
        return None
    lines = read_lines(data.lines, settles.currency)
    if isinstance(lines, list):
        reasons += lines
        return None
    if lines.total_minor > settles.minor:
        reasons.append(Reason(code="LINES_EXCEED_AMOUNT", field="lines"))
    return lines


def _content(
    data: EntryBooked, booked: Cash, settles: Cash, bank_account: str, remittance: str, rate: ExchangeRate | None, lines: Lines | None
) -> bytes:
    """
    Return the digest of what an entry says. It is kept for ever and compared with entries that come again.

    So an entry without payment reference, rate, exchange and lines has the digest it had before there were any, and so has one that is no
    deposit.
    """
    parts = [str(booked.minor), booked.currency, str(data.value_on), data.customer or "", bank_account, remittance]
    exchanged = None if data.exchange is None else [settles.currency, settles.minor]
    more = [data.payment_ref, None if rate is None else rate.rate, exchanged, None if lines is None else lines.content]
    if data.deposit_for is not None:
        more.append(data.deposit_for)
    if any(one is not None for one in more):
        parts.append(json.dumps(more))
    return digest_of(data.entity, "content", "\0".join(parts))
