"""A read model made anew while the live one goes on: the reporting service with facts that take many reads."""

import asyncio
from datetime import timedelta
from typing import Final

from events.invoice import CreditMemoIssued, Instalment, InvoiceIssued

from testkit.crash.flow import ENTITY, FIRST_DAY, Flow, Wiring
from testkit.process import ServiceProcess
from testkit.topic_log import publisher

WIRING: Final = Wiring(
    "reporting",
    ("receivables.invoice", "receivables.payment", "receivables.credit", "receivables.collections", "erp.customers"),
    "receivables.reporting",
)
INVOICES, ACCOUNTS, MEMOS = 300, 10, 10
_REASON_BYTES: Final = 600_000
"""Of a memo's reason, so long that no two memos come with one fetch (1 MiB a partition): each is a read of its own."""


class Model:
    """A read model of invoices and credit memos; all memos are of one account, hence in one partition."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def publish(self) -> None:
        """Publish all facts, and the marker of the first day behind them."""
        asyncio.run(self._publish())

    async def _publish(self) -> None:
        day_before = FIRST_DAY - timedelta(days=1)
        async with publisher(self.flow.bootstrap) as sent:
            await sent.publish([_invoice(n) for n in range(INVOICES)], booked_on=day_before)
            for n in range(MEMOS):
                await sent.publish([_memo(n)], booked_on=day_before)
            await sent.mark(WIRING.heard, ENTITY, FIRST_DAY)

    def rebuild(self, fp: str = "") -> int | None:
        """Make the model anew; return the exit status, negative the signal that killed it."""
        with self.flow.process(fp, "rebuild") as process:
            return process.wait()

    @property
    def was_the_same(self) -> bool:
        """Whether the last rebuild that ended found the live model to be what the facts say."""
        return self.flow.told().splitlines()[-1].endswith("it was the same, row by row")

    def wait_for_rest(self, process: ServiceProcess) -> None:
        assert self.flow.wait_until(process, lambda: self.flow.is_at_rest(FIRST_DAY)), self.flow.told()

    def assert_right(self) -> None:
        """The live model says of every account what was invoiced and credited, each once."""
        rows = self.flow.ask("SELECT account, open_minor, on_account_minor FROM chk.balance ORDER BY account")
        invoiced = INVOICES // ACCOUNTS * 1000
        assert [tuple(row) for row in rows] == [(f"C-{n}", invoiced, MEMOS * 500 if n == 0 else 0) for n in range(ACCOUNTS)]
        ((items,),) = self.flow.ask("SELECT count(*) FROM chk.item")
        assert items == INVOICES


def _invoice(n: int) -> InvoiceIssued:
    account = f"C-{n % ACCOUNTS}"
    return InvoiceIssued(
        entity=ENTITY,
        invoice=f"{ENTITY}|D{n}",
        document_no=f"D{n}",
        type="380",
        customer=account,
        account=account,
        currency="USD",
        issued_on=FIRST_DAY,
        total="10.00",
        instalments=[Instalment(n=1, due_on=FIRST_DAY, amount="10.00")],
    )


def _memo(n: int) -> CreditMemoIssued:
    return CreditMemoIssued(
        entity=ENTITY,
        memo=f"{ENTITY}|M{n}",
        document_no=f"M{n}",
        type="381",
        customer="C-0",
        account="C-0",
        currency="USD",
        issued_on=FIRST_DAY,
        total="5.00",
        reason="a" * _REASON_BYTES,
    )
