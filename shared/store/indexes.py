"""What a service's database holds: its collections and their indexes, made once by `prepare`."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson
from pymongo import IndexModel, timeout
from pymongo.database import Database
from pymongo.errors import CollectionInvalid

from shared.clock import now
from shared.store.client import Document
from shared.store.lock.database import DATA_KEYS, KEY_VAULT

Key = tuple[tuple[str, int], ...]


class NotPrepared(Exception):
    """The database or the broker lacks what this release needs."""


@dataclass(frozen=True)
class Index:
    """An index; every one begins with the practice, except the named few that serve all practices."""

    fields: Key
    unique: bool = False
    partial: Document | None = None
    expire_after: int | None = None
    """Seconds after the time in the field; never on aggregates, whose events would be lost."""

    def model(self) -> IndexModel:
        options: dict[str, Any] = {"unique": self.unique}
        if self.partial is not None:
            options["partialFilterExpression"] = self.partial
        if self.expire_after is not None:
            options["expireAfterSeconds"] = self.expire_after
        return IndexModel(list(self.fields), **options)


def timed(field: str) -> Index:
    """By which a timer finds what is `due` by a field, in every practice."""
    return Index(((field, 1),), partial={field: _SET})


def due(field: str, at: datetime) -> Document:
    """What is due by then; in the form by which MongoDB uses the index (pitfalls.md)."""
    return {field: {**_SET, "$lte": at}}


_SET = {"$type": "date"}


@dataclass(frozen=True)
class Collection:
    name: str
    kind: Literal["aggregates", "records", "created", "plain"]
    indexes: tuple[Index, ...] = field(default=())


def _collection(kind: Any, name: str, indexes: Iterable[Index | Sequence[tuple[str, int]]]) -> Collection:
    return Collection(name, kind, tuple(i if isinstance(i, Index) else Index(tuple(i)) for i in indexes))


def aggregates(name: str, *indexes: Index | Sequence[tuple[str, int]]) -> Collection:
    """Aggregates, with the partial index by which the relay finds what waits."""
    # The partial index is used only for its exact predicate (pitfalls.md, MongoDB).
    due = Index((("due", 1),), partial={"due": {"$exists": True}})
    return _collection("aggregates", name, (due, *indexes))


def records(name: str, *indexes: Index | Sequence[tuple[str, int]]) -> Collection:
    """A read model that handlers `project` and `retract`."""
    return _collection("records", name, indexes)


def created(name: str, *indexes: Index | Sequence[tuple[str, int]]) -> Collection:
    """Documents that handlers `create`."""
    return _collection("created", name, indexes)


def plain(name: str, *indexes: Index | Sequence[tuple[str, int]]) -> Collection:
    """Bookkeeping of the service's own, written by its store."""
    return _collection("plain", name, indexes)


OF_EVERY_SERVICE = (
    plain(
        "parked",
        [("state", 1), ("next_at", 1)],
        [("state", 1), ("_id", 1)],
        [("waits_for", 1)],
        [("practice_id", 1), ("_id", 1)],
    ),
    plain("crashes", [("run", 1)]),
    plain("leases"),
    plain(
        KEY_VAULT,
        # As MongoDB asks of a key vault, so that of many who make a key of one name at once one does.
        Index((("keyAltNames", 1),), unique=True, partial={"keyAltNames": {"$exists": True}}),
        [("masterKey.provider", 1)],
    ),
    plain(DATA_KEYS),
)
_PREPARED = "prepared"
_LONGEST = 24 * 60 * 60
"""Seconds."""


def prepare(database: Database[Document], collections: Sequence[Collection]) -> None:
    """Make every collection and index that is not there; safe to run again and beside others."""
    # An index over much data takes its time; timeout(None) would leave it the connection's own 5 s.
    with timeout(_LONGEST):
        _make(database, collections)


def _make(database: Database[Document], collections: Sequence[Collection]) -> None:
    for collection in (*OF_EVERY_SERVICE, *collections):
        with suppress(CollectionInvalid):  # it is there
            database.create_collection(collection.name)
        if collection.indexes:
            database[collection.name].create_indexes([index.model() for index in collection.indexes])
    digest = {"_id": _digest(collections), "at": now()}
    database[_PREPARED].update_one(
        {"_id": digest["_id"]}, {"$setOnInsert": {"at": digest["at"]}}, upsert=True
    )


def require_prepared(database: Database[Document], collections: Sequence[Collection], service: str) -> None:
    if database[_PREPARED].find_one({"_id": _digest(collections)}) is None:
        raise NotPrepared(
            f"The database {database.name} is not prepared for this release: "
            f"run `python -m services.{service} prepare` first."
        )


def _digest(collections: Sequence[Collection]) -> str:
    everything = [*OF_EVERY_SERVICE, *collections]
    return hashlib.sha256(orjson.dumps(everything, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
