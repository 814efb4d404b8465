"""The whole platform as `make up` starts it, on servers that can be hurt, with proxies on any of its lines.

Whatever ends is started again at once, as Kubernetes would; nothing else is ever done by hand.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

import psutil
import pytest
from kombu import Connection
from pymongo import MongoClient

from scripts import parts, platform, processes
from scripts.parts import Part
from scripts.place import PROJECT, Place, read_json
from scripts.servers import temporary
from services.goals.store import Goals
from shared.store.lock.database import OwnDatabase
from shared.store.lock.master import Master
from tests.faults import proxy
from tests.faults.logs import said
from tests.faults.proxy import Proxy, Trap
from tests.free_ports import free_port
from tests.journeys.people import Platform as People
from tests.journeys.people import until

LOOK_EVERY = 0.1
LOGS = PROJECT / "build" / "faults"
"""Where what the platform said stays to be read."""
Line = tuple[str, str]
"""Whose line to which server: ("goals-worker", "mongo")."""


class Platform:
    def __init__(
        self, place: Place, prefix: str, mongo_url: str, amqp_url: str, lines: Iterable[Line]
    ) -> None:
        self.place, self.prefix = place, prefix
        self._urls = {"mongo": mongo_url, "amqp": amqp_url}
        self.lines = {line: self._line(line[1]) for line in lines}
        self.fronts: dict[str, Proxy] = {}
        """Where callers of each web come in, as through a load balancer."""
        self._whats: dict[str, str] = {}
        self._at_rest: set[str] = set()
        self._work = threading.Lock()
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def _line(self, server: str) -> Proxy:
        if server == "amqp":
            return Proxy(self._urls[server], proxy.amqp)
        # Not to be sent on to the member's own address.
        return Proxy(self._urls[server], proxy.mongo, directConnection="true")

    @contextmanager
    def running(self) -> Iterator["Platform"]:
        with ExitStack() as stack:
            for line in self.lines.values():
                stack.enter_context(line)
            # Whatever ends the start early, ends what it started.
            stack.callback(platform.bring_down, self.place, 8.0)
            self._start(stack)
            stack.callback(self._let_go)
            with MongoClient(self._urls["mongo"], tz_aware=True, timeoutMS=20_000) as self.client:
                yield self

    def _start(self, stack: ExitStack) -> None:
        platform.start_servers(self.place)
        ports = self.place.read()["ports"]
        for service in parts.services():
            front = self.fronts[service] = Proxy(f"http://127.0.0.1:{ports[service]}")
            stack.enter_context(front)
        platform.prepare(self.place)
        platform.start_mailbox(self.place)
        for part in parts.parts():
            self._start_part(part)
        platform.load_sample(self.place)
        platform.await_ready(self.place)
        self.people = People(self.place, read_json(self.place.sample), self.prefix)
        self.people.await_sample()
        self._keeper.start()

    def whats(self) -> dict[str, str]:
        """What each goal says, by id: under lock, and so read by goals' own store, each once."""
        key = self.place.secret("goals.master", 96).read_text()
        store = Goals(OwnDatabase(self.client, f"{self.prefix}goals", Master(key)))
        ids = {one["_id"] for one in store.collection.find({}, {"_id": 1})}
        unknown = sorted(ids - self._whats.keys())
        for some in (unknown[at : at + 500] for at in range(0, len(unknown), 500)):
            found = store.list(self.people.practice_id, {"_id": {"$in": some}}, len(some))
            self._whats |= {goal.id: goal.what for goal in found}
        return {id: self._whats[id] for id in ids if id in self._whats}

    def _start_part(self, part: Part) -> None:
        processes.start(self.place, part.name, part.command, self.environment(part))

    def environment(self, part: Part) -> dict[str, str]:
        settings = parts.environment(self.place, part.service)
        settings["TANDEM_JWKS_URL"] = self.fronts["practices"].url + parts.JWKS
        if line := self.lines.get((part.name, "mongo")):
            settings["TANDEM_MONGO_URL"] = line.url
        if line := self.lines.get((part.name, "amqp")):
            settings["TANDEM_AMQP_URL"] = line.url
        return settings

    def _keep(self) -> None:
        """Start again what ended."""
        while not self._ended.wait(LOOK_EVERY):
            for part in parts.parts():
                with self._work:
                    wanted = part.name not in self._at_rest and not self._ended.is_set()
                    if wanted and not processes.is_running(self.place, part.name):
                        self._start_part(part)

    def _let_go(self) -> None:
        with self._work:
            self._ended.set()
        self._keeper.join()

    def database(self, service: str) -> Any:
        return self.client[self.prefix + service]

    def pid(self, name: str) -> int:
        """Of the process that was started, the parent of what it forked."""
        return int(read_json(self.place.run / f"{name}.pid")["pid"])

    def tree(self, name: str) -> list[int]:
        """All processes of one part, the parent first."""
        try:
            parent = psutil.Process(self.pid(name))
            return [parent.pid, *(child.pid for child in parent.children(recursive=True))]
        except (psutil.NoSuchProcess, KeyError):
            return []

    def said(self, name: str, message: str) -> list[dict[str, Any]]:
        """What this part has said so far, in all its lives."""
        return said(self.place, name, message)

    def child(self, name: str, work: str) -> psutil.Process:
        """The living child of a worker that does this: "keeper" or "consumer"."""
        started = [line["pid"] for line in self.said(name, "Part started") if line["child"] == work]
        assert started[-1] in self.tree(name), f"{name} has no {work} now"
        return psutil.Process(started[-1])

    def blamed(self, since: datetime) -> list[dict[str, Any]]:
        """Events parked for a failure, and not because they came early."""
        lines = [line for name in parts.services() for line in self.said(f"{name}-worker", "Event parked")]
        begun = since.isoformat(timespec="milliseconds")
        return [line for line in lines if line["level"] == "warning" and line["at"] >= begun]

    def kill_at(self, line: Line, word: str, within: bytes = b"", seconds: float = 30.0) -> int:
        """Kill the process of this line when it comes to this point; gives its pid."""
        trap = Trap(word, lambda ports: proxy.owner(ports, self.tree(line[0])), within)
        self.lines[line].trap = trap
        try:
            assert trap.sprung.wait(seconds), f"{line[0]} never came to {word!r} within {seconds} s"
        finally:
            self.lines[line].trap = None
        return trap.killed

    def restart(self, name: str) -> float:
        """End it kindly and start it again, as a rolling update does; gives the seconds that its end took."""
        with self.at_rest(name):
            began = time.monotonic()
            processes.stop(self.place, [name])
            return time.monotonic() - began

    @contextmanager
    def at_rest(self, name: str) -> Iterator[None]:
        """It is not started again before this ends."""
        with self._work:
            self._at_rest.add(name)
        try:
            yield
        finally:
            with self._work:
                self._at_rest.discard(name)

    def roll(self, name: str) -> float:
        """Restart a web as a rolling update does: another takes over before it ends, and gives back after."""
        ports = self.place.read()["ports"]
        part = next(part for part in parts.parts() if part.name == name)
        public, probe = free_port(), free_port()
        other = {"TANDEM_PORT": str(public), "TANDEM_METRICS_PORT": str(probe)}
        processes.start(self.place, f"{name}-2", part.command, self.environment(part) | other)
        self._await(probe)
        self.fronts[part.service].server = ("127.0.0.1", public)
        took = self.restart(name)
        self._await(ports[part.metrics])
        self.fronts[part.service].server = ("127.0.0.1", ports[part.service])
        began = time.monotonic()
        processes.stop(self.place, [f"{name}-2"])
        return max(took, time.monotonic() - began)

    @staticmethod
    def _await(port: int) -> None:
        until(lambda: platform.says_ready(port), seconds=30.0)

    def waiting(self) -> int:
        """Messages that wait in the queues of all services; those under way are not counted."""
        with Connection(self._urls["amqp"], connect_timeout=5) as connection:
            channel = connection.default_channel
            declared = [channel.queue_declare(f"{name}.events", passive=True) for name in parts.services()]
        return sum(one.message_count for one in declared)


@contextmanager
def started(mongo_url: str, amqp_url: str, lines: Iterable[Line] = ()) -> Iterator[Platform]:
    prefix = f"faults_{os.getpid()}_"
    with temporary.own_place() as place, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_SERVERS", "urls")
        patch.setenv("TANDEM_MONGO_URL", mongo_url)
        patch.setenv("TANDEM_AMQP_URL", amqp_url)
        patch.setenv("TANDEM_DATABASE_PREFIX", prefix)
        try:
            with Platform(place, prefix, mongo_url, amqp_url, lines).running() as made:
                yield made
        finally:
            shutil.copytree(place.logs, LOGS / place.path.name, dirs_exist_ok=True)
