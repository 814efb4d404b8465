"""commit_to_effect: from a save in one service to its effect readable in another, at 100 saves a second.

The real relay and the real consumer run as workers of their own, on a database each. Both ends are timed by
one clock, in this process: the commit when the save is acknowledged (majority), the effect when a change
stream shows it. A change stream shows only what a majority holds, so the effect is readable by then, by
anyone; what the stream itself takes counts against us. It follows the log that the server writes anyway,
where asking again and again for the effect would load what is measured.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles
from typing import Any

from benchmarks import goals
from benchmarks.figure import Bench, Figure, at_most
from benchmarks.ours import COLLECTIONS as EFFECTS
from benchmarks.programs import Program, program, until
from benchmarks.scene import TYPE, Scene, scene
from services.goals.store import COLLECTIONS
from shared.clock import now
from shared.messaging import topology
from shared.store.indexes import prepare

A_SECOND = 100
SAVES = 300
ROUNDS = 5


def figures(bench: Bench) -> Iterator[Figure]:
    with running(bench) as path:
        path.latencies(A_SECOND)
        found = [quantiles(path.latencies(SAVES), n=100) for _ in range(ROUNDS)]
    note = f"{ROUNDS * SAVES} saves, {A_SECOND} a second, in {ROUNDS} rounds"
    for percent, must, aim in ((50, 15, 5), (99, 60, 20)):
        values = tuple(round_[percent - 1] * 1_000 for round_ in found)
        bars = (at_most("value", must, aim=aim),)
        yield Figure(f"commit_to_effect_p{percent}_ms", "ms", values, bars, note=note)


class Path:
    """From a save to its effect."""

    def __init__(self, store: goals.PlainGoals, effects: Any, workers: tuple[Program, ...]) -> None:
        self._goals = store
        self._effects = effects
        self._workers = workers

    def latencies(self, count: int) -> list[float]:
        """Seconds from each of so many saves to its effect."""
        self._goals.collection.delete_many({})
        goals.insert(self._goals.collection, goals.quiet(count))
        seen: dict[str, float] = {}
        with self._watching(seen):
            committed = self._save_all()
            for worker in self._workers:
                until(lambda: len(seen) == count, worker, 30)
        return [seen[id] - at for id, at in committed.items()]

    def _save_all(self) -> dict[str, float]:
        waiting = [self._goals.get(*key) for key in self._goals.all_keys()]
        started = time.perf_counter()
        committed = {}
        for number, goal in enumerate(waiting):
            time.sleep(max(0.0, started + number / A_SECOND - time.perf_counter()))
            goal.agree(goal.clinician_id, goal.clinician_id, now())
            self._goals.save(goal)
            committed[goal.id] = time.perf_counter()
        return committed

    @contextmanager
    def _watching(self, seen: dict[str, float]) -> Iterator[None]:
        """Note when each effect can be read."""
        shape: Any = [{"$match": {"operationType": "insert"}}, {"$project": {"fullDocument.goal_id": 1}}]
        with self._effects.watch(shape, max_await_time_ms=250) as stream:
            ending = threading.Event()

            def watch() -> None:
                while not ending.is_set():
                    if change := stream.try_next():
                        seen[change["fullDocument"]["goal_id"]] = time.perf_counter()

            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                yield
            finally:
                ending.set()
                watcher.join()


@contextmanager
def running(bench: Bench) -> Iterator[Path]:
    with scene(bench.servers, "says") as says, scene(bench.servers, "hears") as hears:
        prepare(says.database, COLLECTIONS)
        prepare(hears.database, EFFECTS)
        topology.declare(says.amqp_url, hears.name, [TYPE], says.exchange)
        with ours("relay", says) as relay, ours("consumer", hears) as consumer:
            yield Path(goals.PlainGoals(says.database), hears.database["effects"], (relay, consumer))


def ours(part: str, scene: Scene) -> Any:
    return program(f"our-{part}", "benchmarks.ours", part, scene.name, scene.mongo_url, scene.amqp_url)
