"""The books as the log tells them: every fact of ours folded once, with code that shares nothing with the services'."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeAlias

from torture.check.amounts import AmountUnreadable, minor_of
from torture.check.expected import Owner
from torture.check.log import Fact

CubeKey: TypeAlias = tuple[str, str | None, str, str, date | None, date, date]
"""Entity, account (None: nobody's yet), currency, measure, due_on (None: has none), effective_on, booked_on."""

OPEN: Final = ("invoiced", "credited", "settled")
"""The measures whose sum is what is open."""


@dataclass(slots=True)
class FoldedItem:
    """An item: billed, less money, less credit. `issued` is False while only applications to it were heard."""

    entity: str
    account: str
    currency: str
    due_on: date
    issued: bool = False
    total_minor: int = 0
    settled_minor: int = 0
    credited_minor: int = 0

    @property
    def open_minor(self) -> int:
        """What is still owed."""
        return self.total_minor - self.settled_minor - self.credited_minor


@dataclass(slots=True)
class FoldedDocument:
    """A document as the invoice service told it."""

    kind: str
    entity: str
    account: str
    currency: str
    total_minor: int
    booked_on: date | None


@dataclass(slots=True)
class FoldedMemo:
    """A credit memo and what of it was applied."""

    entity: str = ""
    account: str = ""
    currency: str = ""
    total_minor: int = 0
    applied_minor: int = 0


@dataclass(slots=True)
class FoldedReceipt:
    """
    A receipt and where its money is.

    `given` counts per account how often it was given the receipt less how often it lost it: those facts stand under different keys, so
    there is no last one.
    """

    entity: str
    currency: str
    amount_minor: int = 0
    given: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unidentified_minor: int = 0
    unapplied_minor: int = 0
    on_account_minor: int = 0
    applied_minor: int = 0

    @property
    def account(self) -> str | None:
        """The payer, None while nobody knows."""
        payers = [account for account, times in self.given.items() if times > 0]
        return payers[0] if len(payers) == 1 else "|".join(sorted(payers)) or None


@dataclass(slots=True)
class FoldedApplication:
    """What stands of an application, and how much of it was ever taken back."""

    source_kind: str
    currency: str
    amount_minor: int = 0
    reversed_minor: int = 0


@dataclass(frozen=True, slots=True)
class FoldedNotice:
    """A notice as it was sent; `items` are (item, level, what was open)."""

    entity: str
    account: str
    currency: str
    noticed_on: date
    level: int
    total_minor: int
    items: tuple[tuple[str, int, int], ...]
    booked_on: date | None


@dataclass(frozen=True, slots=True)
class ItemMove:
    """What one fact did to what is open of an item, and the marker it stands behind in its partition."""

    item: str
    minor: int
    behind: date | None


@dataclass(slots=True)
class Folded:
    """
    Everything the facts say, added up. All of it commutes: the order of facts leaves no trace.

    `unread` are facts that could not be folded: (where, why).
    """

    documents: dict[str, FoldedDocument] = field(default_factory=dict)
    items: dict[str, FoldedItem] = field(default_factory=dict)
    memos: dict[str, FoldedMemo] = field(default_factory=lambda: defaultdict(FoldedMemo))
    receipts: dict[str, FoldedReceipt] = field(default_factory=dict)
    applications: dict[tuple[str, str, str], FoldedApplication] = field(default_factory=dict)
    notices: dict[str, FoldedNotice] = field(default_factory=dict)
    limits: dict[Owner, int] = field(default_factory=dict)
    cube: dict[CubeKey, int] = field(default_factory=lambda: defaultdict(int))
    moves: list[ItemMove] = field(default_factory=list)
    rejections: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    issued_twice: list[str] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)

    def sums(self, *measures: str) -> dict[Owner, int]:
        """Add measures up by owner; what is nobody's is left out."""
        sums: dict[Owner, int] = defaultdict(int)
        for (entity, account, currency, measure, *_), minor in self.cube.items():
            if account is not None and measure in measures:
                sums[entity, account, currency] += minor
        return sums


