"""Episodes of care."""

from collections.abc import Sequence

from pymongo.database import Database

from services.practices.domain.episodes import Episode, EpisodeNotFound, EpisodeStatus
from shared.store.aggregates import Aggregates
from shared.store.client import Document
from shared.store.indexes import aggregates

COLLECTIONS = (
    aggregates(
        "episodes",
        [("practice_id", 1), ("client_id", 1), ("_id", 1)],
        [("practice_id", 1), ("clinician_id", 1), ("client_id", 1)],
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
