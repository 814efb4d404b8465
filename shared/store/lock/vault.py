"""A key for each practice, made at its first use, which never leaves libmongocrypt.

They lie in the collection `key_vault` as MongoDB's client-side encryption has them: named by
practice, encrypted with the master key, which a key management service need not hand out.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from bson.binary import Binary
from pymongo.collection import Collection
from pymongo.encryption import Algorithm, ClientEncryption
from pymongo.errors import AutoReconnect, DuplicateKeyError, EncryptionError, PyMongoError
from pymongocrypt.errors import MongoCryptError

from shared.settings import SettingsRefused
from shared.store.lock.master import Master

CHECK = "check"
"""The name of the key by which a start sees that the master key is the right one."""
_AT_ONCE = 100
_ENCRYPTED = 6
"""The subtype of BSON binary."""
_TOO_MANY, _BROKEN = 429, 500
"""Statuses of HTTP; from the second on all are the service's own trouble."""

log = logging.getLogger(__name__)


class CannotOpen(Exception):
    """A key is not there or is another one, or what was encrypted is no longer what it was."""


class KeyServiceUnusable(AutoReconnect):
    """The key management service does not help just now, which says nothing of what is stored."""


class KeyServiceAway(KeyServiceUnusable):
    """The key management service does not answer."""


class KeyServiceRefuses(KeyServiceUnusable):
    """The key management service does not let us use the master key."""


class Vault:
    """Encrypts with the keys of practices; it does not survive a fork."""

    def __init__(self, keys: Collection[dict[str, Any]], master: Master, remembered: float) -> None:
        self._keys = keys
        self._master = master
        self._remembered = remembered

    @cached_property
    def _encryption(self) -> ClientEncryption[dict[str, Any]]:
        try:
            return ClientEncryption(
                self._master.providers,
                self._keys.full_name,
                self._keys.database.client,
                self._keys.codec_options,
                key_expiration_ms=round(self._remembered * 1_000),
            )
        except (MongoCryptError, ValueError):
            # What they say of credentials may have a part of them.
            raise SettingsRefused(
                "TANDEM_KMS_CREDENTIALS lack something, or have what cannot be read: docs/operations.md "
                "shows what each key management service needs."
            ) from None

    def encrypt(self, practice_id: str, value: dict[str, Any]) -> Binary:
        """With the practice's key, which is made where there is none."""
        try:
            return self._encrypt(practice_id, value)
        except CannotOpen:
            # Nothing tells a missing key from one that cannot be used; there, making it does nothing.
            self._make(practice_id)
            return self._encrypt(practice_id, value)

    def _encrypt(self, name: str, value: dict[str, Any]) -> Binary:
        with _told():
            random = Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random
            return self._encryption.encrypt(value, random, key_alt_name=name)

    def decrypt(self, sealed: Any) -> Any:
        if not (isinstance(sealed, Binary) and sealed.subtype == _ENCRYPTED):
            raise CannotOpen("It is not encrypted.")
        with _told():
            return self._encryption.decrypt(sealed)

    def _make(self, name: str) -> None:
        try:
            with _told():
                self._encryption.create_data_key(
                    self._master.provider, self._master.key, key_alt_names=[name]
                )
        except DuplicateKeyError:
            return  # somebody else made it a moment ago

    def prepare(self) -> None:
        """Make the key by which a start sees that the master key is right; safe to run again."""
        with _refused():
            if self._keys.find_one({"keyAltNames": CHECK}, {"_id": 1}) is None:
                self._make(CHECK)
        self.require()

    def require(self) -> None:
        """Refuse, with a sentence, a master key that is not the one that the keys here lie under."""
        elsewhere = {"masterKey.provider": {"$nin": list(self._master.providers)}}
        with _refused():
            if self._keys.find_one(elsewhere, {"_id": 1}) is not None:
                raise CannotOpen("A key lies under another master key.")
            self._encrypt(CHECK, {})

    def rewrap(self) -> Iterator[int]:
        """Put keys that lie under the former master key under the present one; how many at a time.

        What they encrypted stays as it is and can be read meanwhile. Interrupted, it goes on with the rest.
        """
        while found := [key["_id"] for key in self._keys.find(self._elsewhere, {"_id": 1}).limit(_AT_ONCE)]:
            with _told():
                self._encryption.rewrap_many_data_key(
                    {"_id": {"$in": found}}, self._master.provider, self._master.key
                )
            yield len(found)

    def to_rewrap(self) -> int:
        return self._keys.count_documents(self._elsewhere)

    @property
    def _elsewhere(self) -> dict[str, Any]:
        return {"masterKey.provider": {"$ne": self._master.provider}}


@contextmanager
def _refused() -> Iterator[None]:
    """What keeps a start from its keys, as a sentence."""
    try:
        yield
    except CannotOpen:
        raise SettingsRefused(
            "TANDEM_MASTER_KEY is not the one that the keys in the database lie under, or "
            "TANDEM_KMS_CREDENTIALS cannot be used with it: set the right one, or name it in "
            "TANDEM_FORMER_MASTER_KEY until `keys rewrap` is done."
        ) from None


@contextmanager
def _told() -> Iterator[None]:
    """The server's own errors as they are; of libmongocrypt's, nothing but what kind there was."""
    try:
        yield
    except EncryptionError as error:
        if isinstance(error.cause, PyMongoError):
            raise error.cause from None
        raise _kind(str(error)) from None


def _kind(text: str) -> Exception:
    """Nothing but its text tells a service that is away, one that refuses, and what is broken."""
    answer = re.search(r"HTTP status=(\d+)", text)
    status = int(answer[1]) if answer else 0
    if "network error" in text or status >= _BROKEN or status == _TOO_MANY:
        return KeyServiceAway(
            "The key management service that TANDEM_MASTER_KEY names does not answer: can it be reached?"
        )
    if answer:
        log.error("Key service refused", extra={"status": status})
        return KeyServiceRefuses(
            f"The key management service that TANDEM_MASTER_KEY names answers {status}: is the key there and "
            "enabled, and may TANDEM_KMS_CREDENTIALS encrypt and decrypt with it?"
        )
    return CannotOpen("It cannot be encrypted or decrypted with the keys that are here.")