@dataclass(frozen=True, slots=True)
class _Posting:
    """A fact with what every fold needs of it."""

    fact: Fact
    entity: str
    currency: str
    booked_on: date
    effective_on: date

    def minor(self, name: str = "amount") -> int:
        return minor_of(self.fact.data[name], self.currency)

    def post(self, folded: Folded, account: str | None, measure: str, minor: int, due_on: date | None = None) -> None:
        folded.cube[self.entity, account, self.currency, measure, due_on, self.effective_on, self.booked_on] += minor


def fold(facts: Iterable[Fact]) -> Folded:
    """Fold first occurrences of facts; what nobody folds (rejections apart) is passed over."""
    folded = Folded()
    for fact in facts:
        folder = _FOLDS.get(fact.name)
        if folder is None:
            continue
        try:
            folder(folded, _posting(fact))
        except (KeyError, TypeError, ValueError, AmountUnreadable) as error:
            folded.unread.append((f"{fact.record.topic} {fact.id}", f"{fact.name}: {type(error).__name__}: {error}"))
    return folded


def _posting(fact: Fact) -> _Posting:
    booked_on = fact.booked_on or date.min
    entity, currency = str(fact.data.get("entity") or ""), str(fact.data.get("currency") or "")
    return _Posting(fact, entity, currency, booked_on, fact.effective_on or booked_on)


def _invoice_issued(folded: Folded, told: _Posting) -> None:
    data = told.fact.data
    _issue(folded, data["invoice"], "invoice", told)
    for part in data["instalments"]:
        name, due_on, minor = f"{data['invoice']}|{part['n']}", date.fromisoformat(part["due_on"]), minor_of(part["amount"], told.currency)
        item = folded.items.setdefault(name, FoldedItem(told.entity, data["account"], told.currency, due_on))
        item.issued = True
        item.total_minor += minor
        folded.moves.append(ItemMove(name, minor, told.fact.behind))
        told.post(folded, data["account"], "invoiced", minor, due_on)


def _credit_memo_issued(folded: Folded, told: _Posting) -> None:
    data = told.fact.data
    _issue(folded, data["memo"], "credit_memo", told)
    memo = folded.memos[data["memo"]]
    memo.entity, memo.account, memo.currency = told.entity, data["account"], told.currency
    memo.total_minor += told.minor("total")
    told.post(folded, data["account"], "memo", told.minor("total"))


def _issue(folded: Folded, document: str, kind: str, told: _Posting) -> None:
    if document in folded.documents:
        folded.issued_twice.append(document)
    account, total_minor = told.fact.data["account"], told.minor("total")
    folded.documents[document] = FoldedDocument(kind, told.entity, account, told.currency, total_minor, told.fact.booked_on)


def _receipt(folded: Folded, told: _Posting) -> FoldedReceipt:
    return folded.receipts.setdefault(told.fact.data["receipt"], FoldedReceipt(told.entity, told.currency))


def _payment_received(folded: Folded, told: _Posting) -> None:
    name, account = told.fact.data["receipt"], told.fact.data.get("account")
    if name in folded.receipts and folded.receipts[name].amount_minor:
        folded.issued_twice.append(name)
    receipt, minor = _receipt(folded, told), told.minor()
    receipt.amount_minor += minor
    if account is None:
        receipt.unidentified_minor += minor
        told.post(folded, None, "unidentified", minor)
    else:
        receipt.given[account] += 1
        receipt.unapplied_minor += minor
        told.post(folded, account, "unapplied", minor)


def _payer_identified(folded: Folded, told: _Posting) -> None:
    _identify(folded, told, told.minor())


def _payer_unknown(folded: Folded, told: _Posting) -> None:
    _identify(folded, told, -told.minor())


def _identify(folded: Folded, told: _Posting, minor: int) -> None:
    """Move a receipt from nobody to an account, or back where `minor` is negative."""
    receipt, account = _receipt(folded, told), told.fact.data["account"]
    receipt.given[account] += 1 if minor > 0 else -1
    receipt.unidentified_minor -= minor
    receipt.unapplied_minor += minor
    told.post(folded, None, "unidentified", -minor)
    told.post(folded, account, "unapplied", minor)


