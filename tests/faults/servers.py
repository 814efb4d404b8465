"""Servers that can be killed, frozen and spoilt, each in a folder of its own that is gone with its block.

Built on what `make up` starts servers with; nothing here knows of pytest. A kill is SIGKILL of all that
the server consists of (of a broker: beam.smp, and the wrapper around it), a freeze is SIGSTOP of the same.
"""

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from scripts import ports, processes
from scripts.place import Place
from scripts.servers import answers, local, temporary
from scripts.servers.rabbit import Node
from scripts.waiting import until
from shared.messaging.link import linked
from shared.messaging.topology import EXCHANGE

START_SECONDS = 60.0
CLAIMED_SECONDS = 3_600.0
Checks = Mapping[str, Callable[[], bool]]
Client = MongoClient[dict[str, Any]]


class DidNotCome(Exception):
    """A server did not do in time what it was to do."""


def await_all(checks: Checks, seconds: float = START_SECONDS) -> None:
    if late := until(checks, seconds):
        raise DidNotCome(f"After {seconds:.0f} s still not so: {', '.join(late)}.")


class Server:
    """One or several processes in one place; a block ends whatever of them still runs."""

    names: tuple[str, ...]
    place: Place

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.launched())
            self.await_all(self.checks())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @contextmanager
    def launched(self) -> Iterator[None]:
        """Started and not waited for, so that several come up together."""
        with temporary.own_place() as self.place:
            self._prepare()
            for name in self.names:
                self._launch(name)
            yield

    def await_all(self, checks: Checks) -> None:
        """Wait until all hold; where they do not, the error tells what each process said last."""
        try:
            await_all(checks)
        except DidNotCome as error:
            for name in self.names:
                error.add_note(f"{name}: {processes.last_words(self.place, name, 5)}")
            raise

    def checks(self) -> Checks:
        """What has to hold before it can be used."""
        raise NotImplementedError

    def _prepare(self) -> None:
        """Find ports and settings, once."""
        raise NotImplementedError

    def _launch(self, name: str) -> None:
        raise NotImplementedError

    def _choose(self, usual: Mapping[str, int]) -> dict[str, int]:
        """Ports that are its own while it is away, too."""
        return ports.choose(self.place, usual, {}, claimed_seconds=CLAIMED_SECONDS)

    def stop(self) -> None:
        """End it kindly; its data stay until the block ends."""
        processes.stop(self.place, self.names)

    def _send(self, number: signal.Signals, *names: str) -> None:
        for name in names:
            processes.send(self.place, name, number)


@contextmanager
def together(*servers: Server) -> Iterator[None]:
    """All of them for as long as the block lasts, started at the same time."""
    with ExitStack() as stack:
        for server in servers:
            stack.enter_context(server.launched())
        for server in servers:
            server.await_all(server.checks())
        yield


class _One(Server):
    """The verbs of a server that is one process to the outside."""

    def start(self) -> None:
        self._launch(self.names[0])
        self.await_all(self.checks())

    def kill(self) -> None:
        self._send(signal.SIGKILL, *self.names)

    def freeze(self) -> None:
        self._send(signal.SIGSTOP, *self.names)

    def thaw(self) -> None:
        self._send(signal.SIGCONT, *self.names)


class Mongo(_One):
    """A replica set of one node; what was acknowledged survives a kill."""

    names = ("mongo-1",)

    @property
    def url(self) -> str:
        return f"mongodb://{self._host}/?replicaSet=rs0"

    def checks(self) -> Checks:
        return {"MongoDB is primary": answers.one_node_replica_set(self._host)}

    def _prepare(self) -> None:
        self._mongod = local.install()
        port = self._choose({"mongo": ports.SERVERS["mongo"]})["mongo"]
        self._host = f"127.0.0.1:{port}"

    def _launch(self, name: str) -> None:
        local.start_mongod(self.place, name, int(self._host.partition(":")[2]), self._mongod)


