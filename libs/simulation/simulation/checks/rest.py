"""What must be so once nothing is left to do: everything once, in order, on its day, and every consequence of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from chassis.service import Service
from events.fact import kind_of_type

from simulation import services
from simulation.checks.log import Fact, LogWatch
from simulation.kafka.broker import Broker
from simulation.messages import Told
from simulation.services import INTAKE, LEDGER
from simulation.store.session import Row, Store
from simulation.world import World

_OWN_TROUBLE = "Poisonous: "


class Rest:
    """One look at everything."""

    def __init__(
        self,
        world: World,
        stores: Mapping[str, Store],
        broker: Broker,
        services: Mapping[str, Service],
        log: LogWatch,
        *,
        awaits_feedback: bool,
    ) -> None:
        self._world = world
        self._stores = stores
        self._broker = broker
        self._services = services
        self._log = log
        self._awaits_feedback = awaits_feedback

    def look(self, told: Sequence[Told], last_day: date) -> None:
        for name, store in self._stores.items():
            effects = store.rows("effect")
            self._look_at_streams(name, store)
            self._look_at_parked(name, store)
            self._look_at_effects(name, store, effects, told)
            self._look_at_order(name, effects)
            self._look_at_work(name, store, effects, last_day)
            self._look_at_consequences(name, store, effects)
        self._look_at_answers(told)

    def _breaks(self, service: str, what: str) -> None:
        self._world.breaks(f"{service}: {what}")

    # --- the protocol's own books ---

    def _look_at_streams(self, name: str, store: Store) -> None:
        """The log holds 1…head of every key and no key beside, and whoever hears it has heard all; others were never told more."""
        topic = self._services[name].topic
        heads = {row["key"]: row["sequence"] for row in store.rows("stream_head")}
        said = {key: len(facts) for (t, key), facts in self._log.facts.items() if t == topic}
        if heads != said:
            self._breaks(name, f"heads {heads} and the log holds {said}")
        heard = {(row["topic"], row["key"]): row["sequence"] for row in store.rows("stream_seen")}
        for (heard_topic, key), facts in self._log.facts.items():
            if heard_topic in self._services[name].subscriptions.topics and heard.get((heard_topic, key)) != len(facts):
                self._breaks(name, f"heard {heard.get((heard_topic, key))} of {len(facts)} facts of {key} in {heard_topic}")
        positions = {(row["topic"], row["partition"]): row["next_offset"] for row in store.rows("position")}
        for place, offset in self._broker.group(f"receivables-{name}").offsets.items():
            if offset > positions[place]:
                self._breaks(name, f"told the group {offset} of {place} and stands at {positions[place]}")

    def _look_at_parked(self, name: str, store: Store) -> None:
        """Only what was in trouble failed; nothing was parked as failed because of a fault that passes."""
        for row in store.rows("parked"):
            if row["reason"] == "failed" and not row["detail"].startswith(_OWN_TROUBLE):
                self._breaks(name, f"{row['topic']}/{row['partition']}/{row['offset']} was parked: {row['detail']}")

    # --- what the services were given ---

    def _look_at_effects(self, name: str, store: Store, effects: Sequence[Row], told: Sequence[Told]) -> None:
        """Everything was given once, booked on the day it carries or came on; on another only where it was set aside meanwhile."""
        days = {**self._days_of_ingress(name, told), **self._days_of_facts(name)}
        given = Counter(row["said"] for row in effects)
        for said in days.keys() | given.keys():
            if given[said] != (said in days):
                self._breaks(name, f"{said} was given {given[said]} times, {int(said in days)} was expected")
        set_aside = {(row["topic"], row["key"]) for row in store.rows("parked")}
        ingress_set_aside = {row["key"].rpartition("|")[2] for row in store.rows("parked")}
        for row in effects:
            day = days.get(row["said"])
            if self._is_of_no_day(row):
                continue
            is_free = (row["topic"], row["key"]) in set_aside or row["ref"] in ingress_set_aside
            if day is not None and row["booked_on"] != day and not (is_free and row["booked_on"] > day):
                self._breaks(name, f"{row['said']} is of {day} and was booked on {row['booked_on']}")
            if row["handled_on"] != row["booked_on"] and not self._came_before_its_marker(row):
                self._breaks(name, f"{row['said']} is of {row['booked_on']} and was handled on {row['handled_on']}")

    def _is_of_no_day(self, row: Row) -> bool:
        """Feedback is booked on whatever day is open, unless a day waits for it, and that is so for charges alone."""
        return row["topic"] == "receivables.payment" and not (self._awaits_feedback and row["ref"].startswith("CHARGE"))

    def _came_before_its_marker(self, row: Row) -> bool:
        """What an earlier service closes a day with is of the new day, and stands before its marker: it is heard on the last day."""
        return str(row["ref"]).startswith("CLOSED") and row["booked_on"] - row["handled_on"] == timedelta(1)

    def _days_of_ingress(self, name: str, told: Iterable[Told]) -> dict[str, date]:
        wanted = self._services[name].subscriptions.topics
        return {
            one.said: self._log.came_on[one.said]
            for one in told
            if one.place.topic in wanted and one.nature not in ("refused", "malformed")
        }

    def _days_of_facts(self, name: str) -> dict[str, date]:
        subscriptions = self._services[name].subscriptions
        return {
            fact.said: fact.booked_on
            for (topic, _), facts in self._log.facts.items()
            if topic in subscriptions.topics
            for fact in facts
            if (kind := kind_of_type(fact.envelope.type)) is not None and kind.event in subscriptions.handlers
        }

    def _look_at_order(self, name: str, effects: Sequence[Row]) -> None:
        """The facts of a key were given in the order in which they were said."""
        last: dict[tuple[str, str], int] = {}
        for row in sorted(effects, key=lambda one: int(one["id"])):
            if row["sequence"] is not None:
                stream = (row["topic"], row["key"])
                if row["sequence"] <= last.get(stream, 0):
                    self._breaks(name, f"{row['said']} was given after sequence {last[stream]}")
                last[stream] = row["sequence"]

    # --- what the services made of it ---

    def _look_at_work(self, name: str, store: Store, effects: Sequence[Row], last_day: date) -> None:
        """Every account was closed with what was handled before the day, and no day without its accounts."""
        expected: dict[tuple[str, date, str], int] = defaultdict(int)
        for row in effects:
            day = row["handled_on"] + timedelta(1)
            while day <= last_day:
                expected[row["entity"], day, row["account"]] += row["amount"]
                day += timedelta(1)
        for row in store.rows("parked"):
            if row["reason"] == "day_work":
                entity, account = row["key"].split("|")
                day = date.fromisoformat(row["detail"].split(" ")[2])
                expected.pop((entity, day, account), None)
        done = {(row["entity"], row["day"], row["account"]): row["total"] for row in store.rows("work")}
        if done != expected:
            missing, more = dict(expected.items() - done.items()), dict(done.items() - expected.items())
            self._breaks(name, f"closed the accounts {more}, and should have {missing}")

    def _look_at_consequences(self, name: str, store: Store, effects: Sequence[Row]) -> None:
        """Everything that was given or closed was answered by its fact, once, on the same day, with the right amount."""
        work = store.rows("work")
        if name == LEDGER:
            expected = Counter((row["ref"], abs(row["amount"]), row["handled_on"]) for row in effects)
            expected.update((f"CHARGE-{r['day']}-{r['account']}", services.fee_for(r["total"]), r["day"]) for r in work)
        else:
            told = (row for row in effects if row["topic"] != "receivables.payment" or row["ref"].startswith("CHARGE"))
            expected = Counter((_told_of(row), row["amount"], row["handled_on"]) for row in told)
            expected.update((f"CLOSED-{r['day']}-{r['account']}", services.fee_for(r["total"]), r["day"]) for r in work)
        said = Counter(filter(None, (_amount_of(fact) for fact in self._facts_of(self._services[name].topic))))
        if name == INTAKE:  # Nothing is written down of a command but its fact.
            said = Counter({what: n for what, n in said.items() if not what[0].startswith("COMMAND")})
        if said != expected:
            self._breaks(name, f"said {dict(said - expected)} too much and {dict(expected - said)} too little")

    def _facts_of(self, topic: str) -> Iterable[Fact]:
        return (fact for (t, _), facts in self._log.facts.items() if t == topic for fact in facts)

    def _look_at_answers(self, told: Sequence[Told]) -> None:
        """What was refused was answered once; what is no CloudEvent as often as it came."""
        refused = sum(one.nature == "refused" for one in told) + self._log.unreadable
        answers = sum(fact.envelope.type.startswith("receivables.DocumentRejected") for facts in self._log.facts.values() for fact in facts)
        if answers != refused:
            self._world.breaks(f"{refused} records were to be refused, and {answers} answers stand in the log")


def _told_of(row: Row) -> str:
    return f"FEE-{row['ref']}" if row["topic"] == "receivables.payment" else str(row["ref"])


def _amount_of(fact: Fact) -> tuple[str, int, date] | None:
    """What a fact says of which amount, on which day; nothing for refusals."""
    content = fact.content
    ref = content.get("document_no") or content.get("receipt")
    amount = content.get("total") or content.get("amount")
    if ref is None or amount is None:
        return None
    return ref, int(amount), fact.booked_on
