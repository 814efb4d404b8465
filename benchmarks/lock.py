"""save_encrypted, list_encrypted: goals under lock, beside the same goals by the same store without it.

- save: new goals with their words and an event, from 16 threads, by 200 clients.
- list: a page of 50 goals of one client, newest first, all decrypted, from one thread.
"""

from collections.abc import Iterator
from functools import partial

from benchmarks.figure import Bench, Figure, at_least
from benchmarks.goals import PlainGoals, client, practice, proposed
from benchmarks.programs import rounds
from benchmarks.save import a_second
from benchmarks.scene import Scene, scene
from services.goals.domain import Goal
from services.goals.store import COLLECTIONS, Goals
from shared.store.indexes import prepare

CLIENTS = 200
SAVES = 4_000
LISTS = 200
PAGE = 50
ROUNDS = 9


def figures(bench: Bench) -> Iterator[Figure]:
    with scene(bench.servers, "lock") as locked, scene(bench.servers, "no-lock") as plain:
        stores = Goals(_prepared(locked).database), PlainGoals(_prepared(plain).database)
        yield _figure("save_encrypted", "saves/s", 0.8, [partial(saves_a_second, one) for one in stores])
        for one in stores:
            _refill(one)
        yield _figure("list_encrypted", "lists/s", 0.5, [partial(lists_a_second, one) for one in stores])


def _figure(name: str, unit: str, bar: float, contenders: list[partial[float]]) -> Figure:
    rounds(contenders, 1)
    ours, plain = rounds(contenders, ROUNDS)
    bars = (at_least("ratio", bar, aim=bar + 0.1),)
    return Figure(name, unit, tuple(ours), bars, peer="without the lock", peer_values=tuple(plain))


def _prepared(made: Scene) -> Scene:
    prepare(made.database, COLLECTIONS)
    return made


def saves_a_second(store: Goals) -> float:
    store.collection.delete_many({})
    return a_second(store.add, [_proposed(number % CLIENTS) for number in range(SAVES)])


def _proposed(number: int) -> Goal:
    return proposed(practice(1), client(practice(1), number))


def _refill(store: Goals) -> None:
    store.collection.delete_many({})
    for _ in range(PAGE):
        store.add(_proposed(1))


def lists_a_second(store: Goals) -> float:
    asked = [(practice(1), client(practice(1), 1))] * LISTS
    return a_second(lambda key: _list(store, *key), asked, threads=1)


def _list(store: Goals, practice_id: str, client_id: str) -> None:
    found = store.of_client(practice_id, client_id, PAGE, None)
    assert len(found) == PAGE  # noqa: S101 - no figure without the work
