"""A service's own database, with the lock for what people write there."""

from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from shared.store.lock.lock import Lock
from shared.store.lock.master import Master

KEYS = "keys"


class OwnDatabase(Database[dict[str, Any]]):
    def __init__(self, client: MongoClient[dict[str, Any]], name: str, master: Master) -> None:
        super().__init__(client, name)
        self.lock = Lock(self[KEYS], master)


def lock_of(collection: Collection[dict[str, Any]]) -> Lock:
    """The lock of the database that this collection is in."""
    database = collection.database
    if not isinstance(database, OwnDatabase):
        raise TypeError(f"{collection.full_name} was not opened with the lock of its database.")
    return database.lock
