"""consume_vs_celery, consume_vs_faststream: effects a second, from a quorum queue to MongoDB with majority.

Every contender is one running worker, warm, that is halted while its queue is filled, and timed from the
moment it goes on until all its effects can be counted. Ours is the product's consumer with a handler that
creates one document an event; the peers insert the same document from the same event.

"One process at its documented defaults" is one worker as its own command starts it with no option that
bears on speed: for Celery that is one parent with a pool of as many processes as there are CPUs, which is
more than one process, and in its favour; for FastStream one process with no limit on what it takes at once.
Celery acks before it has done the work, at its defaults; ours and FastStream after it.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from statistics import median

from celery import Celery
from kombu import Connection

from benchmarks.figure import Bench, Figure, at_least
from benchmarks.ours import COLLECTIONS
from benchmarks.programs import Program, program, rounds, until
from benchmarks.scene import TYPE, Scene, event, scene
from scripts.servers.found import Servers
from shared.messaging.link import linked
from shared.store.indexes import prepare

EVENTS = 10_000
EVENTS_OF_PEER = 1_500
EVENTS_OF_VARIANT = 800
WARM_UP = 300
CONCURRENT = (1, 4, 16)
ROUNDS = 5
ROUNDS_OF_VARIANT = 3
PEERS = {"celery": "Celery 5, pool of all CPUs", "faststream": "FastStream 0.7"}
QUORUM = {"x-queue-type": "quorum"}
CONFIRMED = {"confirm_publish": True}
"""Without it a busy broker loses the last ones when the connection is closed, and the round never ends."""

Fill = Callable[[Sequence[bytes]], None]


def figures(bench: Bench) -> Iterator[Figure]:
    own, *peers = measured(
        bench.servers, [(ours, EVENTS), (celery, EVENTS_OF_PEER), (faststream, EVENTS_OF_PEER)]
    )
    variants = variants_measured(bench.servers)
    for peer, values in zip(("celery", "faststream"), peers, strict=True):
        found = {concurrency: variants[peer, concurrency] for concurrency in CONCURRENT}
        best = max(found, key=lambda concurrency: found[concurrency])
        yield Figure(
            f"consume_vs_{peer}",
            "effects/s",
            tuple(own),
            (at_least("ratio", 8, aim=12),),
            peer=PEERS[peer],
            peer_values=tuple(values),
            best_peer_value=found[best],
            best_concurrency=best,
            note="peer at " + ", ".join(f"{number}: {value:,.0f}/s" for number, value in found.items()),
        )


def measured(servers: Servers, contenders: Sequence["Contender"], count: int = ROUNDS) -> list[list[float]]:
    """Effects a second of each, round by round."""
    with ExitStack() as running:
        started = [(running.enter_context(start(servers)), events) for start, events in contenders]
        return rounds([partial(worker.effects_a_second, events) for worker, events in started], count)


def variants_measured(servers: Servers) -> dict[tuple[str, int], float]:
    """The peers at the concurrency they can be given."""
    starts = {"celery": celery, "faststream": faststream}
    names = [(peer, concurrency) for concurrency in CONCURRENT for peer in starts]
    contenders = [(partial(starts[peer], concurrency=number), EVENTS_OF_VARIANT) for peer, number in names]
    found = measured(servers, contenders, ROUNDS_OF_VARIANT)
    return {name: median(values) for name, values in zip(names, found, strict=True)}


class Worker:
    """One contender, running; `effects_a_second` times it."""

    def __init__(self, scene: Scene, program: Program, fill: Fill) -> None:
        self._effects = scene.database["effects"]
        self._program = program
        self._fill = fill
        self._done = 0

    def effects_a_second(self, events: int) -> float:
        bodies = [event() for _ in range(events)]
        self._program.pause()
        self._fill(bodies)
        self._done += events
        started = time.perf_counter()
        self._program.resume()
        until(lambda: self._effects.estimated_document_count() >= self._done, self._program, 120)
        return events / (time.perf_counter() - started)


Contender = tuple[Callable[[Servers], AbstractContextManager[Worker]], int]
"""What starts it, and how many events it is given in a round."""


@contextmanager
def ours(servers: Servers) -> Iterator[Worker]:
    with scene(servers, "consume") as made:
        prepare(made.database, COLLECTIONS)
        made.declare(TYPE)
        words = ("benchmarks.ours", "consumer", made.name, made.mongo_url, made.amqp_url)
        with program("our-consumer", *words) as running:
            yield warm(Worker(made, running, made.fill))


@contextmanager
def faststream(servers: Servers, concurrency: int | None = None) -> Iterator[Worker]:
    with peer(servers, "faststream") as (made, settings):
        if concurrency:
            settings["PEER_CONCURRENCY"] = str(concurrency)
        name = f"faststream-{concurrency or 'default'}"
        with program(name, "benchmarks.peers.faststream_effects", **settings) as running:
            yield warm(Worker(made, running, partial(fill_plain, made)))


@contextmanager
def celery(servers: Servers, concurrency: int | None = None) -> Iterator[Worker]:
    with peer(servers, "celery") as (made, settings):
        option = ["--concurrency", str(concurrency)] if concurrency else []
        # A name, because two workers of one machine may not share the default one.
        words = ("celery", "-A", "benchmarks.peers.celery_effects", "worker", "-n", made.name, *option)
        with program(f"celery-{concurrency or 'default'}", *words, **settings) as running:
            yield warm(Worker(made, running, partial(fill_tasks, made)))


@contextmanager
def peer(servers: Servers, what: str) -> Iterator[tuple[Scene, dict[str, str]]]:
    """A scene with a quorum queue of that name, and what its program needs to know."""
    with scene(servers, what) as made:
        made.database.create_collection("effects")
        with linked(made.amqp_url, "bench") as link:
            channel = link.channel()
            channel.queue_declare(made.name, durable=True, auto_delete=False, arguments=QUORUM)
            try:
                yield (
                    made,
                    {
                        "PEER_AMQP_URL": made.amqp_url,
                        "PEER_MONGO_URL": made.mongo_url,
                        "PEER_NAME": made.name,
                    },
                )
            finally:
                link.channel().queue_delete(made.name)


def fill_plain(scene: Scene, bodies: Sequence[bytes]) -> None:
    with Connection(scene.amqp_url, transport_options=CONFIRMED) as connection:
        producer = connection.Producer()
        for body in bodies:
            producer.publish(
                body, routing_key=scene.name, content_type="application/json", content_encoding="utf-8"
            )


def fill_tasks(scene: Scene, bodies: Sequence[bytes]) -> None:
    app = Celery(broker=scene.amqp_url)
    app.conf.update(
        broker_transport_options=CONFIRMED, task_default_queue_type="quorum", task_default_queue=scene.name
    )
    with app.producer_or_acquire() as producer:
        for body in bodies:
            app.send_task("benchmarks.peers.celery_effects.tell", [json.loads(body)], producer=producer)
    app.close()


def warm(worker: Worker) -> Worker:
    worker.effects_a_second(WARM_UP)
    return worker
