"""save_vs_plain: saves with an event, beside plain pymongo updates of the same size.

Ours is `Aggregates.save` of a goal that was just agreed on: what changed, the version, and the event, in one
guarded update. The peer is `update_one` by _id that sets as many bytes, prepared beforehand, so that it is
nothing but driver and server. Both write with majority from 16 threads, each document once. A third, told in
the note, is that update under the guard that ours has too: {_id, practice_id, version}.
"""

import gc
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from benchmarks import goals
from benchmarks.figure import Bench, Figure, at_least
from benchmarks.programs import rounds
from benchmarks.scene import Scene, scene
from services.goals.domain import Goal
from services.goals.store import COLLECTIONS
from shared.clock import now
from shared.store.client import Document
from shared.store.indexes import prepare

THREADS = 16
SAVES = 4_000
ROUNDS = 9


def figures(bench: Bench) -> Iterator[Figure]:
    with scene(bench.servers, "save") as made:
        prepare(made.database, COLLECTIONS)
        # The same collection without the relay's index, which only we need.
        made.database["plain"].create_index(list(COLLECTIONS[0].indexes[1].fields))
        contenders = [
            lambda: saves_a_second(made),
            lambda: updates_a_second(made, "_id"),
            lambda: updates_a_second(made, "_id", "practice_id", "version"),
        ]
        rounds(contenders, 1)
        ours, plain, guarded = rounds(contenders, ROUNDS)
    yield Figure(
        "save_vs_plain",
        "saves/s",
        tuple(ours),
        (at_least("ratio", 0.90, aim=0.97),),
        peer="pymongo update_one",
        peer_values=tuple(plain),
        note=f"guarded as ours: {median(guarded):,.0f}/s, ratio {median(ours) / median(guarded):.2f}",
    )


def saves_a_second(made: Scene) -> float:
    store = goals.PlainGoals(made.database)
    store.collection.delete_many({})
    goals.insert(store.collection, goals.quiet(SAVES))
    agreed = [agree(store.get(*key)) for key in store.all_keys()]
    return a_second(store.save, agreed)


def agree(goal: Goal) -> Goal:
    goal.agree(goal.clinician_id, goal.clinician_id, now())
    return goal


def updates_a_second(made: Scene, *guard: str) -> float:
    plain = made.database["plain"]
    plain.delete_many({})
    goals.insert(plain, goals.quiet(SAVES))
    saved = _saved(made)
    wanted = dict.fromkeys(guard, 1)
    updates = [(where, {"$set": saved}) for where in plain.find({}, wanted)]
    return a_second(lambda update: plain.update_one(*update), updates)


def _saved(made: Scene) -> Document:
    """What one save of ours wrote."""
    told = made.database["goals"].find_one({"status": "agreed"}) or {}
    names = ("status", "decided_by", "decided_at", "version", "eseq", "outbox", "due")
    return {name: told[name] for name in names}


def a_second(act: Callable[[Any], object], things: Sequence[Any], threads: int = THREADS) -> float:
    """How many of these a second that many threads do between them."""
    begin = threading.Barrier(threads + 1)
    failed: list[Exception] = []

    def work(share: Sequence[Any]) -> None:
        begin.wait()
        try:
            for thing in share:
                act(thing)
        except Exception as error:  # noqa: BLE001 - raised again below
            failed.append(error)

    workers = [threading.Thread(target=work, args=(things[number::threads],)) for number in range(threads)]
    for worker in workers:
        worker.start()
    # What was prepared is no garbage of theirs.
    gc.collect()
    gc.freeze()
    begin.wait()
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - started
    gc.unfreeze()
    if failed:
        raise failed[0]
    return len(things) / seconds
