"""A day whose work takes several transactions: the dunning service with more accounts overdue than one chunk judges."""

import asyncio
from datetime import date, timedelta
from typing import Final

import msgspec
from chassis.turning import ACCOUNTS_AT_ONCE
from events import envelope as cloudevents
from events.dunning import DunningNoticeSent
from events.fact import kind_of
from events.invoice import Instalment, InvoiceIssued

from testkit.crash.flow import ENTITY, FIRST_DAY, Flow, Wiring
from testkit.process import ServiceProcess
from testkit.topic_log import days_of, publisher

WIRING: Final = Wiring(
    "dunning",
    ("erp.customers", "erp.reference", "receivables.invoice", "receivables.payment", "receivables.credit"),
    "receivables.collections",
)
_OVERDUE_DAYS: Final = 5  # Of the first notice.


class Notices:
    """Accounts that all get their first notice when one day turns, one more of them than fill `chunks` transactions."""

    def __init__(self, flow: Flow, chunks: int) -> None:
        self.flow = flow
        self._accounts = chunks * ACCOUNTS_AT_ONCE + 1

    def publish(self) -> None:
        """Publish an invoice for every account, and behind them the markers of the first two days."""
        asyncio.run(self._publish())

    async def _publish(self) -> None:
        async with publisher(self.flow.bootstrap) as sent:
            await sent.publish([_issued(f"C-{n:05}") for n in range(self._accounts)], booked_on=FIRST_DAY - timedelta(days=1))
            await sent.mark(WIRING.heard, ENTITY, FIRST_DAY)
            await sent.mark(WIRING.heard, ENTITY, FIRST_DAY + timedelta(days=1))

    def assert_every_account_has_its_notice_once(self, process: ServiceProcess) -> None:
        """One notice each, the same in the books and in the log, and the marker of the day behind all of them."""
        open_on = FIRST_DAY + timedelta(days=1)
        assert self.flow.wait_until(process, lambda: self.flow.is_at_rest(open_on)), self.flow.told()
        accounts = [f"C-{n:05}" for n in range(self._accounts)]
        kept = self.flow.ask("SELECT account, noticed_on, total_minor FROM chk.notice ORDER BY account")
        assert [tuple(row) for row in kept] == [(account, FIRST_DAY, 10_000) for account in accounts]
        records = self.flow.said()
        told: dict[str, str] = {}
        for record in records:
            context, data = cloudevents.read(record.headers, record.value)
            if context.type == kind_of(DunningNoticeSent).type:
                told[context.id] = msgspec.json.decode(data, type=DunningNoticeSent).account
        assert sorted(told.values()) == accounts
        assert self.flow.is_log_whole(records)
        assert all(days == sorted(days) for days in days_of(records).values())
        assert self.flow.ask("SELECT FROM chk.parked") == []


def _issued(account: str) -> InvoiceIssued:
    due_on = FIRST_DAY - timedelta(days=_OVERDUE_DAYS)
    return InvoiceIssued(
        entity=ENTITY,
        invoice=f"{ENTITY}|{account}",
        document_no=account,
        type="380",
        customer=account,
        account=account,
        currency="USD",
        issued_on=date(2024, 12, 1),
        total="100.00",
        instalments=[Instalment(n=1, due_on=due_on, amount="100.00")],
    )
