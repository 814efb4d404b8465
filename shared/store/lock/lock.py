"""Data keys in the service's own database, and what is encrypted with them.

A key is made at its first use, under a name: "<practice>/<person>/<class>". It lies in the collection `keys`,
itself encrypted with the master key, and is remembered for a minute at most: whoever destroys one knows that
nobody reads what was under it after that.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import bson
from bson.binary import Binary
from bson.codec_options import CodecOptions
from pymongo.collection import Collection
from pymongo.encryption import Algorithm, ClientEncryption
from pymongo.errors import DuplicateKeyError, EncryptionError, PyMongoError
from pymongocrypt.errors import MongoCryptError
from pymongocrypt.synchronous.state_machine import run_state_machine

from shared.settings import SettingsRefused
from shared.store.lock.master import Master

REMEMBERED = 60.0
"""Seconds."""
_CHECK = "check"
"""The name of the key by which a start sees that the master key is the right one."""
_AT_ONCE = 100
_CIPHERTEXT = 6
"""BSON's subtype of binary data."""


class CannotOpen(Exception):
    """A key is not there or is another one, or what was encrypted is no longer what it was."""


class Lock:
    """Encrypts and decrypts with the keys in one collection; it does not survive a fork."""

    def __init__(
        self, keys: Collection[dict[str, Any]], master: Master, remembered: float = REMEMBERED
    ) -> None:
        self._keys = keys
        self._master = master
        self._remembered = remembered

    @cached_property
    def _encryption(self) -> ClientEncryption[dict[str, Any]]:
        return ClientEncryption(
            self._master.providers,
            self._keys.full_name,
            self._keys.database.client,
            self._codec,
            key_expiration_ms=round(self._remembered * 1_000),
        )

    @cached_property
    def _codec(self) -> CodecOptions[dict[str, Any]]:
        return self._keys.codec_options

    def encrypt(self, key: str, value: dict[str, Any]) -> Binary:
        """With the key of this name, which is made where there is none."""
        try:
            return self._encrypt(key, value)
        except CannotOpen:
            # Nothing tells a missing key from one that cannot be used; there, making it does nothing.
            self._make(key)
            return self._encrypt(key, value)

    def _encrypt(self, key: str, value: dict[str, Any]) -> Binary:
        with _told():
            random = Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random
            return self._encryption.encrypt(value, random, key_alt_name=key)

    def _make(self, key: str) -> None:
        try:
            with _told():
                self._encryption.create_data_key(self._master.provider, key_alt_names=[key])
        except DuplicateKeyError:
            return  # somebody else made it a moment ago

    def decrypt(self, sealed: Sequence[Any]) -> list[Any]:
        """All of them in one go, with one look for keys at most; `CannotOpen` where one of them cannot be."""
        # What is no ciphertext would come back as it is.
        if any(getattr(one, "subtype", None) != _CIPHERTEXT for one in sealed):
            raise CannotOpen("It is not encrypted.")
        # pymongo decrypts value by value, a round through Python each; libmongocrypt takes a whole document.
        explicit: Any = self._encryption._encryption
        document = bson.encode({"v": sealed})
        with _told(), explicit.mongocrypt.decryption_context(document) as context:
            plain = run_state_machine(context, explicit.callback)
        return bson.decode(plain, self._codec)["v"]

    def prepare(self) -> None:
        """Make the key by which a start sees that the master key is right; safe to run again."""
        if self._keys.find_one({"keyAltNames": _CHECK}, {"_id": 1}) is None:
            self._make(_CHECK)
        self.require()

    def require(self) -> None:
        """Refuse, with a sentence, a master key that is not the one that the keys here lie under."""
        elsewhere = {"masterKey.provider": {"$nin": list(self._master.providers)}}
        if self._keys.find_one(elsewhere, {"_id": 1}) is not None or not self._fits():
            raise SettingsRefused(
                "TANDEM_MASTER_KEY is not the one that the keys in the database lie under: set that one, or "
                "name it in TANDEM_FORMER_MASTER_KEY until `keys rewrap` is done."
            )

    def _fits(self) -> bool:
        try:
            self._encrypt(_CHECK, {})
        except CannotOpen:
            return False
        return True

    def rewrap(self) -> Iterator[int]:
        """Put keys that lie under the former master key under the present one; how many at a time.

        What they encrypted stays as it is and can be read meanwhile. Interrupted, it goes on with the rest.
        """
        while found := [key["_id"] for key in self._keys.find(self._elsewhere, {"_id": 1}).limit(_AT_ONCE)]:
            with _told():
                self._encryption.rewrap_many_data_key({"_id": {"$in": found}}, self._master.provider)
            yield len(found)

    def to_rewrap(self) -> int:
        return self._keys.count_documents(self._elsewhere)

    @property
    def _elsewhere(self) -> dict[str, Any]:
        return {"masterKey.provider": {"$ne": self._master.provider}}


@contextmanager
def _told() -> Iterator[None]:
    """The server's own errors as they are; of libmongocrypt's, nothing but that there was one."""
    try:
        yield
    except (EncryptionError, MongoCryptError) as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, PyMongoError):
            raise cause from None
        raise CannotOpen("It cannot be encrypted or decrypted with the keys that are here.") from None
