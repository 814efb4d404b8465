"""Whether a server answers: the replica set has its primary, the broker takes a connection."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from shared.store.initiate import initiate, lead


def mongo(url: str) -> bool:
    try:
        with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=1000, timeoutMS=2000) as client:
            return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False


def amqp_broker(url: str) -> bool:
    """Whether the broker answers, or one of those that the URL names."""
    return any(map(_one_broker, url.split(";")))


def _one_broker(url: str) -> bool:
    at = urlsplit(url)
    try:
        connection = amqp.Connection(
            host=f"{at.hostname}:{at.port or (5671 if at.scheme == 'amqps' else 5672)}",
            userid=unquote(at.username or "guest"),
            password=unquote(at.password or "guest"),
            virtual_host=unquote(at.path[1:]) or "/",
            ssl=at.scheme == "amqps",
            connect_timeout=1,
            read_timeout=3,
        )
        connection.connect()
        connection.close()
    except (OSError, amqp.AMQPError):
        return False
    return True


def one_node_replica_set(host: str) -> Callable[[], bool]:
    """A check that makes the node at host the only member of rs0, whatever port it had before."""

    def check() -> bool:
        try:
            with MongoClient[dict[str, Any]](
                f"mongodb://{host}", directConnection=True, timeoutMS=2000
            ) as node:
                return lead(node, host, "rs0")
        except PyMongoError:
            return False

    return check


def administered(admin_url: str, key: str) -> Callable[[], bool]:
    """The same for a node that has a key, and an administrator once it leads."""

    def check() -> bool:
        if mongo(admin_url):
            return True
        with suppress(PyMongoError):
            initiate(admin_url, key)
        return mongo(admin_url)

    return check
