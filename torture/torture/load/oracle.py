"""The oracle: folds the client history, one operation after the other, into what must be in the end. It asks nobody."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from torture.check.expected import Command, Expected, ExpectedDocument, ExpectedPoison, ExpectedReceipt, Outcome, Owner
from torture.load.adjustments import Adjustments
from torture.load.amounts import read_minor
from torture.load.history import Entry, History
from torture.load.leaving import Leaving, receipt_of
from torture.load.operation import Meant
from torture.load.payer import Debtors, normalised
from torture.load.poison import Poisoned
from torture.load.slots import decided, service_of, slot_of
from torture.load.wire import encoded

_KINDS: Final[Mapping[str, str]] = {"invoice": "invoice", "debit_memo": "debit_memo", "memo": "credit_memo"}
_DOCUMENTS: Final = (*_KINDS, "opening")
_LEAVING: Final = ("return", "reversal", "placing", "payer", "suggestion", "refund", "refund_decision")
_NO_COMMANDS: Final = ("day", "look")
_CORRECTED, _DEBIT_MEMO = "384", "383"
CONFLICT: Final = "CONFLICT"


@dataclass(frozen=True)
class Oracle(Expected):
    """
    What must be, by what was sent and answered.

    Among the `surprises`: sound things refused, wrong things accepted, both of two racers let through.
    None are `undecided` once the load has settled.
    """

    @classmethod
    def of(cls, history: History | Iterable[Entry], poisoned: Iterable[Poisoned] = ()) -> "Oracle":
        """Fold a history and the poisons that were published beside it."""
        fold = _Fold()
        for told in _operations(history.entries() if isinstance(history, History) else history):
            fold.take(told)
        for one in poisoned:
            fold.take_poison(one)
        return fold.result()


@dataclass(slots=True)
class _Told:
    """One operation with everything that came of it."""

    invoked: Entry
    came: list[Entry] = field(default_factory=list)

    @property
    def is_over_http(self) -> bool:
        return " " in self.invoked.route

    @property
    def body(self) -> Mapping[str, Any]:
        return self.invoked.body or {}

    @property
    def definite(self) -> Entry | None:
        """The first acknowledgement, else the refusal, else None."""
        for entry in self.came:
            if entry.what == "ok":
                return entry
        return next((entry for entry in self.came if entry.what == "fail" and entry.status is not None), None)

    @property
    def was_done(self) -> bool:
        return self.definite is not None and self.definite.what == "ok"

    @property
    def number(self) -> str:
        """The id of the document or receipt it speaks of."""
        return f"{self.body['entity']}|{self.body['bank_ref' if self.invoked.kind == 'receipt' else 'document_no']}"


def _operations(entries: Iterable[Entry]) -> list[_Told]:
    """Gather the lines of each operation, in the order in which operations began."""
    told: dict[str, _Told] = {}
    for entry in entries:
        if entry.what != "invoke":
            told[entry.id].came.append(entry)
        elif entry.attempt == 1:
            told[entry.id] = _Told(entry)
    return list(told.values())


class _Fold:
    """The single-threaded model: what is accepted, who is known, what was asked of the APIs."""

    def __init__(self) -> None:
        self._documents: dict[str, ExpectedDocument] = {}
        self._entries: dict[str, Mapping[str, Any]] = {}
        self._receipts: dict[str, ExpectedReceipt] = {}
        self._maybe: set[str] = set()
        self._debtors = Debtors()
        self._poisons: list[ExpectedPoison] = []
        self._commands: list[Command] = []
        self._voided: set[str] = set()
        self._adjustments = Adjustments()
        self._leaving = Leaving()
        self._payers: dict[str, str] = {}
        self._parents: dict[tuple[str, str], str] = {}
        self._limits: dict[Owner, tuple[int, int]] = {}  # Version, minor units.
        self._racing: set[Owner] = set()
        self._surprises: list[str] = []
        self._undecided: list[str] = []

    def take(self, told: _Told) -> None:
        """Fold one operation."""
        kind, meant = told.invoked.kind, told.invoked.meant
        if told.definite is None:
            self._undecided.append(told.invoked.id)
        if told.is_over_http:
            self._judge(told)
            if kind not in _NO_COMMANDS:
                self._commands.append(_command(told))
        if kind == "limit":
            self._take_limit(told)
        elif kind == "customer":
            self._take_customer(told)
        elif kind in (*_DOCUMENTS, "receipt") and meant != Meant.REFUSED:
            self._take_accepted(told)
        elif kind == "void" and meant != Meant.REFUSED:
            self._take_void(told, told.number)
        elif kind in ("adjustment", "decision"):
            self._take_adjustment(told)
        elif kind in _LEAVING and meant != Meant.REFUSED:
            self._take_leaving(told)
        elif not told.is_over_http and meant == Meant.REFUSED:
            places = [entry.place for entry in told.came if entry.place is not None]
            self._poisons += [ExpectedPoison(f"{told.invoked.code} {told.invoked.id}", *place, Outcome.REFUSED) for place in places]

    def take_poison(self, poisoned: Poisoned) -> None:
        """Fold one dose of poison."""
        dose = poisoned.dose
        if dose.outcome is not None:
            self._poisons += [ExpectedPoison(poisoned.poison.name, *place, dose.outcome) for place in poisoned.places]
        if dose.effect is None:
            return
        id_ = dose.effect.document if isinstance(dose.effect, ExpectedDocument) else dose.effect.receipt
        if not poisoned.places:
            self._maybe |= {id_} if poisoned.may_stand_elsewhere else set()
        elif isinstance(dose.effect, ExpectedDocument):
            self._documents[id_] = dose.effect
        else:
            self._receipts[id_] = dose.effect

    def result(self) -> Oracle:
        """Find the payers, now that everything is known, and add up."""
        refunds = self._leaving.refunds()
        receipts = self._leaving.applied_to(
            {**{id_: self._receipt(id_, entry) for id_, entry in self._entries.items()}, **self._receipts}, refunds
        )
        maybe = self._maybe - self._documents.keys() - receipts.keys()
        adjustments = self._adjustments.result()
        nets: defaultdict[Owner, int] = defaultdict(int)
        for document in self._documents.values():
            owner = (document.entity, document.account, document.currency)
            owed_minor = 0 if document.document in self._voided else document.total_minor
            nets[owner] += -owed_minor if document.kind == "credit_memo" else owed_minor
        for receipt in receipts.values():
            if receipt.account is not None:
                nets[receipt.entity, receipt.account, receipt.currency] -= receipt.stayed_minor
        limits = {owner: minor for owner, (_, minor) in self._limits.items() if owner not in self._racing}
        return Oracle(
            documents=self._documents,
            receipts=receipts,
            maybe=frozenset(maybe | self._adjustments.maybe | self._leaving.maybe),
            nets=dict(nets),
            limits=limits,
            poisons=tuple(self._poisons),
            commands=tuple(self._commands),
            adjustments=adjustments,
            refunds=refunds,
            transfers=self._leaving.transfers,
            debited=frozenset(self._leaving.debited),
            groups=self._groups(),
            released=frozenset(self._leaving.released),
            voided=frozenset(self._voided & self._documents.keys()),
            surprises=(*self._surprises, *self._adjustments.surprises, *self._leaving.surprises),
            undecided=tuple(self._undecided),
        )

    def _take_accepted(self, told: _Told) -> None:
        """A document or receipt that was to be accepted. The same content told twice over is the same thing."""
        body, id_ = told.body, told.number
        if told.invoked.meant == Meant.EITHER and told.definite is not None and not told.was_done:
            return
        if not told.was_done:
            self._maybe.add(id_)
            if told.invoked.kind != "receipt":
                self._debtors.maybe.add((body["entity"], body["document_no"].casefold()))
            return
        if told.invoked.kind == "receipt":
            self._entries[id_] = body
            return
        self._documents[id_] = _document(id_, told.invoked.kind, body)
        self._debtors.of_document[body["entity"], body["document_no"].casefold()] = body["customer"]
        if body.get("type") == _CORRECTED:
            self._take_void(told, f"{body['entity']}|{body['ref_document_no']}")

    def _take_void(self, told: _Told, document: str) -> None:
        """A document is void, or will be as soon as it comes. Of one that nobody ever got an answer for it is not said: it is undecided."""
        if told.was_done:
            self._voided.add(document)

    def _take_adjustment(self, told: _Told) -> None:
        """A request to write off, or a decision about one."""
        subject, body = told.invoked.subject, told.body
        if told.invoked.kind == "adjustment" and told.was_done and told.definite is not None:
            self._adjustments.take_request(body, subject, json.loads(told.definite.answer or "{}"))
        elif told.invoked.kind == "decision":
            id_, verb = decided(told.invoked.route)
            if told.was_done:
                self._adjustments.take_decision(id_, verb, subject, body)
            elif told.definite is None:
                self._adjustments.maybe.add(id_)

    def _take_leaving(self, told: _Told) -> None:
        """Money that a bank or a person took back, that somebody wants paid back, or decided about otherwise."""
        kind, body, route, subject = told.invoked.kind, told.body, told.invoked.route, told.invoked.subject
        if kind == "refund_decision" and told.definite is None:
            self._leaving.maybe.add(decided(route)[0])
        if not told.was_done or told.definite is None:
            return
        answer = json.loads(told.definite.answer or "{}")
        match kind:
            case "return":
                self._leaving.take_return(body)
            case "reversal":
                self._leaving.take_reversal(route, body)
            case "placing":
                self._leaving.take_placing(route, body, answer)
            case "payer":
                self._payers[receipt_of(route, body)] = body["customer"]
            case "suggestion":
                if decided(route)[1] == "accept":
                    self._payers[answer["receipt"]] = answer["account"]
            case "refund":
                self._leaving.take_request(body, subject, answer)
            case _:
                self._leaving.take_decision(*decided(route), subject)

    def _take_customer(self, told: _Told) -> None:
        for text in told.body["bank_accounts"]:
            name = (told.body["entity"], normalised(text))
            if told.was_done:
                self._debtors.of_bank_account[name] = told.body["customer"]
            else:
                self._debtors.maybe.add(name)
        if told.was_done and told.body.get("parent"):
            self._parents[told.body["entity"], told.body["customer"]] = told.body["parent"]

    def _groups(self) -> dict[tuple[str, str], str]:
        """Who settles under whose account: the topmost parent. The plan tells no circles."""
        groups = {}
        for entity, customer in self._parents:
            account = customer
            while (entity, account) in self._parents:
                account = self._parents[entity, account]
            groups[entity, customer] = account
        return groups

    def _take_limit(self, told: _Told) -> None:
        """Of the answers of an account and currency the one with the highest version is in force."""
        owner = (told.body["entity"], told.invoked.route.split("/")[3], told.body["currency"])
        if told.definite is None:
            self._racing.add(owner)
        elif told.was_done:
            version = int(json.loads(told.definite.answer or "{}").get("version", 0))
            minor = read_minor(told.body["limit"], told.body["currency"])
            before = self._limits.get(owner, (0, 0))
            if version == before[0] and minor != before[1]:
                self._surprises.append(f"{told.invoked.id}: version {version} of the limit of {owner} was given to two callers")
            self._limits[owner] = max(before, (version, minor))

    def _judge(self, told: _Told) -> None:
        """Compare an answer with what was meant."""
        answer = told.definite
        if answer is None:
            return
        if told.invoked.meant == Meant.ACCEPTED and not told.was_done:
            self._surprises.append(
                f"{told.invoked.id}: {told.invoked.route} was refused with {answer.status}: {(answer.answer or '')[:300]}"
            )
        if told.invoked.meant == Meant.REFUSED and told.was_done:
            self._surprises.append(f"{told.invoked.id}: {told.invoked.route} should be refused ({told.invoked.code}), got {answer.status}")

    def _receipt(self, id_: str, body: Mapping[str, Any]) -> ExpectedReceipt:
        payers, is_certain = self._debtors.payers(body)
        if id_ in self._payers:
            payers = (self._payers[id_],)
        settles = body.get("exchange", body)
        amount_minor = read_minor(settles["amount"], settles["currency"])
        among = tuple(one for one in payers if one is not None) if len(payers) > 1 else ()
        account = None if among else payers[0]
        return ExpectedReceipt(id_, body["entity"], settles["currency"], amount_minor, account, payer_open=not is_certain, among=among)


def _document(id_: str, kind: str, body: Mapping[str, Any]) -> ExpectedDocument:
    """Return the document that an accepted body makes; an opening balance below zero is credit."""
    minor = read_minor(body["open" if kind == "opening" else "total"], body["currency"])
    if kind == "opening":
        kind = "memo" if minor < 0 else "debit_memo" if body.get("type") == _DEBIT_MEMO else "invoice"
    return ExpectedDocument(id_, _KINDS[kind], body["entity"], body["customer"], body["currency"], abs(minor))


def _command(told: _Told) -> Command:
    """
    Return an operation over HTTP as a command with its definite answer.

    One refused for a conflict has no effect of its own: what it speaks of is there, from somebody else.
    """
    invoked, answer = told.invoked, told.definite
    method, _, path = invoked.route.partition(" ")
    route, entity = slot_of(invoked.kind, invoked.route, told.body)
    has_effect = invoked.kind in (*_DOCUMENTS, "receipt") and invoked.code != CONFLICT
    return Command(
        service=service_of(invoked.kind),
        method=method,
        route=route,
        url_path=path,
        entity=entity,
        principal=invoked.subject,
        key=invoked.key,
        body=encoded(told.body),
        status=answer.status if answer else None,
        answer=(answer.answer or "").encode() if answer else None,
        effect=told.number if has_effect else "",
        headers={"If-Match": invoked.if_match} if invoked.if_match else {},
    )
