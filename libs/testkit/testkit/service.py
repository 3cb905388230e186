"""One service on a real Postgres, without Kafka: facts in, facts out, days turned, HTTP asked in process."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx
import msgspec
from chassis import business_day, streams
from chassis.business_day import Awaited
from chassis.calendar import INGRESS_TOPICS
from chassis.database import Database
from chassis.delivery import Delivery
from chassis.entities import SERVICES, Entities, Entity
from chassis.http.app import create_app
from chassis.intake import Intake
from chassis.outbox import Wake, unpack_headers
from chassis.record import Record
from chassis.relay import partition_of
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.turning import Turner
from events import envelope as cloudevents
from events.business_day import BusinessDayStarted
from events.envelope import Envelope, to_headers
from events.fact import Event, kind_of, kind_of_type
from pydantic import SecretStr

from testkit.tokens import TestKeys

PARTITIONS = 3
FIRST_DAY = date(2026, 1, 5)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
EventT = TypeVar("EventT", bound=Event)


def two_entities(*, opens_on: date = FIRST_DAY) -> Entities:
    """US01 in dollars and JP01 in yen, their days started by telling."""
    us = Entity("US01", "USD", ZoneInfo("America/New_York"), "US", opens_on, frozenset(), "told")
    jp = Entity("JP01", "JPY", ZoneInfo("Asia/Tokyo"), "JP", opens_on, frozenset(), "told")
    return Entities({"US01": us, "JP01": jp}, SERVICES)


@dataclass(frozen=True, slots=True)
class Published:
    """A fact as it left: its context and its data."""

    envelope: Envelope
    data: Event


class ServiceUnderTest:
    """A service with a database of its own; its clock stands still unless moved."""

    def __init__(self, service: Service, database: Database, entities: Entities, client: httpx.AsyncClient, keys: TestKeys) -> None:
        self.service = service
        self.db = database
        self.entities = entities
        self.now = NOON
        self.wake = Wake()
        self._client = client
        self._keys = keys
        self._sequences: dict[tuple[str, str], int] = {}
        self._offsets: dict[tuple[str, int], int] = {}
        self._last: list[Record] = []
        self._read_up_to = 0
        self._published: list[Published] = []
        self.delivery = Delivery(service, database, entities, self.clock, self.wake)
        self.turner = Turner(service, database, entities, self.clock, self.wake, PARTITIONS)
        self.intake = Intake(self.delivery, self.turner)

    def clock(self) -> datetime:
        return self.now

    @property
    def places(self) -> list[tuple[str, int]]:
        return [(topic, partition) for topic in self.service.subscriptions.topics for partition in range(PARTITIONS)]

    async def receive(
        self,
        *events: Event,
        day: date | None = None,
        effective_on: date | None = None,
        entity: str = "US01",
        key: str | None = None,
        traceparent: str | None = None,
    ) -> None:
        """
        Deliver facts as one micro-batch, each from its own topic.

        Domain facts get the next sequence of their (topic, key), `bookedon` `day` (default: the open day) and as `effectiveon` the day
        given, else their own issue or value date where they have one, else the booked day.
        """
        booked_on = day or await self.open_on(entity)
        records = [self._record(event, booked_on, entity, key, traceparent, effective_on) for event in events]
        await self.receive_records(*records)

    async def receive_records(self, *records: Record) -> None:
        """Deliver raw records; their offsets must go on from what their partitions have had."""
        self._last = list(records)
        for record in records:
            self.intake.keep((record.topic, record.partition), [record])
        await self.intake.work_off(self.places)
        await self._look()

    async def receive_again(self) -> None:
        """Deliver the last batch once more, byte for byte, at new offsets."""
        again = [Record(r.topic, r.partition, self._next_offset(r.topic, r.partition), r.key, r.value, r.headers) for r in self._last]
        await self.receive_records(*again)

    def _record(
        self, event: Event, booked_on: date, entity: str, key: str | None, traceparent: str | None, effective_on: date | None = None
    ) -> Record:
        kind = kind_of(type(event))
        entity = getattr(event, "entity", None) or entity
        own = {name: getattr(event, name) for name in ("account", "customer", "receipt") if getattr(event, name, None)}
        named = own.get("account") or own.get("customer") or (f"receipt:{own['receipt']}" if "receipt" in own else "?")
        key = key or f"{entity}|{named}"
        natural = "|".join(str(getattr(event, name)) for name in kind.natural_key)
        context = Envelope(id=natural, type=kind.type, source=f"/test/{kind.topic.split('.')[0]}", key=key, traceparent=traceparent)
        if kind.topic not in INGRESS_TOPICS:
            sequence = self._sequences[kind.topic, key] = self._sequences.get((kind.topic, key), 0) + 1
            own_day = getattr(event, "issued_on", None) or getattr(event, "value_on", None)
            context = Envelope(
                id=f"{kind.owner}/{key}/{sequence}",
                type=kind.type,
                source=f"/receivables/{kind.owner}",
                entity=entity,
                key=key,
                sequence=sequence,
                booked_on=booked_on,
                effective_on=effective_on or own_day or booked_on,
                traceparent=traceparent,
            )
        partition = partition_of(key, PARTITIONS)
        offset = self._next_offset(kind.topic, partition)
        return Record(kind.topic, partition, offset, key.encode(), msgspec.json.encode(event), to_headers(context))

    def _next_offset(self, topic: str, partition: int) -> int:
        offset = self._offsets.get((topic, partition), 0)
        self._offsets[topic, partition] = offset + 1
        return offset

    async def open_on(self, entity: str = "US01") -> date:
        """The business day open here."""
        async with self.db.pool.acquire() as db:
            return await db.fetchval("SELECT open_on FROM chassis.day WHERE entity = $1", entity)  # type: ignore[no-any-return]

    async def turn(self, entity: str, day: date) -> None:
        """Meet the markers of every day up to `day` in every partition waited for, one after the other, and turn the days."""
        one = await self.open_on(entity) + timedelta(days=1)
        while one <= day:
            await self.meet(entity, one)
            one += timedelta(days=1)

    async def meet(self, entity: str, day: date) -> None:
        """Deliver the marker of one day in every partition that is waited for."""
        awaited = Awaited.of(self.service.subscriptions, self.entities, PARTITIONS)
        for topic in (*awaited.forward, *awaited.feedback):
            self._keep_markers(topic, entity, day)
        await self.intake.work_off(self.places)
        await self._look()

    async def meet_in(self, topic: str, entity: str, day: date) -> None:
        """Deliver the marker of one day in every partition of one topic."""
        self._keep_markers(topic, entity, day)
        await self.intake.work_off(self.places)
        await self._look()

    def _keep_markers(self, topic: str, entity: str, day: date) -> None:
        for partition in range(PARTITIONS):
            name = f"day|{entity}|{day}|{topic}|{partition}"
            context = Envelope(id=name, type=kind_of(BusinessDayStarted).type, source="/receivables/calendar", entity=entity)
            value = msgspec.json.encode(BusinessDayStarted(entity=entity, date=day))
            record = Record(topic, partition, self._next_offset(topic, partition), b"day", value, to_headers(context))
            self.intake.keep((topic, partition), [record])

    async def _look(self) -> None:
        """Read what the outbox got since the last look; day markers are left out."""
        async with self.db.pool.acquire() as db:
            rows = await db.fetch("SELECT id, headers, value FROM chassis.outbox WHERE id > $1 ORDER BY id", self._read_up_to)
        for row in rows:
            self._read_up_to = row["id"]
            context, data = cloudevents.read(unpack_headers(row["headers"]), row["value"])
            found = kind_of_type(context.type)
            assert found is not None
            if found.event is not BusinessDayStarted:
                self._published.append(Published(context, msgspec.json.decode(data, type=found.event)))

    def published_envelopes(self, kind: type[Event] | None = None) -> list[Published]:
        """Facts published since the last call, in order; only those of `kind` are returned, all are gone from then on."""
        published, self._published = self._published, []
        return [one for one in published if kind is None or type(one.data) is kind]

    def published(self, kind: type[EventT] | None = None) -> list[Any]:
        """The data of the facts published since the last call."""
        return [one.data for one in self.published_envelopes(kind)]

    def token(self, roles: Collection[str] = ("clerk",), sub: str = "clerk-1") -> str:
        """A bearer token the service accepts."""
        return self._keys.token(sub, roles, self.now)

    async def get(
        self, path: str, *, roles: Collection[str] | None = None, if_none_match: str | None = None, **params: Any
    ) -> httpx.Response:
        headers = self._headers(None, roles, "clerk-1") if roles is not None else {}
        headers |= {} if if_none_match is None else {"If-None-Match": if_none_match}
        return await self._client.get(path, params=params or None, headers=headers)

    async def post(
        self, path: str, json: Mapping[str, Any], *, key: str | None = "k1", roles: Collection[str] = ("clerk",), sub: str = "clerk-1"
    ) -> httpx.Response:
        answer = await self._client.post(path, json=json, headers=self._headers(key, roles, sub))
        await self._look()
        return answer

    async def put(
        self,
        path: str,
        json: Mapping[str, Any],
        *,
        key: str | None = "k1",
        roles: Collection[str] = ("clerk",),
        sub: str = "clerk-1",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        answer = await self._client.put(path, json=json, headers={**self._headers(key, roles, sub), **(headers or {})})
        await self._look()
        return answer

    def _headers(self, key: str | None, roles: Collection[str], sub: str) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token(roles, sub)}"}
        return {**headers, "Idempotency-Key": key} if key is not None else headers


@asynccontextmanager
async def service_under_test(service: Service, database_url: str, *, entities: Entities | None = None) -> AsyncIterator[ServiceUnderTest]:
    """Run a service on a migrated database; its entities' first day is open already."""
    entities = entities or two_entities()
    database = await Database.open(database_url)
    keys = TestKeys()
    settings = ServiceSettings(
        database_url=SecretStr(database_url), entities_file=Path("unused.toml"), jwt_keys_file=keys.file, topic_partitions=PARTITIONS
    )
    async with database.transaction() as db:
        await business_day.declare(db, entities)
        await db.execute("UPDATE chassis.day SET open_on = open_on + 1")
        places = [(topic, partition) for topic in service.subscriptions.topics for partition in range(PARTITIONS)]
        await streams.start_positions(db, places)
    wake = Wake()
    clocked: list[ServiceUnderTest] = []
    app = create_app(service, database, entities, settings, lambda: clocked[0].now, wake)
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        sut = ServiceUnderTest(service, database, entities, client, keys)
        clocked.append(sut)
        try:
            yield sut
        finally:
            await database.close()
            keys.forget()
