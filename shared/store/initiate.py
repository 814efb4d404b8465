"""A trial's own MongoDB, made usable: `python -m shared.store.initiate`; safe to run again.

Its one node becomes a replica set, as change streams need one, with the administrator that
TANDEM_ADMIN_MONGO_URL names. Before there is a user, only who knows the set's key may come in, as `__system`.
"""

import sys

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from shared.settings import SettingsRefused, text
from shared.store.client import OPTIONS, Document, reading
from shared.store.users import put_user

_NOT_YET_INITIALIZED, _INVALID_CONFIG = 94, 93


def initiate(admin_url: str, key: str) -> None:
    """Make the node that this URL names a set, and the URL's user its administrator."""
    with reading("TANDEM_ADMIN_MONGO_URL"):
        wanted = parse_uri(admin_url)
    host, port = wanted["nodelist"][0]
    set_name = wanted["options"].get("replicaSet")
    if not (set_name and wanted["username"] and wanted["password"]):
        raise SettingsRefused(
            "TANDEM_ADMIN_MONGO_URL lacks a user, a password or replicaSet: name all three."
        )
    system = {"username": "__system", "password": key, "authSource": "local", **OPTIONS}
    with MongoClient[Document](host, port, directConnection=True, **system) as node:
        lead(node, f"{host}:{port}", set_name)
    with MongoClient[Document](host, port, replicaSet=set_name, **system) as primary:
        put_user(primary.admin, wanted["username"], wanted["password"], [{"role": "root", "db": "admin"}])


def lead(node: MongoClient[Document], host: str, set_name: str) -> bool:
    """Make this node the only member of its set, whatever port it had before; whether it leads."""
    hello = node.admin.command("hello")
    if hello.get("isWritablePrimary"):
        return bool(hello.get("me") == host)
    try:
        node.admin.command("replSetGetStatus")
    except OperationFailure as refusal:
        if refusal.code == _NOT_YET_INITIALIZED:
            node.admin.command("replSetInitiate", {"_id": set_name, "members": [{"_id": 0, "host": host}]})
        elif refusal.code == _INVALID_CONFIG:
            # The port has changed since the set was made, so that the node does not find itself in it.
            known = node.admin.command("replSetGetConfig")["config"]
            config = known | {"version": known["version"] + 1, "members": [{"_id": 0, "host": host}]}
            node.admin.command("replSetReconfig", config, force=True)
    return False


if __name__ == "__main__":
    try:
        initiate(text("TANDEM_ADMIN_MONGO_URL"), text("TANDEM_MONGO_KEY"))
    except (SettingsRefused, PyMongoError) as error:
        sys.exit(f"initiate: {error}")
