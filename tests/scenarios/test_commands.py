"""Documents, receipts and limits over HTTP: each command has one effect, however often and however it is sent."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import msgspec
import pytest
from chassis.record import Fresh, classify
from testkit.world import World

pytestmark = pytest.mark.scenario
ENTITY = "HTTP"


@dataclass(frozen=True)
class Command:
    """A command, another content of it, and the fact it causes; `number` is the field of both that names what it is about."""

    method: str
    service: str
    path: str
    role: str
    body: dict[str, Any]
    other: dict[str, Any]
    topic: str
    fact: str
    number: str
    done: int = 201

    def send(self, world: World, body: dict[str, Any], key: str | None) -> httpx.Response:
        """Send it with a body and a key."""
        send = world.post if self.method == "POST" else world.put
        return send(self.service, self.path, body, key=key, roles=(self.role,))

    def facts(self, world: World) -> list[dict[str, Any]]:
        """The facts it has caused so far."""
        items = [classify(record) for record in world.log(self.topic)]
        data = [msgspec.json.decode(item.data) for item in items if isinstance(item, Fresh) and item.envelope.type == self.fact]
        wanted = self.body.get(self.number, "C-LIMIT")
        return [one for one in data if one["entity"] == ENTITY and one[self.number] == wanted]


def commands() -> list[Command]:
    invoice = {"entity": ENTITY, "document_no": "H-1", "customer": "C-1", "currency": "USD", "issued_on": "2026-04-01", "terms": "NET30"}
    memo = {"entity": ENTITY, "document_no": "H-2", "customer": "C-2", "currency": "USD", "issued_on": "2026-04-01"}
    receipt = {"entity": ENTITY, "bank_ref": "H-3", "customer": "C-3", "currency": "USD", "value_on": "2026-04-01"}
    limit = {"entity": ENTITY, "currency": "USD"}
    some, more = {"total": "10.00"}, {"total": "11.00"}
    return [
        Command(
            "POST", "invoice", "/v1/invoices", "clerk", invoice | some, invoice | more,
            "receivables.invoice", "receivables.InvoiceIssued.v1", "document_no",
        ),
        Command(
            "POST", "invoice", "/v1/credit-memos", "clerk", memo | some, memo | more,
            "receivables.invoice", "receivables.CreditMemoIssued.v1", "document_no",
        ),
        Command(
            "POST", "payment", "/v1/receipts", "clerk", receipt | {"amount": "10.00"}, receipt | {"amount": "11.00"},
            "receivables.payment", "receivables.PaymentReceived.v1", "bank_ref",
        ),
        Command(
            "PUT", "credit", "/v1/accounts/C-LIMIT/limit", "credit-analyst", limit | {"limit": "10.00"}, limit | {"limit": "11.00"},
            "receivables.credit", "receivables.CreditLimitChanged.v1", "account", done=200,
        ),
    ]  # fmt: skip


def close_open_day(world: World) -> None:
    """Close the day that commands are booked on: what they cause stands in the topics, and all of it is folded."""
    world.close_day(ENTITY, date.fromisoformat(world.read("invoice", "/v1/business-days", ENTITY)["open_on"]))


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.path)
def test_a_command_sent_again_gets_the_same_answer_and_has_one_effect(world: World, command: Command) -> None:
    """D1, D2, INV-01, XC-14: 400 without a key, one effect for one key, the same bytes for a repeat, 422 for another body under it."""
    missing = command.send(world, command.body, None)
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: command.send(world, command.body, "key-1"), range(8)))
    again = command.send(world, command.body, "key-1")
    reused = command.send(world, command.other, "key-1")

    assert (missing.status_code, missing.json()["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")
    done = [answer for answer in answers if answer.status_code == command.done]
    assert {answer.status_code for answer in answers} <= {command.done, 409}, [
        answer.text for answer in answers
    ]  # 409: the first is at work.
    assert len({answer.content for answer in (*done, again)}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in done) == 1
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (command.done, "true")
    assert (reused.status_code, reused.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    close_open_day(world)
    assert len(command.facts(world)) == 1


@pytest.mark.parametrize("command", commands()[:3], ids=lambda command: command.path)
def test_the_number_of_a_document_or_receipt_is_its_identity_under_any_key(world: World, command: Command) -> None:
    """INV-01, PAY-01: the same content under another key is the same thing, other content is a conflict."""
    first, same = (command.send(world, command.body, key) for key in ("key-2", "key-3"))
    conflict = command.send(world, command.other, "key-4")

    assert (first.status_code, same.status_code) == (201, 201)
    assert same.json() == first.json()
    assert conflict.status_code == 409
    close_open_day(world)
    assert len(command.facts(world)) == 1


def test_a_limit_is_changed_by_who_has_read_it_and_leaves_less_available_as_more_is_owed(world: World) -> None:
    """CRD-01, CRD-02: 50 000.00 less 32 000.00 owed is 18 000.00; 5 000.00 paid makes it 23 000.00."""
    path, analyst = "/v1/accounts/C-12/limit", ("credit-analyst",)
    body = {"entity": ENTITY, "currency": "USD", "limit": "40000.00"}
    invoice = {"entity": ENTITY, "document_no": "H-12", "customer": "C-12", "currency": "USD", "issued_on": "2026-04-01", "terms": "NET30"}
    receipt = {"entity": ENTITY, "bank_ref": "H-12", "currency": "USD", "value_on": "2026-04-02", "remittance": "H-12"}

    assert world.put("credit", path, body, key="limit-0", roles=("clerk",)).status_code == 403
    first = world.put("credit", path, body, key="limit-1", roles=analyst)
    unread = world.put("credit", path, body | {"limit": "50000.00"}, key="limit-2", roles=analyst)
    second = world.put("credit", path, body | {"limit": "50000.00"}, key="limit-3", roles=analyst, **{"If-Match": first.headers["ETag"]})
    outdated = world.put("credit", path, body | {"limit": "60000.00"}, key="limit-4", roles=analyst, **{"If-Match": first.headers["ETag"]})
    assert [answer.status_code for answer in (first, unread, second, outdated)] == [200, 428, 200, 412]

    assert world.post("invoice", "/v1/invoices", invoice | {"total": "32000.00"}, key="h-12").status_code == 201
    close_open_day(world)
    (owed,) = world.read("credit", "/v1/accounts/C-12", ENTITY)["currencies"]
    assert (owed["limit"], owed["exposure"], owed["available"]) == ("50000.00", "32000.00", "18000.00")

    assert world.post("payment", "/v1/receipts", receipt | {"amount": "5000.00"}, key="h-12").status_code == 201
    close_open_day(world)
    (paid,) = world.read("credit", "/v1/accounts/C-12", ENTITY)["currencies"]
    assert (paid["exposure"], paid["available"]) == ("27000.00", "23000.00")
    today = date.fromisoformat(world.read("reporting", "/v1/business-days", ENTITY)["complete_up_to"])
    assert world.balance(ENTITY, "C-12", today)["balance"] == "27000.00"
