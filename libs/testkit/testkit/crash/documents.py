"""The flow that reaches most places: the invoice service with an ERP, people at its HTTP, and a payment service that answers."""

import asyncio
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import httpx
import msgspec
from aiokafka import AIOKafkaConsumer
from chassis.record import Record
from chassis.relay import LEADER_LOCK
from events import envelope as cloudevents
from events import erp, payment
from events.fact import kind_of
from events.invoice import InvoiceIssued
from events.topics import INGRESS

from testkit.crash.flow import ENTITY, FIRST_DAY, Flow, Wiring
from testkit.ingress import an_invoice
from testkit.patience import until
from testkit.process import ServiceProcess
from testkit.topic_log import days_of

WIRING: Final = Wiring(
    "invoice", ("erp.documents", "erp.customers", "erp.reference", "receivables.payment"), "receivables.invoice", INGRESS
)
DOCUMENTS, CUSTOMERS, COMMANDS, SETTLEMENTS = 12, 4, 3, 10
"""Of a round."""
_PAUSE_S: Final = 0.05


class Documents:
    """
    Rounds of documents told over Kafka and HTTP, each ending with a new business day.

    A round has documents (one twice, one refused), applications of money one after the other (one that cannot be handled), commands,
    and a redrive of all that is refused.
    """

    def __init__(self, flow: Flow, rounds: int) -> None:
        self.flow = flow
        self._rounds = rounds
        self._published = 0

    def publish(self) -> None:
        """Publish the documents of the next round: some wait already when the service starts."""
        number = self._published
        documents = [_document(f"D{number}-{n:02}", f"C-{n % CUSTOMERS}") for n in range(DOCUMENTS)]
        refused = _document(f"REFUSED-{number}", "C-1", currency="NO-SUCH-CURRENCY")
        self.flow.publish([*documents, documents[3], refused])

    def settle(self, process: ServiceProcess) -> None:
        """
        Once the service is at work, apply money to the documents of the round, and once an amount that is none.

        Behind it stands the day that the payment service has passed on, which the next day waits for here.
        """
        self.flow.wait_until(process, self.has_begun)
        amounts = ["1.00"] * SETTLEMENTS + ["none"]
        applications = [_application(f"D{self._published}-{n:02}", amount) for n, amount in enumerate(amounts)]
        self.flow.publish(applications, pause_s=_PAUSE_S)
        self.flow.mark(["receivables.payment"], _open_on(self._published))

    def has_begun(self) -> bool:
        """Whether anything was handled."""
        return bool(self.flow.ask("SELECT FROM chk.stream_head LIMIT 1"))

    def live_through(self, process: ServiceProcess, *, jostled: bool) -> bool:
        """
        Tell all rounds, whatever was told before; False when the process has died of it.

        `jostled`: each round a stranger joins the group and leaves it, and the relay loses its connection.
        """
        for number in range(self._rounds):
            if number == self._published:
                if number:
                    self.publish()
                self.settle(process)
                self._published += 1
            if not self.insist(process, number):
                return False
            if jostled and not (self._crowd(process) and self._cut_relay(process)):
                return False
        return True

    def insist(self, process: ServiceProcess, number: int) -> bool:
        """Ask until everything of a round was answered or the process is dead; say whether it was answered."""
        with httpx.Client(timeout=10, trust_env=False) as http:
            while process.is_alive:
                try:
                    self._command(process, http, number)
                    return True
                except httpx.TransportError:
                    time.sleep(0.05)
        return False

    def _command(self, process: ServiceProcess, http: httpx.Client, number: int) -> None:
        """What people ask for, each under its own key, so that asking again is safe: invoices, a day, redrives."""
        for n in range(COMMANDS):
            body = {"entity": ENTITY, "document_no": f"H{number}-{n}", "customer": f"C-{n}", "currency": "USD", "issued_on": "2025-01-01"}
            asked = {**body, "total": "5.00", "terms": "NET30"}
            answer = http.post(f"{process.url}/v1/invoices", json=asked, headers=self.flow.headers(f"key-{number}-{n}"))
            assert answer.status_code == 201, answer.text
        day = {"entity": ENTITY, "date": str(_open_on(number + 1))}
        assert http.post(f"{process.url}/v1/business-days", json=day, headers=self.flow.headers()).status_code == 201
        while len(refused := http.get(f"{process.url}/v1/refused", headers=self.flow.headers()).json()) <= number:
            time.sleep(0.05)
        for one in refused:
            answer = http.post(f"{process.url}/v1/refused/{one['id']}/redrive", headers=self.flow.headers())
            assert answer.status_code == 200, answer.text

    def _crowd(self, process: ServiceProcess) -> bool:
        """Have a stranger join the service's group and leave it again: its partitions go twice."""
        asyncio.run(_join_and_leave(self.flow.bootstrap, f"receivables-{WIRING.service}", WIRING.heard))
        return process.is_alive

    def _cut_relay(self, process: ServiceProcess) -> bool:
        """Take its connection from the relay once it has sent what there was; False when the process has died."""
        # The lock lies in pg_locks as two halves of its number; a role may end its own sessions.
        leader = f"""
            SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = database
            WHERE locktype = 'advisory' AND classid = 0 AND objid = {LEADER_LOCK} AND granted AND datname = current_database()
                AND (SELECT rows FROM chk.unpublished) = 0
        """
        return self.flow.wait_until(process, lambda: bool(self.flow.ask(leader)))

    def assert_nothing_lost_doubled_or_inverted(self, process: ServiceProcess) -> None:
        """Each document accepted and said once, each key whole in the log, what cannot be handled set aside once, the last day open."""
        assert self.flow.wait_until(process, lambda: self.flow.is_at_rest(_open_on(self._rounds))), self.flow.told()
        records = self.flow.said()
        opens = {f"D{r}-{n:02}": "9.00" if n < SETTLEMENTS else "10.00" for r in range(self._rounds) for n in range(DOCUMENTS)}
        opens |= {f"H{r}-{n}": "5.00" for r in range(self._rounds) for n in range(COMMANDS)}
        assert _documents_said(records) == sorted(opens)
        assert self.flow.is_log_whole(records)
        assert all(days == sorted(days) for days in days_of(records).values())
        ((parked, refused),) = self.flow.ask(
            "SELECT (SELECT count(*) FROM chk.parked WHERE state = 'parked'), (SELECT count(*) FROM chk.refused WHERE NOT redriven)"
        )
        assert (parked, refused) == (self._rounds, self._rounds)
        answer = httpx.get(f"{process.url}/v1/invoices", params={"entity": ENTITY, "limit": 200}, trust_env=False)
        assert {one["document_no"]: one["instalments"][0]["open"] for one in answer.json()["invoices"]} == opens


