"""Episodes of care."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from pymongo.database import Database

from services.practices.domain.episodes import Episode, EpisodeNotFound, EpisodeStatus
from shared.store.aggregates import Aggregates
from shared.store.client import Document
from shared.store.indexes import Index, aggregates
from shared.store.pages import HIDDEN

_SET = {"$type": "date"}

COLLECTIONS = (
    aggregates(
        "episodes",
        [("practice_id", 1), ("client_id", 1), ("_id", 1)],
        [("practice_id", 1), ("clinician_id", 1), ("client_id", 1)],
        # A timer's, of all practices.
        Index((("call_off_at", 1),), partial={"call_off_at": _SET}),
    ),
)


OPEN: Document = {"status": {"$ne": "closed"}}
CURRENT: Document = {"status": {"$in": [EpisodeStatus.ACTIVE]}}


class Episodes(Aggregates[Episode]):
    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["episodes"], Episode, EpisodeNotFound)

    def of_client(self, practice_id: str, client_id: str, limit: int, after: str | None) -> list[Episode]:
        return self.list(practice_id, {"client_id": client_id}, limit, after)

    def any_of(self, practice_id: str, client_id: str) -> bool:
        return self.find_by(practice_id, client_id=client_id) is not None

    def current(self, practice_id: str, clinician_id: str, client_id: str) -> bool:
        pair = {"clinician_id": clinician_id, "client_id": client_id}
        return self.find_by(practice_id, **pair, **CURRENT) is not None

    def open_of(self, practice_id: str, clinician_id: str) -> list[str]:
        """The ids of the episodes that would be without a clinician if this one left."""
        return self.collection.distinct(
            "_id", {"practice_id": practice_id, "clinician_id": clinician_id, **OPEN}
        )

    def left_by(self, practice_id: str, clinician_ids: Sequence[str]) -> int:
        """How many open episodes these have together."""
        where = {"practice_id": practice_id, "clinician_id": {"$in": clinician_ids}, **OPEN}
        return self.collection.count_documents(where)

    def caseload(self, practice_id: str, clinician_id: str) -> list[str]:
        """The ids of the clients with whom a clinician works now."""
        where = {"practice_id": practice_id, "clinician_id": clinician_id, **CURRENT}
        return self.collection.distinct("client_id", where)

    def of(self, practice_id: str, client_id: str) -> dict[str, Episode]:
        """All of a client, by id."""
        found = self.collection.find({"practice_id": practice_id, "client_id": client_id}, HIDDEN)
        return {episode.id: episode for episode in map(self._load, found)}

    def ids_of(self, practice_id: str, clinician_id: str) -> list[str]:
        """Of those that a clinician has or had."""
        where = {"practice_id": practice_id, "clinician_id": clinician_id}
        return self.collection.distinct("_id", where)

    def to_call_off(self, before: datetime, limit: int = 100) -> Iterator[Episode]:
        """Those that ended before then, and whose sessions may still be scheduled, longest first."""
        found = self.collection.find({"call_off_at": {**_SET, "$lte": before}}, HIDDEN)
        return map(self._load, found.sort("call_off_at").limit(limit))

    def called_off(self, episode: Episode) -> None:
        """Nothing that anybody looks at changes by this, so its version does not."""
        key = {"_id": episode.id, "practice_id": episode.practice_id, "call_off_at": episode.call_off_at}
        self.collection.update_one(key, {"$set": {"call_off_at": None}})
