"""relay_vs_one_by_one: events a second from MongoDB to RabbitMQ, by our relay and by the classic one.

Ours is the product's relay in a worker of its own, which is halted while pending goals are put before it and
timed from the moment it goes on to the moment none is pending; the queue's own count must then agree. The bar
is for one event an aggregate, which is what saving does; ten an aggregate is told beside it.

The peer is the outbox relay that books show: claim one pending event (`find_one_and_update`), publish it
persistent with kombu's confirm, mark it sent (majority), one by one. A thread is one more of it.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median
from typing import Any

from benchmarks.figure import Bench, Figure, at_least
from benchmarks.goals import PlainGoals
from benchmarks.programs import Program, program, rounds, until
from benchmarks.scene import Scene, event, scene
from scripts.servers.found import Servers
from services.goals.domain import Goal
from services.goals.events import GoalProposed
from services.goals.store import COLLECTIONS
from shared.clock import now
from shared.ids import new_id
from shared.store.client import Document
from shared.store.indexes import prepare

EVENTS = 20_000
EVENTS_OF_PEER = 400
CONCURRENT = (4, 16)
ROUNDS = 5
ROUNDS_OF_TEN = 2
_AT_ONCE = 5_000
_WAITING = {"due": {"$exists": True}}


def figures(bench: Bench) -> Iterator[Figure]:
    with ExitStack() as running:
        ours = running.enter_context(our_relay(bench.servers))
        peers = [running.enter_context(one_by_one(bench.servers, threads)) for threads in (1, *CONCURRENT)]
        own, *found = rounds([ours.drain, *(peer.drain for peer in peers)], ROUNDS)
        (ten,) = rounds([partial(ours.drain, events_each=10)], ROUNDS_OF_TEN)
    at = {threads: median(values) for threads, values in zip((1, *CONCURRENT), found, strict=True)}
    best = max(at, key=lambda threads: at[threads])
    yield Figure(
        "relay_vs_one_by_one",
        "events/s",
        tuple(own),
        (at_least("ratio", 15, aim=20), at_least("value", 5_000, aim=10_000)),
        peer="claim, publish, mark",
        peer_values=tuple(found[0]),
        best_peer_value=at[best],
        best_concurrency=best,
        note=f"one event an aggregate; with ten an aggregate {median(ten):,.0f}/s",
    )


class Kept:
    """Stands where a collection does, and keeps what was to be inserted."""

    def __init__(self) -> None:
        self.documents: list[Document] = []

    def insert_one(self, document: Document) -> None:
        self.documents.append(document)


def pending_goals(count: int, events_each: int = 1, practices: int = 1) -> list[Document]:
    """Goals as the store writes them, that have something to say."""
    kept: Any = Kept()
    goals = PlainGoals({"goals": kept})
    for number in range(count):
        goals.add(_proposed(f"practice-{number % practices + 1}", events_each))
    return list(kept.documents)


def _proposed(practice_id: str, events: int) -> Goal:
    client, clinician = new_id(), new_id()
    goal = Goal.propose(new_id(), practice_id, client, clinician, client, now(), "Take the bus to town")
    goal.events *= events
    return goal


class OurRelay:
    """The product's relay, running; `drain` times it."""

    def __init__(self, scene: Scene, relay: Program) -> None:
        self._scene = scene
        self._relay = relay
        self._goals = scene.database["goals"]

    def drain(self, events: int = EVENTS, events_each: int = 1, practices: int = 1) -> float:
        """Events a second, from a standing start with all of them pending."""
        documents = pending_goals(events // events_each, events_each, practices)
        self._relay.pause()
        for start in range(0, len(documents), _AT_ONCE):
            self._goals.insert_many(documents[start : start + _AT_ONCE])
        started = time.perf_counter()
        self._relay.resume()
        until(lambda: self._goals.find_one(_WAITING, {"_id": 1}, hint="due_1") is None, self._relay, 120)
        seconds = time.perf_counter() - started
        _require_all(self._scene, events)
        return events / seconds


def _require_all(scene: Scene, events: int) -> None:
    told = scene.purge()
    assert told == events, f"{told} messages of {events} events"  # noqa: S101 - a figure of half the work is none


@contextmanager
def our_relay(servers: Servers, what: str = "relay") -> Iterator[OurRelay]:
    with scene(servers, what) as made:
        prepare(made.database, COLLECTIONS)
        made.declare(GoalProposed.type)
        with program(
            "our-relay", "benchmarks.ours", "relay", made.name, made.mongo_url, made.amqp_url
        ) as running:
            relay = OurRelay(made, running)
            relay.drain(1_000)
            yield relay


class OneByOne:
    """The classic relay with so many threads, running; `drain` times it."""

    def __init__(self, scene: Scene, relay: Program) -> None:
        self._scene = scene
        self._relay = relay
        self._outbox = scene.database["outbox"]

    def drain(self, events: int = EVENTS_OF_PEER) -> float:
        bodies = [event(type=GoalProposed.type) for _ in range(events)]
        self._relay.pause()
        self._outbox.insert_many(
            {"_id": new_id(), "state": "pending", "type": GoalProposed.type, "body": body} for body in bodies
        )
        started = time.perf_counter()
        self._relay.resume()
        waiting = {"state": {"$in": ["pending", "claimed"]}}
        until(lambda: self._outbox.find_one(waiting, {"_id": 1}) is None, self._relay, 120)
        seconds = time.perf_counter() - started
        _require_all(self._scene, events)
        return events / seconds


@contextmanager
def one_by_one(servers: Servers, threads: int = 1) -> Iterator[OneByOne]:
    with scene(servers, f"onebyone-{threads}") as made:
        made.declare(GoalProposed.type)
        made.database["outbox"].create_index([("state", 1), ("_id", 1)])
        words = ("benchmarks.peers.one_by_one", str(threads), made.name, made.mongo_url, made.amqp_url)
        with program(f"one-by-one-{threads}", *words) as running:
            relay = OneByOne(made, running)
            relay.drain(100)
            yield relay
