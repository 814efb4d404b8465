"""A service's own database, with the lock for what people write there."""

from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from shared.store.lock.keys import DataKeys
from shared.store.lock.master import Master
from shared.store.lock.vault import Vault

KEY_VAULT, DATA_KEYS = "key_vault", "data_keys"
REMEMBERED = 30.0
"""Seconds for which a key of either kind is remembered: a practice's that is destroyed opens data keys for so
long, and these what is under them for as long again."""


class OwnDatabase(Database[dict[str, Any]]):
    def __init__(
        self, client: MongoClient[dict[str, Any]], name: str, master: Master, remembered: float = REMEMBERED
    ) -> None:
        super().__init__(client, name)
        self.vault = Vault(self[KEY_VAULT], master, remembered)
        self.data_keys = DataKeys(self[DATA_KEYS], self.vault, remembered)


def keys_of(collection: Collection[dict[str, Any]]) -> DataKeys:
    """The data keys of the database that this collection is in."""
    database = collection.database
    if not isinstance(database, OwnDatabase):
        raise TypeError(f"{collection.full_name} was not opened with the lock of its database.")
    return database.data_keys
