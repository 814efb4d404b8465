"""A test's own exchange, queues and database, and the few verbs that tests of messaging share."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from marshmallow import fields

from shared.clock import now
from shared.ids import new_id
from shared.messaging import topology
from shared.messaging.audience import PUBLIC
from shared.messaging.consumer import Consumer, Inbox
from shared.messaging.envelope import decode, derived_id, encode
from shared.messaging.link import linked
from shared.messaging.parked import Parked
from shared.messaging.publisher import Publisher
from shared.messaging.relay import Relay
from shared.messaging.subscriber import EventSchema, Subscriber
from shared.store.aggregates import Aggregates
from shared.store.indexes import aggregates, created, prepare, records
from shared.store.lease import Lease
from shared.store.operations import create

PRACTICE = "practice-1"
COLLECTIONS = (aggregates("goals"), created("notes"), records("members"))


@dataclass(frozen=True)
class GoalAgreed:
    """Client and clinician agree on a goal."""

    type: ClassVar = "goal.agreed"
    audience: ClassVar = PUBLIC
    goal_id: str


@dataclass(frozen=True)
class GoalMoved:
    """An event that at first no queue is bound to."""

    type: ClassVar = "goal.moved"
    audience: ClassVar = PUBLIC
    goal_id: str


@dataclass
class Goal:
    id: str
    practice_id: str = PRACTICE
    version: int = 0
    said: int = 0
    events: list[Any] = field(default_factory=list)

    def say(self, *classes: type) -> "Goal":
        self.said += len(classes)
        self.events += [one(self.id) for one in classes]
        return self


class GoalNotFound(Exception):
    """There is no such goal."""


class GoalSchema(EventSchema):
    goal_id = fields.String(required=True)


class Runs(Protocol):
    def run(self, stopping: threading.Event) -> None: ...


def eventually(claim: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What the claim gives once it gives something true; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not (found := claim()):
        assert time.monotonic() < deadline, "It did not become true in time."
        time.sleep(0.01)
    return found


@contextmanager
def running(thing: Runs) -> Iterator[threading.Event]:
    stopping = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            thing.run(stopping)
        except BaseException as error:  # noqa: BLE001 - told below, in the thread of the test
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield stopping
    finally:
        stopping.set()
        thread.join(timeout=20)
    assert not thread.is_alive(), "It did not stop."
    assert not failed, failed


def telling(service: str) -> Subscriber:
    """A subscriber that notes every goal agreed."""
    subscriber = Subscriber(service)

    @subscriber.on("goal.agreed", GoalSchema, source="goals")
    def tell(event: Any) -> Any:
        yield create("notes", derived_id(event, "inbox"), {"goal_id": event.data["goal_id"]})

    return subscriber


class Room:
    def __init__(self, database: Any, amqp_url: str) -> None:
        prepare(database, COLLECTIONS)
        self.database = database
        self.amqp_url = amqp_url
        self.exchange = f"test.{new_id()}"
        self.service = f"test-{new_id()}"
        self.goals = Aggregates(database["goals"], Goal, missing=GoalNotFound)
        self.parked = Parked(database)

    def declare(self, *types: str) -> None:
        topology.declare(self.amqp_url, self.service, types, self.exchange)

    def unbind(self, type: str) -> None:
        with linked(self.amqp_url, "test") as link:
            link.channel().queue_unbind(topology.events_queue(self.service), self.exchange, type)

    def remove(self) -> None:
        with linked(self.amqp_url, "test") as link:
            channel = link.channel()
            for queue in (topology.events_queue(self.service), topology.dead_queue(self.service)):
                channel.queue_delete(queue)
            channel.exchange_delete(self.exchange)

    def relay(self, url: str | None = None, lease: Lease | None = None) -> Relay:
        lease = lease or Lease(self.database["leases"], "relay")
        return Relay("goals", self.database, ["goals"], url or self.amqp_url, lease, self.exchange)

    def consumer(self, subscriber: Subscriber, url: str | None = None) -> Consumer:
        self.declare(*subscriber.types)
        return Consumer(subscriber, self.database, url or self.amqp_url, COLLECTIONS)

    def add_goals(self, count: int, *classes: type) -> list[str]:
        return [self.goals.add(Goal(new_id()).say(*classes))[0].id for _ in range(count)]

    def event(self, type: str = "goal.agreed", **rest: Any) -> bytes:
        data = rest.pop("data", {"goal_id": rest.get("subject", "goal-1")})
        service, subject = rest.pop("service", "goals"), rest.pop("subject", "goal-1")
        record = {"id": new_id(), "type": type, "time": now(), "sequence": 1, "data": data} | rest
        return encode(record, service=service, subject=subject, practice_id=PRACTICE)

    def publish(self, *bodies: bytes) -> None:
        """Straight into the service's queue, whatever it is."""
        with linked(self.amqp_url, "test") as link:
            publisher = Publisher(link, self.exchange)
            for number, body in enumerate(bodies):
                publisher.publish(("x", "x"), f"{number}", "x", body, only=self.service)
            publisher.settle()
            assert not publisher.collect().refused

    def pending(self) -> int:
        return int(self.database["goals"].count_documents({"due": {"$exists": True}}))

    def notes(self) -> set[str]:
        return {note["goal_id"] for note in self.database["notes"].find()}

    def delivered(self, count: int, seconds: float = 10.0) -> list[Any]:
        """The next `count` events of the service's queue, in order, taken from it; fewer when time is up."""
        return [decode(message.body) for message in self.messages(count, seconds)]

    def messages(self, count: int, seconds: float = 10.0) -> list[Any]:
        deadline = time.monotonic() + seconds
        with linked(self.amqp_url, "test") as link:
            inbox = Inbox(link, topology.events_queue(self.service), count)
            while len(inbox.messages) < count and time.monotonic() < deadline:
                link.drain(0.1)
            if inbox.messages:
                # One ack: of many at once a quorum queue may lose the last when the channel closes.
                inbox.ack(inbox.messages[-1])
        return list(inbox.messages)

    def ready(self, queue: str | None = None) -> int:
        """How many messages wait in the queue."""
        with linked(self.amqp_url, "test") as link:
            name = queue or topology.events_queue(self.service)
            return int(link.channel().queue_declare(name, passive=True).message_count)
