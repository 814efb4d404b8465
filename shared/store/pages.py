"""A page of a list: a filter, an order that never changes for a document, and the last id seen."""

from typing import Any

from pymongo.collection import Collection

from shared.store.client import Document

HIDDEN = {"outbox": 0}
"""The outbox is the store's own; no reader ever sees it."""


def page(
    collection: Collection[Document],
    where: Document,
    limit: int,
    after: str | None = None,
    order: str = "_id",
    among: Document | None = None,
) -> list[Document]:
    """At most `limit` documents that match, in `order` ("-at" is newest first), ties by id.

    `after` is the id of the last one seen: in the order of ids a place by itself, in another the place that
    it has in the list `among`, and an empty page where it is not there. `among` is the part of `where` that
    never changes for a document, where that is not all of it: the list goes on behind one that has left it.
    """
    direction = -1 if order.startswith("-") else 1
    key = order.removeprefix("-")
    if after is not None:
        beyond = _beyond(collection, among or where, after, key, "$gt" if direction == 1 else "$lt")
        if beyond is None:
            return []
        where = {"$and": [where, beyond]}
    by = [(key, direction)] if key == "_id" else [(key, direction), ("_id", direction)]
    return list(collection.find(where, HIDDEN).sort(by).limit(limit))


def _beyond(
    collection: Collection[Document], among: Document, after: str, key: str, operator: str
) -> dict[str, Any] | None:
    """What comes after it; None where nobody knows its place."""
    further = {"_id": {operator: after}}
    if key == "_id":
        return further
    anchor = collection.find_one({**among, "_id": after}, {key: 1})
    if anchor is None:
        return None
    value = anchor[key]
    return {"$or": [{key: {operator: value}}, {key: value, **further}]}
