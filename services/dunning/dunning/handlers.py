"""What facts do to our copy of the items, and the work of a day that turns."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import structlog
from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events import invoice, payment
from events.dunning import DunningNoticeSent, NoticedItem
from money import format_minor, parse_minor

from dunning import domain, queries
from dunning.domain import Notice, Procedure
from dunning.queries import ItemMove

CHANNEL = "log"
"""How notices leave: a row of `notice` and a line of the log. No other channel is offered yet."""

_ONE_DAY = timedelta(days=1)
_log = structlog.get_logger("dunning.notices")

Moving = (
    invoice.InvoiceIssued
    | invoice.DebitMemoIssued
    | invoice.InvoiceVoided
    | payment.PaymentApplied
    | payment.CreditApplied
    | payment.ApplicationReversed
    | payment.DiscountGranted
    | payment.DiscountRevoked
    | payment.AdjustmentPosted
    | payment.AdjustmentReversed
)
"""Every fact that changes what is open of an item."""


async def fold_items(db: Connection, facts: Sequence[Received[Moving]], batch: Batch) -> list[Fact]:
    """
    Add what the facts move to the open amounts of their items, summed in memory first.

    Facts of an open day change what is open and nothing else: levels rise when the day turns. An application may come before its item.
    """
    moved: dict[str, ItemMove] = {}
    for received in facts:
        for move in items_moved(received.data):
            before = moved.get(move.item)
            moved[move.item] = move._replace(open_minor=before.open_minor + move.open_minor) if before else move
    await queries.add_to_items(db, [moved[item] for item in sorted(moved)])
    return []


def items_moved(fact: Moving) -> Iterator[ItemMove]:
    """
    Yield what one fact adds to the open amounts of items.

    :raises AmountRefused, CurrencyUnknown: the fact does not carry amounts of its currency.
    """
    match fact:
        case invoice.InvoiceIssued() | invoice.DebitMemoIssued() | invoice.InvoiceVoided():
            sign = -1 if isinstance(fact, invoice.InvoiceVoided) else 1
            for one in fact.instalments:
                amount_minor = sign * parse_minor(one.amount, fact.currency)
                yield ItemMove(f"{fact.invoice}|{one.n}", fact.entity, fact.account, fact.currency, one.due_on, amount_minor)
        case payment.PaymentApplied() | payment.CreditApplied() | payment.DiscountGranted() | payment.AdjustmentPosted():
            amount_minor = parse_minor(fact.amount, fact.currency)
            yield ItemMove(fact.item, fact.entity, fact.account, fact.currency, fact.due_on, -amount_minor)
        case payment.ApplicationReversed() | payment.DiscountRevoked() | payment.AdjustmentReversed():
            amount_minor = parse_minor(fact.amount, fact.currency)
            yield ItemMove(fact.item, fact.entity, fact.account, fact.currency, fact.due_on, amount_minor)


async def find_accounts_due(procedure: Procedure, db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted and greater than `after`, with an item due for a notice of the day before `day`."""
    return await queries.find_accounts_due(db, entity, procedure, day - _ONE_DAY, after, limit)


async def send_notices(procedure: Procedure, db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Decide and send the notices of the day before `day`, which has just closed: the items hold exactly the facts booked up to it.

    The row is the letter. Its log line may stand twice where a turn was interrupted and begun again, always with the same id.
    """
    noticed_on = day - _ONE_DAY
    items = await queries.load_due_items(db, entity, procedure, noticed_on, accounts)
    notices = domain.judge(items, procedure, noticed_on)
    await queries.save_notices(db, notices, procedure.version, CHANNEL, batch.now)
    await queries.raise_levels(db, notices, noticed_on)
    sent = [_sent(notice) for notice in notices]
    for one in sent:
        _tell(one)
    return [Fact(one, entity, f"{entity}|{one.account}", noticed_on) for one in sent]


def _sent(notice: Notice) -> DunningNoticeSent:
    return DunningNoticeSent(
        entity=notice.entity,
        notice=notice.notice,
        account=notice.account,
        currency=notice.currency,
        noticed_on=notice.noticed_on,
        level=notice.level,
        total=format_minor(notice.total_minor, notice.currency),
        items=[
            NoticedItem(item=one.item, level=one.level, due_on=one.due_on, open=format_minor(one.open_minor, notice.currency))
            for one in notice.items
        ],
        channel=CHANNEL,
    )


def _tell(sent: DunningNoticeSent) -> None:
    """The log channel: ids and amounts only, no names."""
    _log.info(
        "dunning notice",
        notice=sent.notice,
        account=sent.account,
        level=sent.level,
        total=sent.total,
        currency=sent.currency,
        items=[one.item for one in sent.items],
    )
