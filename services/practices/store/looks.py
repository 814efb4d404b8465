"""Looks at clients in an emergency, and how often each member tried."""

from datetime import datetime

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.practices.domain.looks import TRIES, TRIES_WITHIN, Look, LookNotFound
from shared.store.aggregates import Aggregates
from shared.store.client import Document
from shared.store.indexes import Index, aggregates, plain
from shared.store.lock.fields import RECORD

COLLECTIONS = (
    aggregates(
        "looks",
        [("practice_id", 1), ("client_id", 1), ("began_at", -1), ("_id", -1)],
        [("practice_id", 1), ("member_id", 1), ("client_id", 1), ("ends_at", 1)],
    ),
    plain("look_tries", Index((("expires_at", 1),), expire_after=0)),
)


class Looks(Aggregates[Look]):
    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["looks"], Look, LookNotFound, {"reason": RECORD}, whose="client_id")

    def of_client(self, practice_id: str, client_id: str, limit: int, after: str | None) -> list[Look]:
        """Newest first."""
        return self.list(practice_id, {"client_id": client_id}, limit, after, order="-began_at")

    def stands(self, practice_id: str, member_id: str, client_id: str, at: datetime) -> bool:
        """Whether this member broke the glass for this client, and the time is not over."""
        pair = {"member_id": member_id, "client_id": client_id}
        return self.look_by(practice_id, **pair, ends_at={"$gt": at}) is not None


class OwnLooks(Looks):
    """One member's: another's is as absent to them as one that nobody began."""

    def __init__(self, database: Database[Document], member_id: str) -> None:
        super().__init__(database)
        self._member_id = member_id

    def look(self, practice_id: str, id: str) -> Look | None:
        return self.look_by(practice_id, _id=id, member_id=self._member_id)


class Tries:
    """One document for what each member tried of late."""

    def __init__(self, database: Database[Document], what: str, practice_id: str, member_id: str) -> None:
        self.collection = database["look_tries"]
        self._key = {"_id": f"{what}/{member_id}", "practice_id": practice_id}

    def room(self, at: datetime) -> bool:
        """Whether one more may be counted."""
        return self.collection.find_one({**self._key, "$nor": _room(at)}, {"_id": 1}) is None

    def count(self, at: datetime) -> bool:
        """Count one more, unless there were too many: one atomic write."""
        counted = {
            "$push": {"at": {"$each": [at], "$slice": -TRIES}},
            "$set": {"expires_at": at + TRIES_WITHIN},
        }
        try:
            self.collection.update_one({**self._key, "$or": _room(at)}, counted, upsert=True)
        except DuplicateKeyError:
            # It is there and full, or another request made it a moment ago.
            return self.collection.update_one({**self._key, "$or": _room(at)}, counted).matched_count == 1
        return True


def _room(at: datetime) -> list[Document]:
    return [{f"at.{TRIES - 1}": {"$exists": False}}, {"at.0": {"$lte": at - TRIES_WITHIN}}]
