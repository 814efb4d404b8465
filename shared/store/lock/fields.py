"""Fields under lock: each value is encrypted together with where it belongs, and opens nowhere else.

Whoever writes to MongoDB could otherwise move a ciphertext to another practice, person, document or field,
and have it shown there. What cannot be opened in its place is refused, counted, and logged by ids; what it
holds is never shown. Where there is nothing (null), nothing is encrypted.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
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


class NotAsStored(Exception):
    """Something stored was changed, moved or damaged, and is not shown."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value belongs; the name of its key has the practice, the person and the class."""

    key: str
    collection: str
    id: str
    field: str

    def envelope(self, value: Any) -> dict[str, Any]:
        return {"s": _SCHEME, "k": self.key, "c": self.collection, "i": self.id, "f": self.field, "v": value}

    def opened(self, envelope: Any) -> Any:
        if not isinstance(envelope, dict) or envelope != self.envelope(envelope.get("v")):
            raise CannotOpen("It was encrypted for another place.")
        return envelope["v"]


@dataclass(frozen=True)
class Fields:
    """Those of one collection, each with its class; `whose` is the field that has the person's id."""

    collection: str
    classes: Mapping[str, str]
    whose: str

    def encrypted(
        self, lock: Lock, document: Mapping[str, Any], changed: Mapping[str, Any]
    ) -> dict[str, Any]:
        """`changed`, fields of this document that are to be written, with those under lock encrypted."""
        places = self._places(document, changed)
        sealed = {at.field: lock.encrypt(at.key, at.envelope(changed[at.field])) for at in places}
        return {**changed, **sealed}

    def decrypted(self, lock: Lock, documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """All documents as they were written, in one go; `NotAsStored` for the first that is not."""
        opened = [dict(document) for document in documents]
        found = [(document, at) for document in opened for at in self._places(document, document)]
        if found:
            values = _open_all(lock, [at for _, at in found], [document[at.field] for document, at in found])
            for (document, at), value in zip(found, values, strict=True):
                document[at.field] = value
        return opened

    def _places(self, document: Mapping[str, Any], within: Mapping[str, Any]) -> Iterator[_Place]:
        """Of those under lock that have a value there."""
        owner = f"{document['practice_id']}/{document[self.whose]}"
        for name, its_class in self.classes.items():
            if within.get(name) is not None:
                yield _Place(f"{owner}/{its_class}", self.collection, document["_id"], name)


def _open_all(lock: Lock, places: Sequence[_Place], sealed: Sequence[Any]) -> list[Any]:
    try:
        return [at.opened(envelope) for at, envelope in zip(places, lock.decrypt(sealed), strict=True)]
    except CannotOpen:
        # One by one, to say which it is.
        return [_open(lock, at, one) for at, one in zip(places, sealed, strict=True)]


def _open(lock: Lock, at: _Place, sealed: Any) -> Any:
    try:
        return at.opened(lock.decrypt([sealed])[0])
    except CannotOpen:
        REFUSED.inc()
        log.error("Encrypted field refused", extra={"key": at.key, "id": at.id, "field": at.field})
        raise NotAsStored(
            f"The field {at.field} of {at.id} in {at.collection} is not what was stored there."
        ) from None
