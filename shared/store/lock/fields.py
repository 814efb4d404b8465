"""Fields under lock: they are encrypted for where they belong, and open nowhere else.

Whoever writes to MongoDB could otherwise move a ciphertext to another practice, person, document or field,
and have it shown there. What cannot be opened in its place is refused, counted, and logged by ids; what it
holds is never shown. Nor is what should be encrypted and is not, or is missing.

All fields of one document that are of one class are one ciphertext, `locked_record` or `locked_private`, so
that nobody sees which of them are filled.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from prometheus_client import Counter

from shared.store.lock.keys import DataKeys, Name
from shared.store.lock.vault import CannotOpen

PRIVATE = "private"
"""What its author shares with nobody; its key goes as soon as the client asks to be forgotten."""
RECORD = "record"
"""What belongs to the record, which the practice may have to keep for years."""

log = logging.getLogger(__name__)
REFUSED = Counter(
    "tandem_lock_refused", "Encrypted fields that were not as they were stored, and so were not shown."
)
_SCHEME = 1

Document = dict[str, Any]


class NotAsStored(Exception):
    """Something stored was changed, moved or damaged, and is not shown."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where values belong."""

    key: Name
    collection: str
    id: str

    @property
    def field(self) -> str:
        return f"locked_{self.key.its_class}"

    @property
    def bytes(self) -> bytes:
        key = self.key
        return orjson.dumps([_SCHEME, key.practice_id, key.person_id, self.collection, self.id, self.field])


@dataclass(frozen=True)
class Fields:
    """Those of one collection, each with its class; `whose` is the field that has the person's id."""

    collection: str
    classes: Mapping[str, str]
    whose: str

    def encrypted(self, keys: DataKeys, document: Document, changed: Document) -> Document:
        """`changed`, fields of this document that are to be written, with those under lock encrypted.

        `NotAsStored` where that cannot be, since a key was changed.
        """
        written = {name: value for name, value in changed.items() if name not in self.classes}
        for its_class in {self.classes[name] for name in changed if name in self.classes}:
            place = self._place(document, its_class)
            known = {name: document[name] for name, one in self.classes.items() if one == its_class}
            # Beside what this release knows stays what a newer one wrote.
            values = document.get(place.field, {}) | known
            with _refused(place):
                written[place.field] = keys.encrypt(place.key, place.bytes, values)
        return written

    def decrypted(self, keys: DataKeys, documents: Sequence[Document]) -> list[Document]:
        """All documents with their fields; `NotAsStored` for the first that is not as it was stored."""
        classes = dict.fromkeys(self.classes.values())
        found = [(document, self._place(document, one)) for document in documents for one in classes]
        sealed = [(place.key, place.bytes, document.get(place.field)) for document, place in found]
        try:
            values = keys.decrypt(sealed)
        except CannotOpen:
            # One by one, to say which it is.
            values = [_open(keys, place, one) for (_, place), one in zip(found, sealed, strict=True)]
        opened = {document["_id"]: dict(document) for document in documents}
        for (_, place), fields in zip(found, values, strict=True):
            opened[place.id] |= {**fields, place.field: fields}
        return list(opened.values())

    def _place(self, document: Document, its_class: str) -> _Place:
        key = Name(document["practice_id"], document[self.whose], its_class)
        return _Place(key, self.collection, document["_id"])


def _open(keys: DataKeys, at: _Place, sealed: tuple[Name, bytes, Any]) -> Document:
    with _refused(at):
        return keys.decrypt([sealed])[0]


@contextmanager
def _refused(at: _Place) -> Iterator[None]:
    try:
        yield
    except CannotOpen:
        REFUSED.inc()
        log.error("Encrypted field refused", extra={"key": at.key.id, "id": at.id, "field": at.field})
        raise NotAsStored(
            f"The field {at.field} of {at.id} in {at.collection}, or its key, is not what was stored there."
        ) from None
