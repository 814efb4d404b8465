"""Practices, their members and their clients."""

from collections.abc import Sequence
from typing import ClassVar, Generic, Protocol, TypeVar

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.practices.domain.addresses import AddressTaken
from services.practices.domain.clients import Client, ClientNotFound, ClientStatus, ExternalIdTaken
from services.practices.domain.members import OFFICE, Member, MemberNotFound, MemberStatus
from services.practices.domain.practices import Practice, PracticeNotFound
from shared.store.aggregates import Aggregate, Aggregates
from shared.store.client import Document
from shared.store.indexes import Index, aggregates

_ADDRESS_IN_PRACTICE = Index((("practice_id", 1), ("address", 1)), unique=True)
# Sign-in by address does not know the practice yet (architecture.md, Identity and access).
_ADDRESS = [("address", 1)]
# Those without one are left out: their null would be taken once. The planner takes it for a query that names
# external_ids.external_id beside its $elemMatch too.
_EXTERNAL_ID = Index(
    (("practice_id", 1), ("external_ids.app_id", 1), ("external_ids.external_id", 1)),
    unique=True,
    partial={"external_ids.external_id": {"$gt": ""}},
)

COLLECTIONS = (
    aggregates("practices"),
    aggregates("members", _ADDRESS_IN_PRACTICE, _ADDRESS, [("practice_id", 1), ("_id", 1)]),
    aggregates(
        "clients",
        _ADDRESS_IN_PRACTICE,
        _ADDRESS,
        _EXTERNAL_ID,
        [("practice_id", 1), ("_id", 1)],
        [("practice_id", 1), ("status", 1), ("_id", 1)],
    ),
)


class Practices(Aggregates[Practice]):
    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["practices"], Practice, PracticeNotFound)


class Person(Aggregate, Protocol):
    address: str


P = TypeVar("P", bound=Person)


class _People(Aggregates[P], Generic[P]):
    """People are found by address across practices, and an address is one person's in each."""

    present: ClassVar[Document] = {}

    def add(self, aggregate: P, fingerprint: str | None = None) -> tuple[P, bool]:
        try:
            return super().add(aggregate, fingerprint)
        except DuplicateKeyError:
            raise AddressTaken("Find the person who has it in the list, or use another address.") from None

    def with_address(self, address: str) -> list[P]:
        """Those who may sign in with it, in any practice."""
        return [self._load(found) for found in self.collection.find({"address": address, **self.present})]


class Members(_People[Member]):
    present: ClassVar[Document] = {"status": MemberStatus.ACTIVE}

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["members"], Member, MemberNotFound)

    def past(self, practice_id: str, clinician_id: str) -> list[str]:
        """The ids of those who hear what goes past a clinician: the office, and who supervises them."""
        answer_for = [{"roles": {"$in": sorted(OFFICE)}}, {"supervises": clinician_id}]
        where = {"practice_id": practice_id, **self.present, "$or": answer_for}
        found = self.collection.find(where, {"_id": 1})
        return sorted(document["_id"] for document in found if document["_id"] != clinician_id)


class Clients(_People[Client]):
    present: ClassVar[Document] = {"status": {"$in": [ClientStatus.INVITED, ClientStatus.ACTIVE]}}

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["clients"], Client, ClientNotFound)

    def save(self, aggregate: Client, to: str | None = None) -> Client:
        try:
            return super().save(aggregate, to)
        except DuplicateKeyError as error:
            if "external_ids.app_id" not in (error.details or {}).get("keyPattern", {}):
                raise
            raise ExternalIdTaken("Find the client who has it, or send the right id.") from None

    def among(self, practice_id: str, ids: Sequence[str]) -> list[Client]:
        return self.list(practice_id, {"_id": {"$in": ids}}, len(ids))

    def not_invited(self, practice_id: str, limit: int) -> list[Client]:
        return self.list(practice_id, {"status": ClientStatus.ENROLLED}, limit)

    def count_not_invited(self, practice_id: str) -> int:
        where = {"practice_id": practice_id, "status": ClientStatus.ENROLLED}
        return self.collection.count_documents(where)
