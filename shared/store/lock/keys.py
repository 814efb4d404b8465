"""Data keys: two for each person, one for each class, and what is encrypted with them.

A key is made at its first use. It lies in the collection `data_keys`, encrypted with its practice's key, and
is remembered for half a minute: whoever destroys one, or its practice's, knows that nobody reads what was
under it a minute later.

What is encrypted is AES-256-GCM (NIST SP 800-38D) with random nonces, good for 2³² values a key, and opens
only with the place that it was encrypted for. libmongocrypt would take 42 µs for what takes 3 here, more with
each key it remembers, since it looks through all of them (ADR 0011).
"""

import os
import threading
from collections.abc import Collection as Some
from dataclasses import dataclass
from typing import Any

import bson
from cachetools import TTLCache
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from shared.store.lock.vault import CannotOpen, Vault

_VERSION = b"\x01"
_NONCE = 12
_MOST = 10_000
"""Keys remembered."""


@dataclass(frozen=True, slots=True)
class Name:
    """Whose key, and of which class."""

    practice_id: str
    person_id: str
    its_class: str

    @property
    def id(self) -> str:
        return f"{self.practice_id}/{self.person_id}/{self.its_class}"


class DataKeys:
    """The data keys in one collection; safe to use by many threads."""

    def __init__(self, collection: Collection[dict[str, Any]], vault: Vault, remembered: float) -> None:
        # A key that a failover takes back would take with it what others encrypt with it meanwhile.
        self._collection = collection.with_options(read_concern=ReadConcern("majority"))
        self._vault = vault
        self._known: TTLCache[Name, AESGCM] = TTLCache(_MOST, remembered)
        self._lock = threading.Lock()

    def encrypt(self, name: Name, place: bytes, values: dict[str, Any]) -> bytes:
        """With the key of this name, which is made where there is none."""
        key = self._find([name]).get(name) or self._make(name)
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + key.encrypt(nonce, bson.encode(values), place)

    def decrypt(self, sealed: Some[tuple[Name, bytes, Any]]) -> list[dict[str, Any]]:
        """Each with its key and the place that it was encrypted for, looking for keys once at most.

        `CannotOpen` where one cannot be.
        """
        keys = self._find({name for name, _, _ in sealed})
        return [self._decrypt(keys.get(name), place, one) for name, place, one in sealed]

    def _decrypt(self, key: AESGCM | None, place: bytes, sealed: Any) -> dict[str, Any]:
        if key is None or not isinstance(sealed, bytes) or sealed[:1] != _VERSION:
            raise CannotOpen("It is not encrypted, or its key is not there.")
        try:
            plain = key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], place)
        except (InvalidTag, ValueError):
            raise CannotOpen(
                "It was changed, or was encrypted for another place or with another key."
            ) from None
        return bson.decode(plain, self._collection.codec_options)

    def _find(self, names: Some[Name]) -> dict[Name, AESGCM]:
        with self._lock:
            known = {name: self._known[name] for name in names if name in self._known}
        missing = {name.id: name for name in names if name not in known}
        if not missing:
            return known
        practices = sorted({name.practice_id for name in missing.values()})
        where = {"_id": {"$in": sorted(missing)}, "practice_id": {"$in": practices}}
        found = {missing[one["_id"]]: self._opened(one) for one in self._collection.find(where)}
        with self._lock:
            self._known.update(found)
        return known | found

    def _opened(self, stored: dict[str, Any]) -> AESGCM:
        inside = self._vault.decrypt(stored.get("key"))
        # A key moved to another name is somebody else's.
        if not isinstance(inside, dict) or inside.get("name") != stored["_id"]:
            raise CannotOpen("A data key is not as it was stored.")
        return AESGCM(inside["key"])

    def _make(self, name: Name) -> AESGCM:
        sealed = self._vault.encrypt(name.practice_id, {"name": name.id, "key": AESGCM.generate_key(256)})
        where = {"_id": name.id, "practice_id": name.practice_id}
        try:
            self._collection.update_one(where, {"$setOnInsert": {"key": sealed}}, upsert=True)
        except DuplicateKeyError:
            # Somebody else made it a moment ago: found now, and waited for until a majority has it.
            self._collection.update_one(where, {"$setOnInsert": {"key": sealed}}, upsert=True)
        return self._find([name])[name]
