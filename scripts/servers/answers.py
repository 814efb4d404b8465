"""Whether a server answers: the replica set has its primary, the broker takes a connection."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from shared.store.initiate import initiate

NOT_YET_INITIALIZED, INVALID_CONFIG = 94, 93


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


def one_node_replica_set(host: str, system: str = "") -> Callable[[], bool]:
    """A check that makes the node at host the only member of rs0, whatever port it had before.

    `system` is how to sign in to a node that asks for it, before `@` in its URL.
    """

    def check() -> bool:
        try:
            with MongoClient[dict[str, Any]](
                f"mongodb://{system}{host}/local", directConnection=True, timeoutMS=2000
            ) as client:
                return _lead(client, host)
        except PyMongoError:
            return False

    return check


def administered(host: str, key: str, admin_url: str) -> Callable[[], bool]:
    """The same for a node that has a key, and an administrator once it leads."""
    leads = one_node_replica_set(host, f"__system:{key}@")

    def check() -> bool:
        if not mongo(admin_url) and leads():
            initiate(admin_url, key)
        return mongo(admin_url)

    return check


def _lead(client: MongoClient[dict[str, Any]], host: str) -> bool:
    hello = client.admin.command("hello")
    if hello.get("isWritablePrimary"):
        return bool(hello.get("me") == host)
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as refusal:
        if refusal.code == NOT_YET_INITIALIZED:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": host}]})
        elif refusal.code == INVALID_CONFIG:
            # The port has changed since the set was made, so that the node does not find itself in it.
            config = client.local["system.replset"].find_one({}) or {}
            config["version"] += 1
            config["members"] = [{"_id": 0, "host": host}]
            client.admin.command("replSetReconfig", config, force=True)
    return False
