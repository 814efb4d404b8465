"""Aggregates: one document each, with the events it still has to say inside it.

An event is recorded if and only if the change that caused it is committed, because both are one
atomic write. Rules kept here and nowhere else:

- every read and write names the practice;
- a save matches {_id, practice_id, version} or does nothing;
- a document is never replaced, which would lose events that wait in its outbox, and what a newer
  release wrote beside what this one knows.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from pymongo import timeout
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from shared.clock import now
from shared.correlation import causation_id, correlation_id, traceparent
from shared.ids import new_id
from shared.store.client import Document
from shared.store.codec import from_document, from_part, to_document
from shared.store.lock.database import keys_of
from shared.store.lock.fields import Fields
from shared.store.pages import HIDDEN, page

OUTBOX_LIMIT = 1_000
"""A document of 1,000 pending events costs 1.6 ms a save, one of 20,000 costs 23 ms (architecture.md)."""
_LONGEST = 24 * 60 * 60
"""Seconds."""


class StaleVersion(Exception):
    """Somebody changed it in the meantime."""


class KeyReused(Exception):
    """This Idempotency-Key came with another body before."""


class OutboxFull(Exception):
    """Too many of its events still wait to be told."""


class Aggregate(Protocol):
    """What a domain class has besides its state."""

    id: str
    practice_id: str
    version: int
    events: list[Any]


T = TypeVar("T", bound=Aggregate)
_OWN = frozenset({"_id", "id", "practice_id", "version", "eseq", "events", "outbox", "due", "fingerprint"})


class Aggregates(Generic[T]):
    """The aggregates of one class, in one collection.

    `encrypted` names the fields that are under lock, each with the class of its key, RECORD or PRIVATE, and
    `whose` the field with the id of the person whose keys they are.
    """

    def __init__(
        self,
        collection: Collection[Document],
        of: type[T],
        missing: type[Exception],
        encrypted: Mapping[str, str] | None = None,
        whose: str = "_id",
    ) -> None:
        self.collection = collection
        self._of = of
        self._missing = missing
        self._locked = Fields(collection.name, encrypted, whose) if encrypted else None

    def find(self, practice_id: str, id: str) -> T | None:
        return self.find_by(practice_id, _id=id)

    def find_by(self, practice_id: str, **equals: Any) -> T | None:
        document = self._document(practice_id, **equals)
        return None if document is None else self._load(document)

    def look(self, practice_id: str, id: str) -> T | None:
        """As `find`, without what is under lock: for deciding who may see it, at the same cost for all."""
        return self.look_by(practice_id, _id=id)

    def look_by(self, practice_id: str, **equals: Any) -> T | None:
        document = self._document(practice_id, **equals)
        if document is None or self._locked is None:
            return None if document is None else self._load(document)
        seen = from_part(_fields(document), self._of, self._locked.classes)
        vars(seen)["_unopened"] = document
        return seen

    def open(self, seen: T) -> T:
        """The whole of what `look` found."""
        return self._load(vars(seen)["_unopened"]) if "_unopened" in vars(seen) else seen

    def _document(self, practice_id: str, **equals: Any) -> Document | None:
        return self.collection.find_one({"practice_id": practice_id, **equals}, HIDDEN)

    def get(self, practice_id: str, id: str) -> T:
        found = self.find(practice_id, id)
        if found is None:
            raise self._missing(f"There is no {self._of.__name__.lower()} {id} here.")
        return found

    def list(
        self, practice_id: str, where: Document, limit: int, after: str | None = None, order: str = "_id"
    ) -> "list[T]":
        found = page(self.collection, {"practice_id": practice_id, **where}, limit, after, order)
        return [*self._load_all(found)]

    def add(self, aggregate: T, fingerprint: str | None = None) -> tuple[T, bool]:
        """Store a new one, or find the one that the same request made before: (aggregate, made now)."""
        document = self._state(aggregate) | {
            "_id": aggregate.id,
            "practice_id": aggregate.practice_id,
            "version": 1,
            "eseq": len(aggregate.events),
        }
        if fingerprint is not None:
            document["fingerprint"] = fingerprint
        if aggregate.events:
            at = now()
            document |= {"outbox": _records(aggregate.events, 0, at), "due": at}
        try:
            self.collection.insert_one(self._written(document, document))
        except DuplicateKeyError:
            before = self.repeated(aggregate.practice_id, aggregate.id, fingerprint)
            if before is None:
                raise
            return before, False
        return self._stored(aggregate, document), True

    def repeated(self, practice_id: str, id: str, fingerprint: str | None) -> T | None:
        """What an earlier request with this id made; raises `KeyReused` where its body was another."""
        document = self.collection.find_one({"_id": id, "practice_id": practice_id}, HIDDEN)
        if document is None:
            return None
        if document.get("fingerprint") != fingerprint:
            raise KeyReused("Send a new Idempotency-Key with a new body, or the same body again.")
        return self._load(document)

    def all_keys(self) -> Iterator[tuple[str, str]]:
        """(practice_id, id) of every one of every practice, for what an operator does to all."""
        # The server forgets a cursor that nobody asks for ten minutes; a full batch would last longer.
        for document in self.collection.find({}, {"practice_id": 1}).sort("_id", 1).batch_size(1_000):
            yield document["practice_id"], document["_id"]

    def save(self, aggregate: T, to: str | None = None) -> T:
        """Write what changed since it was loaded, and the events it says, in one atomic update.

        Its events go to every subscriber, or only to the service that `to` names.
        """
        before: Document = vars(aggregate)["_before"]
        state = self._state(aggregate)
        changed = {name: value for name, value in state.items() if before.get(name) != value}
        events = aggregate.events
        if not (changed or events):
            return aggregate
        where: Document = {
            "_id": aggregate.id,
            "practice_id": aggregate.practice_id,
            "version": aggregate.version,
        }
        update: Document = {"$inc": {"version": 1, "eseq": len(events)}}
        if changed:
            update["$set"] = self._written(before | state, changed)
        if events:
            at = now()
            # Nothing was pending where nothing was due, and whoever said something since changed the version.
            if "due" in before:
                where[f"outbox.{OUTBOX_LIMIT - 1}"] = {"$exists": False}
            update["$push"] = {"outbox": {"$each": _records(events, before["eseq"], at, to)}}
            update["$min"] = {"due": at}
            before = before | {"due": at}
        if self.collection.update_one(where, update).matched_count == 0:
            self._refuse(where)
        written = before | state | {"eseq": before["eseq"] + len(events), "version": aggregate.version + 1}
        return self._stored(aggregate, written)

    def _refuse(self, where: Document) -> None:
        key = {name: where[name] for name in ("_id", "practice_id", "version")}
        if self.collection.count_documents(key, limit=1):
            raise OutboxFull("Its earlier events have not been told yet; try again in a moment.")
        raise StaleVersion("Load it again, look at what changed, and repeat the request with its new ETag.")

    def _state(self, aggregate: T) -> Document:
        document = to_document(aggregate)
        return {name: value for name, value in document.items() if name not in _OWN}

    def _written(self, document: Document, changed: Document) -> Document:
        """What of this document has changed, as MongoDB is to have it."""
        if self._locked is None:
            return changed
        return self._locked.encrypted(keys_of(self.collection), document, changed)

    def _load(self, document: Document) -> T:
        (loaded,) = self._load_all([document])
        return loaded

    def _load_all(self, documents: Sequence[Document]) -> Sequence[T]:
        if self._locked is not None:
            documents = self._locked.decrypted(keys_of(self.collection), documents)
        return [self._as_aggregate(document) for document in documents]

    def _as_aggregate(self, document: Document) -> T:
        return self._stored(from_document(_fields(document), self._of), document)

    def _stored(self, aggregate: T, document: Document) -> T:
        aggregate.version = document["version"]
        aggregate.events = []
        # Kept beside the fields of the dataclass, so that save can tell what changed.
        vars(aggregate)["_before"] = document
        return aggregate


def advance(collection: Collection[Document], by: int) -> int:
    """Leave out so many places in every sequence; how many there are.

    Who is changing one meanwhile finds its version changed.
    """
    with timeout(_LONGEST):
        return collection.update_many({}, {"$inc": {"eseq": by, "version": 1}}).modified_count


_IDENTITY = {"id": "_id", "practice_id": "practice_id", "version": "version"}


def _fields(document: Document) -> Document:
    fields = {name: value for name, value in document.items() if name not in _OWN}
    return fields | {key: document[name] for key, name in _IDENTITY.items()}


def _records(events: list[Any], last: int, at: datetime, to: str | None = None) -> list[Document]:
    """Outbox records: each event with its place in the aggregate's own sequence."""
    only = {} if to is None else {"to": to}
    return [
        only
        | {
            "id": new_id(),
            "type": event.type,
            "time": at,
            "sequence": last + number,
            "data": to_document(event),
            "correlationid": correlation_id(),
            "causationid": causation_id(),
            "traceparent": traceparent(),
        }
        for number, event in enumerate(events, start=1)
    ]