def _payment_applied(folded: Folded, told: _Posting) -> None:
    _apply(folded, told, "receipt", told.minor())


def _credit_applied(folded: Folded, told: _Posting) -> None:
    _apply(folded, told, "memo", told.minor())


def _application_reversed(folded: Folded, told: _Posting) -> None:
    _apply(folded, told, "memo" if told.fact.data.get("memo") is not None else "receipt", -told.minor())


def _apply(folded: Folded, told: _Posting, kind: str, minor: int) -> None:
    """Move money or credit to an item, or back where `minor` is negative."""
    data = told.fact.data
    source, name, account, due_on = data[kind], data["item"], data["account"], date.fromisoformat(data["due_on"])
    item = folded.items.setdefault(name, FoldedItem(told.entity, account, told.currency, due_on))
    if kind == "receipt":
        item.settled_minor += minor
        receipt = _receipt(folded, told)
        receipt.applied_minor += minor
        receipt.unapplied_minor -= minor
    else:
        item.credited_minor += minor
        folded.memos[source].applied_minor += minor
    application = folded.applications.setdefault((data["application"], source, name), FoldedApplication(kind, told.currency))
    application.amount_minor += minor
    application.reversed_minor += max(0, -minor)
    folded.moves.append(ItemMove(name, -minor, told.fact.behind))
    told.post(folded, account, "settled" if kind == "receipt" else "credited", -minor, due_on)
    told.post(folded, account, "unapplied" if kind == "receipt" else "memo", -minor)


def _on_account_credited(folded: Folded, told: _Posting) -> None:
    _put_on_account(folded, told, told.minor())


def _receipt_unapplied(folded: Folded, told: _Posting) -> None:
    _put_on_account(folded, told, -told.minor())


def _put_on_account(folded: Folded, told: _Posting, minor: int) -> None:
    receipt, account = _receipt(folded, told), told.fact.data["account"]
    receipt.unapplied_minor -= minor
    receipt.on_account_minor += minor
    told.post(folded, account, "unapplied", -minor)
    told.post(folded, account, "on_account", minor)


def _limit_changed(folded: Folded, told: _Posting) -> None:
    """Facts of one key come in order, so the last one counts."""
    folded.limits[told.entity, told.fact.data["account"], told.currency] = told.minor("new")


def _notice_sent(folded: Folded, told: _Posting) -> None:
    data = told.fact.data
    if data["notice"] in folded.notices:
        folded.issued_twice.append(data["notice"])
    items = tuple((one["item"], int(one["level"]), minor_of(one["open"], told.currency)) for one in data["items"])
    folded.notices[data["notice"]] = FoldedNotice(
        entity=told.entity,
        account=data["account"],
        currency=told.currency,
        noticed_on=date.fromisoformat(data["noticed_on"]),
        level=int(data["level"]),
        total_minor=told.minor("total"),
        items=items,
        booked_on=told.fact.booked_on,
    )


def _rejected(folded: Folded, told: _Posting) -> None:
    """Count answers to what was refused, by topic of the answer and identity of the refused."""
    folded.rejections[told.fact.record.topic, told.fact.data["source"], told.fact.data["source_id"]] += 1


_FOLDS: Final[Mapping[str, Callable[[Folded, _Posting], None]]] = {
    "InvoiceIssued": _invoice_issued,
    "CreditMemoIssued": _credit_memo_issued,
    "DocumentRejected": _rejected,
    "PaymentReceived": _payment_received,
    "PayerIdentified": _payer_identified,
    "PayerUnknown": _payer_unknown,
    "PaymentApplied": _payment_applied,
    "CreditApplied": _credit_applied,
    "ApplicationReversed": _application_reversed,
    "OnAccountCredited": _on_account_credited,
    "ReceiptUnapplied": _receipt_unapplied,
    "EntryRejected": _rejected,
    "CreditLimitChanged": _limit_changed,
    "DunningNoticeSent": _notice_sent,
}
