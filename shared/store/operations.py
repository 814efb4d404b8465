"""What a handler may do to MongoDB: three operations that repeats and disorder cannot harm.

- `create` writes once: later ones with the same id change nothing.
- `project` makes each field a last-writer-wins register {s: sequence, v: value}. Embedded documents
  compare field by field, so `$max` lets the higher sequence win and partial events commute.
- `retract` sets every register to null at its sequence, and leaves a tombstone `t`.

A collection is written by `create` or by the other two, never both: create after project would lose
create's fields.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pymongo import InsertOne, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from shared.store.client import Document

_DUPLICATE = 11000
_RACES = 5
"""A race is over after one repeat."""


@dataclass(frozen=True, slots=True)
class Operation:
    kind: Literal["create", "project", "retract"]
    collection: str
    id: str
    fields: dict[str, Any]


def create(collection: str, id: str, fields: dict[str, Any]) -> Operation:
    """Write the document unless one with this id is there; derive the id from the event."""
    return Operation("create", collection, id, fields)


def project(collection: str, id: str, fields: dict[str, Any]) -> Operation:
    """Set these fields, each unless an event with a higher sequence has set it already."""
    return Operation("project", collection, id, fields)


def retract(collection: str, id: str, fields: Iterable[str]) -> Operation:
    """Empty these fields, which are all that the record has, unless set by a later event."""
    return Operation("retract", collection, id, dict.fromkeys(fields))


Item = tuple[Operation, str, int]
"""An operation with the practice and the sequence of the event that asked for it."""


def write(database: Database[Document], items: Sequence[Item]) -> dict[int, str]:
    """Carry out all of them, one unordered bulk write a collection; what failed, by index, and why.

    An upsert that raced another on the same _id is run again, never ignored. Raises pymongo's error
    while the server is away or cannot promise the write: then run all of them again.
    """
    by_collection: dict[str, list[int]] = {}
    for index, (operation, _, _) in enumerate(items):
        by_collection.setdefault(operation.collection, []).append(index)
    failed: dict[int, str] = {}
    for name, indexes in by_collection.items():
        failed |= _write_one(database, name, indexes, items)
    return failed


def write_absent(collection: Collection[Document], ids: Iterable[str], fields: Document) -> None:
    """Write a document with these fields for each id that has none; the others stay as they are."""
    once = [UpdateOne({"_id": id}, {"$setOnInsert": fields}, upsert=True) for id in ids]
    collection.bulk_write(once, ordered=False)


def _write_one(
    database: Database[Document], name: str, indexes: list[int], items: Sequence[Item]
) -> dict[int, str]:
    failed: dict[int, str] = {}
    for _ in range(_RACES):
        try:
            database[name].bulk_write([_compiled(items[index]) for index in indexes], ordered=False)
            return failed
        except BulkWriteError as error:
            details = error.details or {}
            if details.get("writeConcernErrors"):
                raise
            taken = []
            for one in details.get("writeErrors", []):
                if one["code"] == _DUPLICATE and set(one.get("keyPattern", {})) == {"_id"}:
                    taken.append(indexes[one["index"]])
                else:
                    failed[indexes[one["index"]]] = f"MongoDB refused the write with code {one['code']}"
            foreign = _foreign(database, name, taken, items)
            failed |= dict.fromkeys(foreign, "Its id belongs to another practice")
            # What is to be created and is there already is all that create promises.
            indexes = [at for at in taken if at not in foreign and items[at][0].kind != "create"]
        if not indexes:
            return failed
    return failed | dict.fromkeys(indexes, "MongoDB refused the write again and again")


def _foreign(database: Database[Document], name: str, taken: list[int], items: Sequence[Item]) -> set[int]:
    """Those whose id another practice has."""
    if not taken:
        return set()
    ids = [items[at][0].id for at in taken]
    found = {
        one["_id"]: one["practice_id"]
        for one in database[name].find({"_id": {"$in": ids}}, {"practice_id": 1})
    }
    return {at for at in taken if found.get(items[at][0].id, items[at][1]) != items[at][1]}


def _compiled(item: Item) -> UpdateOne | InsertOne[Document]:
    operation, practice_id, sequence = item
    key = {"_id": operation.id, "practice_id": practice_id}
    if operation.kind == "create":
        # Not an upsert with $setOnInsert: 4,600 a second against 22,900.
        return InsertOne({**operation.fields, **key})
    registers: Document = {
        f"f.{name}": {"s": sequence, "v": value} for name, value in operation.fields.items()
    }
    if operation.kind == "retract":
        registers["t"] = sequence
    return UpdateOne(key, {"$max": registers}, upsert=True)
