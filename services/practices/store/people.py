"""Practices, their members and their clients."""

from collections.abc import Collection, Sequence
from typing import ClassVar, Generic, Protocol, TypeVar

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.practices.domain.addresses import AddressTaken
from services.practices.domain.clients import Client, ClientNotFound
from services.practices.domain.members import Member, MemberNotFound, MemberStatus, Role
from services.practices.domain.practices import Practice, PracticeNotFound
from shared.store.aggregates import Aggregate, Aggregates
from shared.store.client import Document
from shared.store.indexes import Index, aggregates
from shared.store.pages import HIDDEN

_ADDRESS_IN_PRACTICE = Index((("practice_id", 1), ("address", 1)), unique=True)
# Sign-in by address does not know the practice yet (architecture.md, Identity and access).
_ADDRESS = [("address", 1)]

COLLECTIONS = (
    aggregates("practices"),
    aggregates("members", _ADDRESS_IN_PRACTICE, _ADDRESS, [("practice_id", 1), ("_id", 1)]),
    aggregates("clients", _ADDRESS_IN_PRACTICE, _ADDRESS, [("practice_id", 1), ("_id", 1)]),
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

    def owners(self, practice_id: str) -> list[str]:
        """The ids of those who may sign in."""
        return self.collection.distinct(
            "_id", {"practice_id": practice_id, "roles": Role.OWNER, **self.present}
        )

    def names(self, practice_id: str, ids: Collection[str]) -> dict[str, str]:
        """Of members present and past, by id."""
        found = self.collection.find({"practice_id": practice_id, "_id": {"$in": list(ids)}}, HIDDEN)
        return {member.id: member.display_name for member in map(self._load, found)}


class Clients(_People[Client]):
    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["clients"], Client, ClientNotFound)

    def among(self, practice_id: str, ids: Sequence[str], limit: int, after: str | None) -> list[Client]:
        return self.list(practice_id, {"_id": {"$in": ids}}, limit, after)
