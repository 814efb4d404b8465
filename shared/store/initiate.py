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

_ALREADY = 23


def initiate(admin_url: str, key: str) -> None:
    """Make the node that this URL names a set, and the URL's user its administrator."""
    with reading("TANDEM_ADMIN_MONGO_URL"):
        wanted = parse_uri(admin_url)
    host, port = wanted["nodelist"][0]
    set_name = wanted["options"]["replicaSet"]
    system = {"username": "__system", "password": key, "authSource": "local", **OPTIONS}
    with MongoClient[Document](host, port, directConnection=True, **system) as node:
        members = [{"_id": 0, "host": f"{host}:{port}"}]
        try:
            node.admin.command("replSetInitiate", {"_id": set_name, "members": members})
        except OperationFailure as refusal:
            if refusal.code != _ALREADY:
                raise
    with MongoClient[Document](host, port, replicaSet=set_name, **system) as primary:
        put_user(primary.admin, wanted["username"], wanted["password"], [{"role": "root", "db": "admin"}])


if __name__ == "__main__":
    try:
        initiate(text("TANDEM_ADMIN_MONGO_URL"), text("TANDEM_MONGO_KEY"))
    except (SettingsRefused, PyMongoError) as error:
        sys.exit(f"initiate: {error}")
