"""save_, list_, relay_1000_practices: the same in 1,000 practices with a million goals as in 1 with 1,000.

- save: a command: load a goal, agree on it, save it with its event; 16 threads, each goal once.
- list: the first page of a client's goals, newest first, as the API asks for it; a client has 20.
- relay: pending goals of all practices, from a standing start until the last is told.

Both databases are on the same server, and their rounds take turns. The server may keep 2 GB in memory, where
`make up` gives it 0.5: the question is what the number of documents costs, and not what a disk does.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pymongo import MongoClient, WriteConcern

from benchmarks import goals
from benchmarks.figure import Bench, Figure, at_least
from benchmarks.programs import program, rounds
from benchmarks.relay import OurRelay
from benchmarks.save import a_second, agree
from benchmarks.scene import Scene, scene
from services.goals.domain import Status
from services.goals.events import GoalProposed
from services.goals.store import COLLECTIONS
from shared.ids import new_id
from shared.store.indexes import prepare

FEW, MANY = 1, 1_000
GOALS_A_PRACTICE = 1_000
CLIENTS_A_PRACTICE = 50
ROUNDS = 5
SAVES = 1_000
PASSES = 3
LISTS = 1_500
EVENTS = 10_000
PAGE = 51
"""One more than a page tells whether there is another (shared/web/cursors.py)."""
LISTERS = 4


class Populated:
    """A database of goals that many practices share."""

    def __init__(self, made: Scene, practices: int) -> None:
        self.made = made
        self.practices = practices
        self.store = goals.PlainGoals(made.database)

    def saves_a_second(self) -> float:
        return PASSES / sum(1 / self._one_pass() for _ in range(PASSES))

    def _one_pass(self) -> float:
        sample = [{"$sample": {"size": SAVES}}, {"$project": {"practice_id": 1}}]
        # $sample may name one twice.
        found = {goal["_id"]: goal["practice_id"] for goal in self.store.collection.aggregate(sample)}
        done = a_second(self._command, list(found.items()))
        as_before = {"status": Status.PROPOSED, "version": 1, "eseq": 1, "outbox": []}
        asked = {"_id": {"$in": list(found)}}
        self.store.collection.update_many(asked, {"$set": as_before, "$unset": {"due": 1}})
        return done

    def _command(self, key: tuple[str, str]) -> None:
        id, practice_id = key
        self.store.save(agree(self.store.get(practice_id, id)))

    def lists_a_second(self) -> float:
        asked = [self._client() for _ in range(LISTS)]
        return a_second(self._list, asked, threads=LISTERS)

    def _client(self) -> tuple[str, str]:
        practice_id = goals.practice(random.randint(1, self.practices))  # noqa: S311
        return practice_id, goals.client(practice_id, random.randint(1, CLIENTS_A_PRACTICE))  # noqa: S311

    def _list(self, key: tuple[str, str]) -> None:
        found = self.store.of_client(*key, PAGE, None)
        assert len(found) == GOALS_A_PRACTICE // CLIENTS_A_PRACTICE, key  # noqa: S101 - no figure without the work

    def told_a_second(self, relay: OurRelay) -> float:
        before = new_id()
        rate = relay.drain(EVENTS, practices=self.practices)
        # Only theirs are UUIDv7 of these seconds.
        self.store.collection.delete_many({"_id": {"$gt": before, "$lt": new_id()}})
        return rate


def figures(bench: Bench) -> Iterator[Figure]:
    with ExitStack() as ends:
        ends.enter_context(_roomy(bench))
        few = ends.enter_context(populated(bench, FEW))
        many = ends.enter_context(populated(bench, MANY))
        both = (many, few)
        yield _figure("save_1000_practices", "saves/s", [one.saves_a_second for one in both])
        yield _figure("list_1000_practices", "lists/s", [one.lists_a_second for one in both])
        relays = [ends.enter_context(_relay(one)) for one in both]
        of_relays = [
            lambda one=one, relay=relay: one.told_a_second(relay)
            for one, relay in zip(both, relays, strict=True)
        ]
        yield _figure("relay_1000_practices", "events/s", of_relays)


@contextmanager
def populated(bench: Bench, practices: int) -> Iterator[Populated]:
    with scene(bench.servers, f"of-{practices}") as made:
        # It need not outlive a failover before it is all there.
        collection = made.database["goals"].with_options(write_concern=WriteConcern(w=1))
        each = GOALS_A_PRACTICE // CLIENTS_A_PRACTICE
        goals.insert(collection, goals.quiet(practices * GOALS_A_PRACTICE, practices, each))
        prepare(made.database, COLLECTIONS)
        yield Populated(made, practices)


@contextmanager
def _roomy(bench: Bench) -> Iterator[None]:
    """Memory for all the goals, where the server is ours."""
    if bench.servers.way == "urls":
        yield
        return
    with MongoClient[Any](bench.servers.mongo_url) as client:
        client.admin.command({"setParameter": 1, "wiredTigerEngineRuntimeConfig": "cache_size=2G"})
        try:
            yield
        finally:
            client.admin.command({"setParameter": 1, "wiredTigerEngineRuntimeConfig": "cache_size=512M"})


@contextmanager
def _relay(one: Populated) -> Iterator[OurRelay]:
    made = one.made
    made.declare(GoalProposed.type)
    words = ("benchmarks.ours", "relay", made.name, made.mongo_url, made.amqp_url)
    with program(f"our-relay-of-{one.practices}", *words) as running:
        yield OurRelay(made, running)


def _figure(name: str, unit: str, measures: list[Any]) -> Figure:
    rounds(measures, 1)
    many, few = rounds(measures, ROUNDS)
    bars = (at_least("ratio", 0.9, aim=1.0),)
    return Figure(name, unit, tuple(many), bars, peer="1 practice, 1,000 goals", peer_values=tuple(few))
