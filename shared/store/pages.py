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
) -> list[Document]:
    """At most `limit` documents that match, in `order` ("-at" is newest first), ties by id.

    `after` is the id of the last one seen; one that is not in the list gives an empty page.
    """
    direction = -1 if order.startswith("-") else 1
    key = order.removeprefix("-")
    if after is not None:
        anchor = collection.find_one({**where, "_id": after}, {key: 1})
        if anchor is None:
            return []
        where = {"$and": [where, _beyond(key, anchor, ">" if direction == 1 else "<")]}
    by = [(key, direction)] if key == "_id" else [(key, direction), ("_id", direction)]
    return list(collection.find(where, HIDDEN).sort(by).limit(limit))


def _beyond(key: str, anchor: Document, side: str) -> dict[str, Any]:
    operator = "$gt" if side == ">" else "$lt"
    if key == "_id":
        return {"_id": {operator: anchor["_id"]}}
    value = anchor[key]
    return {"$or": [{key: {operator: value}}, {key: value, "_id": {operator: anchor["_id"]}}]}
