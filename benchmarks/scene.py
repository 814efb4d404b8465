"""A database, an exchange and queues of one measurement's own, gone with it."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from scripts.servers.found import Servers
from shared.clock import now
from shared.ids import new_id
from shared.messaging import topology
from shared.messaging.envelope import encode
from shared.messaging.link import linked
from shared.messaging.publisher import Publisher
from shared.settings import Settings
from shared.store.client import connect
from shared.store.lock.database import OwnDatabase

PRACTICE = "practice-1"
TYPE = "goal.agreed"
MASTER_KEY = base64.b64encode(bytes(range(96))).decode()


class Scene:
    def __init__(self, servers: Servers, name: str) -> None:
        self.name = name
        self.mongo_url, self.amqp_url = servers.mongo_url, servers.amqp_url
        self.queue = topology.events_queue(name)
        self.exchange = f"{name}.exchange"
        self.database = database(name, servers.mongo_url, servers.amqp_url)

    def declare(self, *types: str) -> None:
        """The product's own topology, as `prepare` makes it."""
        topology.declare(self.amqp_url, self.name, types, self.exchange)

    def fill(self, bodies: Sequence[bytes]) -> None:
        """Put these into the queue, each confirmed."""
        with linked(self.amqp_url, "bench") as link:
            publisher = Publisher(link, self.exchange)
            for number, body in enumerate(bodies):
                publisher.publish(("x", "x"), f"{number}", TYPE, body, only=self.name)
            publisher.settle()

    def purge(self) -> int:
        """Empty the queue; how many messages were ready in it."""
        with linked(self.amqp_url, "bench") as link:
            return int(link.channel().queue_purge(self.queue))

    def remove(self) -> None:
        self.database.client.drop_database(self.database.name)
        with linked(self.amqp_url, "bench") as link:
            channel = link.channel()
            for queue in (self.queue, topology.dead_queue(self.name)):
                channel.queue_delete(queue)
            channel.exchange_delete(self.exchange)


def database(name: str, mongo_url: str, amqp_url: str) -> OwnDatabase:
    """With the options that the product gives its connections."""
    return connect(
        Settings(
            name,
            mongo_url,
            amqp_url,
            issuer="",
            jwks_url="",
            secret_key="",
            master_key=MASTER_KEY,
            database_prefix="",
        )
    )


@contextmanager
def scene(servers: Servers, what: str) -> Iterator[Scene]:
    made = Scene(servers, f"bench-{what}-{new_id()}")
    try:
        yield made
    finally:
        made.remove()


def event(**rest: Any) -> bytes:
    """One goal agreed on, as it travels."""
    ids = {name: new_id() for name in ("goal_id", "client_id", "clinician_id", "proposed_by", "agreed_by")}
    record = {"id": new_id(), "type": TYPE, "time": now(), "sequence": 2, "data": ids} | rest
    return encode(record, service="goals", subject=ids["goal_id"], practice_id=PRACTICE)
