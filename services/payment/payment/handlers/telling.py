"""What the settlement of an account publishes: a fact for every change of the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from asyncpg import Record
from chassis.service import Fact
from events.fact import Event
from events.payment import (
    AdjustmentPosted,
    AdjustmentReversed,
    ApplicationReversed,
    CreditApplied,
    DiscountGranted,
    DiscountRevoked,
    FxRealised,
    MoneyTransferredOut,
    OnAccountCredited,
    PaymentApplied,
    PaymentReversed,
    ReceiptUnapplied,
    RefundIssued,
)
from money import format_minor

from payment.domain import ADJUSTMENT, ALLOWANCE, DISCOUNTS, FX, PERSON, RECEIPT, REFUNDED, RETURNED, RULES, TRANSFERRED, Source
from payment.domain.books import SCORE, SCORED
from payment.domain.transfers import Transfer
from payment.handlers.bookings import ACCOUNT, INVOICE, Booking, Causes, Phase
from payment.handlers.ledger import Change, Ledger
from payment.queries.locks import Account


@dataclass(frozen=True, slots=True)
class Teller:
    """
    Says what changes of one settlement mean.

    `returns` are what banks said of receipts (row id) that they took back, `refunds` who asked for and who approved the refunds of this
    settlement, `transfers` its transfers (both by decision), `versions` the policies of cash application by entity.
    """

    ledger: Ledger
    causes: Causes
    returns: Mapping[int, Record]
    refunds: Mapping[str, tuple[str, str]]
    transfers: Mapping[str, Transfer]
    versions: Mapping[str, str]

    def tell(self, account: Account, change: Change, among: Sequence[Change]) -> Booking:
        """Return the fact of a change; `among` are all changes of its account."""
        entry = change.entry
        payer = Source(RECEIPT, entry.source.id) if entry.source.kind == ALLOWANCE else entry.source
        cause = self.causes.get(payer)
        if entry.item:
            event = self._of_an_item(account, change)
            cause = cause or self.causes.get((INVOICE, f"{account.entity}|{self.ledger.items[entry.item]['document_no']}"))
        else:
            event = self._of_a_receipt(account, change, among)
        fact = Fact(event, account.entity, account.key, entry.effective_on, cause or self.causes.get((ACCOUNT, account.key)))
        return Booking(_phase(change), fact)

    def _of_an_item(self, account: Account, change: Change) -> Event:
        kind, rule = change.entry.source.kind, change.entry.rule
        if rule == FX:
            return self._realised(account, change)
        if kind == ADJUSTMENT:
            return self._adjusted(account, change)
        if kind == ALLOWANCE:
            return self._discounted(account, change) if rule in DISCOUNTS else self._let_go(account, change)
        return self._applied(account, change)

    def _applied(self, account: Account, change: Change) -> PaymentApplied | CreditApplied | ApplicationReversed:
        """Tell an application; more of an earlier day's than stands of it bears that application's id, whose part it restores."""
        entry = change.entry
        common = {"application": entry.application, **self._item(account, change)}
        is_receipt = entry.source.kind == RECEIPT
        decision = entry.application.rpartition(f"|{PERSON}:")[2] if entry.rule == PERSON else None
        rule = SCORE if decision is not None and decision.startswith(f"{account.entity}{SCORED}") else entry.rule
        if change.reason is not None:
            receipt, memo = (entry.source.id, None) if is_receipt else (None, entry.source.id)
            return ApplicationReversed(**common, receipt=receipt, memo=memo, reason=change.reason, rule=rule)
        if not is_receipt:
            return CreditApplied(**common, memo=entry.source.id, rule=entry.rule)
        version = self.versions[account.entity] if rule in (*RULES, SCORE) else None
        return PaymentApplied(**common, receipt=entry.source.id, rule=rule, decision=decision, policy_version=version)

    def _adjusted(self, account: Account, change: Change) -> AdjustmentPosted | AdjustmentReversed:
        """Tell what was posted of an adjustment; more of what was taken back already restores that part."""
        source, common = change.entry.source, self._item(account, change)
        tax = format_minor(abs(self.ledger.post(source, change.minor)), common["currency"])
        common |= {"adjustment": source.id, "kind": self.ledger.sources[source]["kind"], "tax": tax}
        if change.reason is not None:
            return AdjustmentReversed(**common, reason=change.reason)
        return AdjustmentPosted(**common)

    def _let_go(self, account: Account, change: Change) -> AdjustmentPosted | AdjustmentReversed:
        """Tell what a payment was allowed to keep back besides a discount."""
        common = self._allowed(account, change) | {"adjustment": change.entry.application}
        if change.reason is not None:
            return AdjustmentReversed(**common, reason=change.reason)
        return AdjustmentPosted(**common)

    def _discounted(self, account: Account, change: Change) -> DiscountGranted | DiscountRevoked:
        common = self._allowed(account, change) | {"discount": change.entry.application}
        if change.reason is not None:
            return DiscountRevoked(**common, reason=change.reason)
        return DiscountGranted(**common)

    def _allowed(self, account: Account, change: Change) -> dict[str, Any]:
        entry, common = change.entry, self._item(account, change)
        tax_minor = self.ledger.allow(entry.item, entry.rule, change.minor)
        return common | {"receipt": entry.source.id, "kind": entry.rule, "tax": format_minor(abs(tax_minor), common["currency"])}

    def _realised(self, account: Account, change: Change) -> FxRealised:
        entry, common = change.entry, self._item(account, change)
        del common["amount"], common["due_on"]
        currency = self.ledger.items[entry.item]["base_currency"]
        gain, loss = format_minor(max(change.minor, 0), currency), format_minor(max(-change.minor, 0), currency)
        common |= {"currency": currency, "gain": gain, "loss": loss}
        return FxRealised(application=entry.application, receipt=entry.source.id, **common)

    def _of_a_receipt(self, account: Account, change: Change, among: Sequence[Change]) -> Event:
        entry = change.entry
        row = self.ledger.sources[entry.source]
        amount = format_minor(abs(change.minor), row["currency"])
        common = {"entity": account.entity, "receipt": entry.source.id, "account": account.account, "currency": row["currency"]}
        rule, _, decision = entry.rule.partition(":")
        if rule == REFUNDED:
            asked_by, approved_by = self.refunds[decision]
            return RefundIssued(refund=decision, amount=amount, requested_by=asked_by, approved_by=approved_by, **common)
        if rule == TRANSFERRED:
            one = self.transfers[decision]
            common |= {"transfer": one.id, "to_account": one.to_account, "by": one.by}
            return MoneyTransferredOut(amount=amount, reason=one.reason, transferred_by=one.transferred_by, **common)
        if rule == RETURNED:
            return self._returned(change, among, common | {"amount": amount})
        return (OnAccountCredited if change.minor > 0 else ReceiptUnapplied)(amount=amount, **common)

    def _returned(self, change: Change, among: Sequence[Change], common: dict[str, Any]) -> PaymentReversed:
        """What it reopens is what it had paid when the day opened: whatever else came today may have taken some of that off before."""
        row = self.ledger.sources[change.entry.source]
        told, currency = self.returns[row["id"]], row["currency"]
        today = [(one.entry, one.minor) for one in among] + list(self.ledger.booked[change.account_id].items())
        taken_off = [entry for entry, minor in today if entry.source == change.entry.source and entry.item and minor < 0]
        reopened = sorted({entry.item for entry in taken_off if entry.applied_on < self.ledger.open_on[change.account_id]})
        return PaymentReversed(
            kind=told["kind"],
            reason_code=told["reason_code"],
            fee=None if told["fee_minor"] is None else format_minor(told["fee_minor"], currency),
            refunded=format_minor(row["refunded_minor"], currency) if row["refunded_minor"] else None,
            value_on=row["value_on"],
            reopened=reopened,
            **common,
        )

    def _item(self, account: Account, change: Change) -> dict[str, Any]:
        """Return what every fact about an item says of it, and the amount."""
        item = self.ledger.items[change.entry.item]
        due_on: date = item["due_on"]
        return {
            "entity": account.entity,
            "item": change.entry.item,
            "invoice": f"{account.entity}|{item['document_no']}",
            "customer": item["customer"],
            "account": account.account,
            "currency": item["currency"],
            "due_on": due_on,
            "amount": format_minor(abs(change.minor), item["currency"]),
        }


def _phase(change: Change) -> Phase:
    """Money is given back before it leaves, and comes before it is placed; what an application gained is told with it."""
    entry = change.entry
    if not entry.item and entry.rule.partition(":")[0] in (REFUNDED, RETURNED, TRANSFERRED):
        return Phase.LEFT
    return Phase.PLACED if change.minor > 0 or entry.rule == FX else Phase.TAKEN_BACK