def _open_on(rounds: int) -> date:
    """The day that is open once so many rounds are over."""
    return FIRST_DAY + timedelta(days=rounds)


def _document(number: str, customer: str, *, currency: str = "USD") -> erp.InvoiceIssued:
    return an_invoice(ENTITY, number, customer, "10.00", issued_on=FIRST_DAY, currency=currency)


def _application(number: str, amount: str) -> payment.PaymentApplied:
    """Feedback of a payment service; each in a stream of its own, so that one that cannot be handled blocks no other."""
    return payment.PaymentApplied(
        entity=ENTITY,
        application=f"A-{number}",
        receipt=f"{ENTITY}|R-1",
        item=f"{ENTITY}|{number}|1",
        invoice=f"{ENTITY}|{number}",
        customer=f"C-{number}",
        account=f"C-{number}",
        currency="USD",
        due_on=FIRST_DAY,
        amount=amount,
        rule="reference",
    )


def _documents_said(records: Sequence[Record]) -> list[str]:
    """The numbers of the documents issued, repeats of the relay left out."""
    numbers = {}
    for record in records:
        context, data = cloudevents.read(record.headers, record.value)
        if context.type == kind_of(InvoiceIssued).type:
            numbers[context.id] = msgspec.json.decode(data, type=InvoiceIssued).document_no
    return sorted(numbers.values())


async def _join_and_leave(bootstrap: str, group: str, topics: Sequence[str]) -> None:
    stranger = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        session_timeout_ms=500,
        heartbeat_interval_ms=100,
    )
    await stranger.start()
    try:
        await until(lambda: bool(stranger.assignment()))
    finally:
        await stranger.stop()
