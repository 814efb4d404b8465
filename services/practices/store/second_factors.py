"""What stands between a member's code and their tokens: a ticket, and how often they tried of late.

The second factor itself is a part of the member.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from shared.store.client import Document
from shared.store.indexes import Index, plain

COLLECTIONS = (
    # Whoever comes with a ticket says no practice.
    plain("second_factor_tickets", Index((("expires_at", 1),), expire_after=0)),
    plain("second_factor_tries", Index((("expires_at", 1),), expire_after=0)),
)


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """That somebody had the code that was mailed to a member."""

    id: str
    """The hash of what was given to them."""
    practice_id: str
    member_id: str
    address: str
    device: str | None
    sealed_secret: str | None
    """Of the second factor that is to be enrolled by it, where there is none yet."""
    expires_at: datetime
    tries: int = 0


class Tickets:
    def __init__(self, database: Database[Document]) -> None:
        self.collection = database["second_factor_tickets"]

    def add(self, ticket: Ticket) -> None:
        fields = asdict(ticket)
        self.collection.insert_one({"_id": fields.pop("id"), **fields})

    def try_(self, id: str, most: int, at: datetime) -> Ticket | None:
        """Count a try before anybody looks at what came with it, unless it had `most` of them."""
        good = {"_id": id, "tries": {"$lt": most}, "expires_at": {"$gt": at}}
        found = self.collection.find_one_and_update(
            good, {"$inc": {"tries": 1}}, return_document=ReturnDocument.BEFORE
        )
        return Ticket(id=found.pop("_id"), **found) if found else None

    def use(self, ticket: Ticket) -> bool:
        """True for the one request that uses it."""
        where = {"_id": ticket.id, "practice_id": ticket.practice_id}
        return self.collection.delete_one(where).deleted_count == 1


class Tries:
    """How often the second factor of each member was tried, whatever by."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = database["second_factor_tries"]

    def count(self, practice_id: str, member_id: str, most: int, within: timedelta, at: datetime) -> bool:
        """Count one, unless there were `most` within that time."""
        whose = {"_id": member_id, "practice_id": practice_id}
        # Begun anew here, since MongoDB deletes what has expired only by and by.
        self.collection.delete_one({**whose, "expires_at": {"$lte": at}})
        update = {"$inc": {"count": 1}, "$setOnInsert": {"expires_at": at + within}}
        try:
            self.collection.update_one({**whose, "count": {"$lt": most}}, update, upsert=True)
        except DuplicateKeyError:
            # It is there and full, or another request made it a moment ago.
            return self.collection.update_one({**whose, "count": {"$lt": most}}, update).matched_count == 1
        return True