class ReplicaSet(Server):
    """Three members, any of which can be primary; a failover takes about `election_ms` and a second."""

    names = ("mongo-1", "mongo-2", "mongo-3")

    def __init__(self, election_ms: int = 2_000) -> None:
        self._election_ms = election_ms

    @property
    def url(self) -> str:
        return f"mongodb://{','.join(self._hosts.values())}/?replicaSet=rs0"

    def checks(self) -> Checks:
        return {"the replica set is made": self._is_made, "all members follow": self.is_whole}

    def primary(self) -> str:
        """Who is primary now; waits for an election that is under way."""
        found: list[str] = []

        def look() -> bool:
            found[:] = [name for name in self.names if self._hello(name).get("isWritablePrimary")]
            return len(found) == 1

        self.await_all({"there is one primary": look})
        return found[0]

    def secondaries(self) -> list[str]:
        primary = self.primary()
        return [name for name in self.names if name != primary]

    def kill(self, member: str) -> None:
        self._send(signal.SIGKILL, member)

    def start(self, member: str) -> None:
        """Start it and wait until it answers; it follows, or rolls back, a moment later."""
        self._launch(member)
        self.await_all({f"{member} answers": lambda: bool(self._hello(member))})

    def freeze(self, *members: str) -> None:
        self._send(signal.SIGSTOP, *members)

    def thaw(self, *members: str) -> None:
        self._send(signal.SIGCONT, *members)

    def step_down(self) -> str:
        """Have the primary hand over, and stand back for 5 s; who it was."""
        primary = self.primary()
        with self.client(primary) as client, contextlib.suppress(PyMongoError):
            client.admin.command({"replSetStepDown": 5, "secondaryCatchUpPeriodSecs": 4})
        return primary

    def elect(self, member: str) -> None:
        """Have this one call an election now, and win it."""

        def asked() -> bool:
            with self.client(member) as client, contextlib.suppress(PyMongoError):
                client.admin.command("replSetStepUp")
            return bool(self._hello(member).get("isWritablePrimary"))

        self.await_all({f"{member} is primary": asked})

    def take_back(self, write: Callable[[Client], object], seen_for: float = 1.5) -> str:
        """Have the primary acknowledge a write (w: 1) that no other member gets, and fail over without it.

        For `seen_for` seconds the primary shows it to whoever does not ask for majority. Gives the member
        that was primary; it is back, and has rolled back, when this returns.
        """
        primary, others = self.primary(), self.secondaries()
        # Not frozen: a frozen one still finds the write in its socket when it goes on.
        for other in others:
            self.kill(other)
        with self.client(primary) as client:
            write(client)
        time.sleep(seen_for)
        self.kill(primary)
        for other in others:
            self._launch(other)
        self.elect(others[0])
        self.start(primary)
        self.await_all({"all members follow": self.is_whole})
        return primary

    def client(self, member: str) -> Client:
        """Straight to one member, acknowledged by that one alone."""
        return MongoClient(f"mongodb://{self._hosts[member]}/", directConnection=True, timeoutMS=6_000, w=1)

    def is_whole(self) -> bool:
        """One primary and two secondaries, that have all seen the present term: a rollback is over."""
        for name in self.names:
            try:
                with self.client(name) as client:
                    status = client.admin.command("replSetGetStatus")
            except PyMongoError:
                continue
            members = status["members"]
            # 1 and 2: PRIMARY and SECONDARY (replSetGetStatus.members.state).
            if sorted(one["state"] for one in members) == [1, 2, 2]:
                return all(one["optime"]["t"] == status["term"] for one in members)
        return False

    def _is_made(self) -> bool:
        members = [{"_id": number, "host": host} for number, host in enumerate(self._hosts.values())]
        settings = {"electionTimeoutMillis": self._election_ms}
        if not all(map(self._hello, self.names)):
            return False
        with self.client("mongo-1") as client, contextlib.suppress(PyMongoError):
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members, "settings": settings})
        return bool(self._hello("mongo-1").get("setName"))

    def _hello(self, member: str) -> dict[str, Any]:
        url = f"mongodb://{self._hosts[member]}/"
        try:
            with Client(url, directConnection=True, timeoutMS=1_000) as client:
                return client.admin.command("hello")
        except PyMongoError:
            return {}

    def _prepare(self) -> None:
        self._mongod = local.install()
        self._ports = self._choose(dict.fromkeys(self.names, ports.SERVERS["mongo"]))
        self._hosts = {name: f"127.0.0.1:{port}" for name, port in self._ports.items()}

    def _launch(self, name: str) -> None:
        local.start_mongod(self.place, name, self._ports[name], self._mongod)


