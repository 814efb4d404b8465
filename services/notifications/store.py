"""Inboxes in MongoDB."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notifications.domain import sentence
from shared.security import access
from shared.store.indexes import Index, created, records
from shared.store.pages import page
from shared.store.records import Records

# What is read leaves the index, so that counting stays cheap.
_UNREAD = Index((("practice_id", 1), ("person_id", 1)), partial={"read_at": None})
COLLECTIONS = (
    created("notifications", [("practice_id", 1), ("person_id", 1), ("at", -1), ("_id", -1)], _UNREAD),
    records("people"),
    records("contacts"),
    *access.COLLECTIONS,
)


@dataclass
class Entry:
    """Whose entry it is, which is all that deciding on a request needs."""

    id: str
    person_id: str


@dataclass
class Notification:
    """One entry of an inbox, as its owner reads it."""

    id: str
    kind: str
    text: str
    about_id: str
    at: datetime
    read_at: datetime | None


class Inbox:
    """What people were told; an entry is made by a handler and only ever marked as read here."""

    def __init__(self, database: Any) -> None:
        self._entries = database["notifications"]
        self._people = Records(database["people"], "display_name")

    def look(self, practice_id: str, id: str) -> Entry | None:
        found = self._entries.find_one({"_id": id, "practice_id": practice_id}, {"person_id": 1})
        return None if found is None else Entry(id, found["person_id"])

    def open(self, seen: Entry) -> Entry:
        return seen

    def of_person(
        self, practice_id: str, person_id: str, limit: int, after: str | None
    ) -> list[Notification]:
        """Newest first."""
        where = {"practice_id": practice_id, "person_id": person_id}
        return self._worded(practice_id, page(self._entries, where, limit, after, order="-at"))

    def unread(self, practice_id: str, person_id: str) -> int:
        where = {"practice_id": practice_id, "person_id": person_id, "read_at": None}
        return self._entries.count_documents(where)

    def mark_read(self, practice_id: str, id: str, at: datetime) -> Notification:
        """The first time counts."""
        key = {"_id": id, "practice_id": practice_id}
        self._entries.update_one({**key, "read_at": None}, {"$set": {"read_at": at}})
        return self._worded(practice_id, [self._entries.find_one(key)])[0]

    def _worded(self, practice_id: str, entries: list[dict[str, Any]]) -> list[Notification]:
        people = self._people.among(practice_id, {entry["by"] for entry in entries})
        return [
            Notification(
                entry["_id"],
                entry["kind"],
                sentence(entry["kind"], people.get(entry["by"], {}).get("display_name")),
                entry["about_id"],
                entry["at"],
                entry["read_at"],
            )
            for entry in entries
        ]
