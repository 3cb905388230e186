"""A record that the Kafka client cannot read stops neither a reader of the whole log nor its other partitions."""

from collections.abc import Callable
from datetime import date

import pytest
from aiokafka import AIOKafkaConsumer
from chassis.rebuild import read_between
from chassis.unreadable import UNREADABLE
from events import erp
from testkit.topic_log import PARTITIONS, publisher, read_ends

pytestmark = pytest.mark.kafka
TOPIC = "erp.documents"


def issued(number: str, customer: str) -> erp.InvoiceIssued:
    return erp.InvoiceIssued(
        entity="US01", document_no=number, customer=customer, currency="USD", issued_on=date(2026, 1, 5), total="10.00", terms="NET30"
    )


async def test_a_log_is_read_to_its_end_with_a_stand_in_for_what_cannot_be_read(topics: Callable[..., str]) -> None:
    bootstrap = topics(TOPIC, partitions=PARTITIONS)
    bad = []
    async with publisher(bootstrap) as sent:
        for n in range(4):
            await sent.publish([issued(f"{n}-{customer}", f"C-{customer}") for customer in range(6)])
            bad.append(await sent.publish_with_header_name(b"\xff", issued(f"bad-{n}", f"C-{n}")))
    ends = await read_ends(bootstrap, [TOPIC])
    kafka = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await kafka.start()
    try:
        records = [record async for batch in read_between(kafka, dict.fromkeys(ends, 0), ends) for record in batch]
    finally:
        await kafka.stop()

    assert sorted(record.place for record in records) == sorted((*place, n) for place, end in ends.items() for n in range(end))
    assert sorted(record.place for record in records if record.headers[0][0] == UNREADABLE) == sorted(bad)
