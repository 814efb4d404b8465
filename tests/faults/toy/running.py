"""Toy's processes, and what can be seen of it from outside."""

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

import psutil

from scripts import asked, ports, processes
from scripts.place import PROJECT, Place
from scripts.servers import temporary
from scripts.waiting import until
from shared.messaging.envelope import Event, decode
from shared.messaging.link import LOST, linked
from shared.messaging.publisher import Publisher
from shared.messaging.topology import EXCHANGE, dead_queue, events_queue
from shared.settings import Settings
from shared.store.client import StoreUnavailable, connect
from tests.faults.logs import said
from tests.faults.toy.app import letters

PORT = 28_901
WORKERS = [f"worker-{number}" for number in range(1, 5)]
COMMAND = [sys.executable, "-m", "tests.faults.toy"]
QUEUE, DEAD = events_queue("toy"), dead_queue("toy")
WITNESS = "toy.witness"
_HELD = re.compile(rb"^tandem_relay_lease_held 1\.0$", re.MULTILINE)


class Worker:
    """One worker: a parent with two children, the keeper (relay) and the consumer."""

    def __init__(self, place: Place, name: str, port: int, environment: Mapping[str, str]) -> None:
        self._place, self._name, self._port = place, name, port
        asked_for = {**environment, "TANDEM_WORKER_METRICS_PORT": str(self._port)}
        self.pid = processes.start(place, name, [*COMMAND, "worker"], asked_for).pid

    def child(self, name: str) -> psutil.Process | None:
        """The living "keeper" or "consumer", as the parent's log tells."""
        started = [line["pid"] for line in self.said("Part started") if line["child"] == name]
        living = {child.pid: child for child in self._children()}
        return living.get(started[-1]) if started else None

    def relays(self) -> bool:
        """Whether it says that it holds the lease."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=2) as answer:
                return bool(_HELD.search(answer.read()))
        except OSError:
            return False

    def said(self, message: str) -> list[dict[str, Any]]:
        """Its log lines of this message."""
        return said(self._place, self._name, message)

    def stop(self) -> None:
        processes.stop(self._place, [self._name])

    def _children(self) -> Iterator[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.pid).children():
                with suppress(psutil.NoSuchProcess):
                    if child.status() != psutil.STATUS_ZOMBIE:
                        yield child


class Toy:
    """The service on these two servers, its tables and queues made."""

    def __init__(self, place: Place, mongo_url: str, amqp_url: str) -> None:
        self.place, self.amqp_url = place, amqp_url
        self.mended = place.path / "mended"
        settings = {
            "ENVIRONMENT": "development",
            "MONGO_URL": mongo_url,
            "AMQP_URL": amqp_url,
            "DATABASE_PREFIX": f"faults_{place.path.name}_",
            "ISSUER": "http://127.0.0.1:1",
            "JWKS_URL": "http://127.0.0.1:1",
            "SECRET_KEY_FILE": str(place.secret("toy.key")),
            "MASTER_KEY_FILE": str(place.secret("toy.master", 96)),
        }
        self._settings = {f"TANDEM_{name}": value for name, value in settings.items()}
        self._environment = asked.plain() | self._settings | {"TOY_MENDED": str(self.mended)}
        # All at once: a port that is asked for later may be the one that another is about to take.
        self._left = list(ports.choose(place, dict.fromkeys(WORKERS, PORT), {}).items())

    def worker(self, **more: str) -> Worker:
        """Start one more, of at most four."""
        name, port = self._left.pop(0)
        return Worker(self.place, name, port, self._environment | more)

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """The service's own command line, run to its end."""
        return subprocess.run(
            [*COMMAND, *words],
            env=self._environment | {processes.MARK: str(self.place.path)},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def prepare(self) -> None:
        done = self.command("prepare")
        assert done.returncode == 0, done.stderr

    @cached_property
    def database(self) -> Any:
        """As the product connects."""
        return connect(Settings.read("toy", self._settings))

    @cached_property
    def letters(self) -> Any:
        return letters(self.database)

    def entries(self) -> list[str]:
        """The effects."""
        return [found["entry"] for found in self.database["entries"].find({}, {"entry": 1})]

    def pending(self) -> int:
        return int(self.database["letters"].count_documents({"due": {"$exists": True}}))

    def ready(self, queue: str = QUEUE) -> int:
        with linked(self.amqp_url, "test") as link:
            return int(link.channel().queue_declare(queue, passive=True).message_count)

    def parked(self) -> list[dict[str, Any]]:
        return list(self.database["parked"].find())

    def send(self, *bodies: bytes) -> None:
        """Straight into its queue, as whoever has the broker's password might."""
        with linked(self.amqp_url, "test") as link:
            publisher = Publisher(link, EXCHANGE)
            for number, body in enumerate(bodies):
                publisher.publish(("x", "x"), f"{number}", "x", body, only="toy")
            publisher.settle()
            assert not publisher.collect().refused

    def bind_witness(self) -> None:
        """A queue of our own that gets whatever is published."""
        with linked(self.amqp_url, "test") as link:
            channel = link.channel()
            arguments = {"x-queue-type": "quorum"}
            channel.queue_declare(WITNESS, durable=True, auto_delete=False, arguments=arguments)
            channel.queue_bind(WITNESS, EXCHANGE, "#")

    def witnessed(self) -> list[Event]:
        """All that was published, in the order of its queue."""
        count = self.ready(WITNESS)
        found: list[Any] = []
        with linked(self.amqp_url, "test") as link:
            link.channel().basic_consume(WITNESS, no_ack=True, callback=found.append)
            while len(found) < count:
                assert link.drain(5.0)
        return [decode(message.body) for message in found]

    def remove(self) -> None:
        with linked(self.amqp_url, "test") as link:
            for queue in (QUEUE, DEAD, WITNESS):
                link.channel().queue_delete(queue)
        self.database.client.drop_database(self.database.name)
        self.database.client.close()


@contextmanager
def prepared(mongo_url: str, amqp_url: str) -> Iterator[Toy]:
    """Toy for as long as the block lasts, on servers that may serve others after it."""
    with temporary.own_place() as place:
        toy = Toy(place, mongo_url, amqp_url)
        toy.prepare()
        try:
            yield toy
        finally:
            processes.stop_strays(place)
            # Servers of a test's own may be down; what is theirs goes with them.
            with suppress(*LOST, StoreUnavailable):
                toy.remove()


def eventually(what: str, claim: Any, seconds: float = 20.0) -> None:
    """Wait until the claim holds; fail with `what` where it does not in time."""
    assert not until({what: claim}, seconds), f"Not within {seconds:.0f} s: {what}."
