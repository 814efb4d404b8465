"""Servers as an installation guards them: nobody comes in without a user, and administrators make users."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from scripts import ports
from scripts.place import write_private
from scripts.servers import answers, choice, local, temporary
from scripts.servers.found import START_SECONDS, Servers
from scripts.servers.rabbit import Node


@contextmanager
def guarded() -> Iterator[Servers]:
    """Both as processes of this machine, for as long as the block lasts."""
    mongod = local.install()
    with temporary.own_place() as place:
        at = ports.choose(place, ports.SERVERS, {})
        key, password, host = secrets.token_hex(32), secrets.token_hex(32), f"127.0.0.1:{at['mongo']}"
        write_private(place.folder("secrets") / "mongo", key)
        local.start_mongod(
            place, "mongo", at["mongo"], mongod, "--keyFile", place.folder("secrets") / "mongo"
        )
        node = Node(
            place, "rabbit", "guarded@localhost", at["rabbit"], at["dist"], at["epmd"], at["management"]
        )
        node.start()
        admin_url = f"mongodb://administrator:{password}@{host}/?replicaSet=rs0&authSource=admin"
        ready = {
            "mongo": answers.administered(host, key, admin_url),
            "rabbit": lambda: answers.amqp_broker(node.url),
        }
        servers = Servers("local", admin_url, node.url, node.management_url, ready)
        choice.await_both(place, servers, START_SECONDS)
        yield servers
