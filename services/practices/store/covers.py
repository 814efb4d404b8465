"""Leave covers."""

from datetime import datetime

from pymongo.database import Database

from services.practices.domain.covers import Cover, CoverNotFound
from shared.store.aggregates import Aggregates
from shared.store.client import Document
from shared.store.indexes import aggregates

COLLECTIONS = (
    aggregates(
        "covers",
        [("practice_id", 1), ("member_id", 1), ("_id", 1)],
        [("practice_id", 1), ("covered_by", 1), ("until", 1)],
    ),
)


class Covers(Aggregates[Cover]):
    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["covers"], Cover, CoverNotFound)

    def of_member(self, practice_id: str, member_id: str, limit: int, after: str | None) -> list[Cover]:
        return self.list(practice_id, {"member_id": member_id}, limit, after)

    def current(self, practice_id: str, covered_by: str, at: datetime) -> list[str]:
        """The ids of the absent members for whom this one stands in at that moment."""
        where = {"until": {"$gt": at}, "since": {"$lte": at}, "cancelled_at": None}
        mine = {"practice_id": practice_id, "covered_by": covered_by}
        return self.collection.distinct("member_id", mine | where)
