"""Reading a read model: records that `project` wrote, one register a field."""

from collections.abc import Collection as Some
from typing import Any

from pymongo.collection import Collection

from shared.store.client import Document


class Records:
    """The records of one collection; one whose identifying field is null counts as absent."""

    def __init__(self, collection: Collection[Document], identified_by: str) -> None:
        self._collection = collection
        self._identified_by = identified_by

    def get(self, practice_id: str, id: str) -> dict[str, Any] | None:
        found = self._collection.find_one({"_id": id, "practice_id": practice_id})
        return None if found is None else self._values(found)

    def find(self, practice_id: str, **equals: Any) -> list[dict[str, Any]]:
        where = {f"f.{name}.v": value for name, value in equals.items()}
        found = self._collection.find({"practice_id": practice_id, **where})
        return [values for document in found if (values := self._values(document))]

    def among(self, practice_id: str, ids: Some[str]) -> dict[str, dict[str, Any]]:
        """Those of these ids that are there, by id."""
        found = self._collection.find({"practice_id": practice_id, "_id": {"$in": list(ids)}})
        return {values["id"]: values for document in found if (values := self._values(document))}

    def _values(self, document: Document) -> dict[str, Any] | None:
        values = {name: register["v"] for name, register in document.get("f", {}).items()}
        if values.get(self._identified_by) is None:
            return None
        return {"id": document["_id"], **values}


def present(collection: Collection[Document], keys: Some[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (practice, id) have a document, were it only a tombstone."""
    practices, ids = {practice_id for practice_id, _ in keys}, {id for _, id in keys}
    where = {"practice_id": {"$in": list(practices)}, "_id": {"$in": list(ids)}}
    return {(found["practice_id"], found["_id"]) for found in collection.find(where, {"practice_id": 1})}