class _Brokers(Server):
    """What a broker of one node and one of three have in common."""

    nodes: dict[str, Node]

    @property
    def url(self) -> str:
        return ";".join(node.url for node in self.nodes.values())

    def ctl(self, *words: str) -> str:
        """What rabbitmqctl says, asked of a node that runs."""
        for node in self.nodes.values():
            if answers.amqp_broker(node.url):
                return node.ctl(*words)
        raise DidNotCome("No node answers.")

    def depth(self, queue: str) -> int:
        """How many messages wait in it, without those that a consumer has and has not acked."""
        with linked(self.url, "test") as link:
            return int(link.channel().queue_declare(queue, passive=True).message_count)

    def unbind(self, queue: str, type: str) -> None:
        with linked(self.url, "test") as link:
            link.channel().queue_unbind(queue, EXCHANGE, type)

    def limit(self, queue: str, length: int) -> None:
        """From now on it refuses what would make it longer."""
        rule = json.dumps({"max-length": length, "overflow": "reject-publish"})
        self.ctl("set_policy", f"limit {queue}", f"^{queue}$", rule, "--apply-to", "queues")

    def unlimit(self, queue: str) -> None:
        self.ctl("clear_policy", f"limit {queue}")

    def _prepare(self) -> None:
        usual: dict[str, int] = {"epmd": ports.SERVERS["epmd"]}
        for name in self.names:
            usual |= {name: ports.SERVERS["rabbit"], f"{name} dist": ports.SERVERS["dist"]}
        given = self._choose(usual)
        self.nodes = {
            name: Node(
                self.place, name, f"{name}@localhost", given[name], given[f"{name} dist"], given["epmd"]
            )
            for name in self.names
        }

    def _answers(self, name: str) -> Callable[[], bool]:
        return lambda: answers.amqp_broker(self.nodes[name].url)


class Broker(_Brokers, _One):
    """RabbitMQ of one node."""

    names = ("rabbit-1",)

    def checks(self) -> Checks:
        return {"RabbitMQ answers": self._answers("rabbit-1")}

    def memory_alarm(self) -> None:
        self.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
        self.await_all({"the memory alarm is raised": self.is_alarmed})

    def disk_alarm(self) -> None:
        self.ctl("set_disk_free_limit", "1000000GB")
        self.await_all({"the disk alarm is raised": self.is_alarmed})

    def clear_alarms(self) -> None:
        self.ctl("set_vm_memory_high_watermark", "0.4")
        self.ctl("set_disk_free_limit", "50MB")
        self.await_all({"no alarm is raised": lambda: not self.is_alarmed()})

    def is_alarmed(self) -> bool:
        return self.ctl("eval", "rabbit_alarm:get_alarms().").strip() != "[]"

    def _launch(self, name: str) -> None:
        self.nodes[name].start()


class BrokerCluster(_Brokers):
    """RabbitMQ of three nodes, joined; nodes are counted from 1."""

    names = ("rabbit-1", "rabbit-2", "rabbit-3")

    def checks(self) -> Checks:
        return {"the nodes have joined": self._is_joined}

    def kill(self, number: int) -> None:
        self._send(signal.SIGKILL, self.names[number - 1])

    def start(self, number: int) -> None:
        """Start it, and wait until every quorum queue has all its members again."""
        name = self.names[number - 1]
        self._launch(name)
        self.await_all({f"{name} answers": self._answers(name)})
        self.await_all({"the queues are whole": self.is_whole})

    def is_whole(self) -> bool:
        listed = self.ctl("list_queues", "name", "members", "online", "--formatter", "json")
        return all(len(queue["online"] or ()) == len(self.names) for queue in json.loads(listed))

    def _is_joined(self) -> bool:
        if not all(self._answers(name)() for name in self.names):
            return False
        said = self.ctl("eval", "length(rabbit_nodes:all_running()).")
        return said.strip() == str(len(self.names))

    def _launch(self, name: str) -> None:
        # Found by a list of names and joined at their first start, all at the same time.
        formation = ["cluster_formation.peer_discovery_backend = classic_config"]
        formation += [
            f"cluster_formation.classic_config.nodes.{number} = {node.called}"
            for number, node in enumerate(self.nodes.values(), start=1)
        ]
        self.nodes[name].start(formation)
