"""Fields under lock: they are encrypted together with where they belong, and open nowhere else.

Whoever writes to MongoDB could otherwise move a ciphertext to another practice, person, document or field,
and have it shown there. What cannot be opened in its place is refused, counted, and logged by ids; what it
holds is never shown. Nor is what should be encrypted and is not, or is missing.

All fields of one document that are of one class are one ciphertext, `locked_record` or `locked_private`: each
one takes 18 µs to decrypt and 45 to encrypt, since pymongocrypt brings libmongocrypt without AES and lends it
Python's, and so nobody sees which fields are filled.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import Counter

from shared.store.lock.lock import CannotOpen, Lock

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
    """Where values belong; the name of their key has the practice, the person and the class."""

    key: str
    collection: str
    id: str
    field: str

    def envelope(self, values: Any) -> dict[str, Any]:
        return {"s": _SCHEME, "k": self.key, "c": self.collection, "i": self.id, "v": values}

    def opened(self, envelope: Any) -> dict[str, Any]:
        if not isinstance(envelope, dict) or envelope != self.envelope(envelope.get("v")):
            raise CannotOpen("It was encrypted for another place.")
        return dict(envelope["v"])


@dataclass(frozen=True)
class Fields:
    """Those of one collection, each with its class; `whose` is the field that has the person's id."""

    collection: str
    classes: Mapping[str, str]
    whose: str

    def encrypted(self, lock: Lock, document: Document, changed: Document) -> Document:
        """`changed`, fields of this document that are to be written, with those under lock encrypted."""
        written = {name: value for name, value in changed.items() if name not in self.classes}
        for its_class in {self.classes[name] for name in changed if name in self.classes}:
            place = self._place(document, its_class)
            known = {name: document[name] for name, one in self.classes.items() if one == its_class}
            # Beside what this release knows stays what a newer one wrote.
            values = document.get(place.field, {}) | known
            written[place.field] = lock.encrypt(place.key, place.envelope(values))
        return written

    def decrypted(self, lock: Lock, documents: Sequence[Document]) -> list[Document]:
        """All documents with their fields, opened in one go; `NotAsStored` for the first that is not so."""
        classes = dict.fromkeys(self.classes.values())
        found = [(document, self._place(document, one)) for document in documents for one in classes]
        places = [place for _, place in found]
        values = _open_all(lock, places, [document.get(place.field) for document, place in found])
        opened = {document["_id"]: dict(document) for document in documents}
        for place, fields in zip(places, values, strict=True):
            opened[place.id] |= {**fields, place.field: fields}
        return list(opened.values())

    def _place(self, document: Document, its_class: str) -> _Place:
        key = f"{document['practice_id']}/{document[self.whose]}/{its_class}"
        return _Place(key, self.collection, document["_id"], f"locked_{its_class}")


def _open_all(lock: Lock, places: Sequence[_Place], sealed: Sequence[Any]) -> list[Document]:
    try:
        return [at.opened(envelope) for at, envelope in zip(places, lock.decrypt(sealed), strict=True)]
    except CannotOpen:
        # One by one, to say which it is.
        return [_open(lock, at, one) for at, one in zip(places, sealed, strict=True)]


def _open(lock: Lock, at: _Place, sealed: Any) -> Document:
    try:
        return at.opened(lock.decrypt([sealed])[0])
    except CannotOpen:
        REFUSED.inc()
        log.error("Encrypted field refused", extra={"key": at.key, "id": at.id, "field": at.field})
        raise NotAsStored(
            f"The field {at.field} of {at.id} in {at.collection} is not what was stored there."
        ) from None
