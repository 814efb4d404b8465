"""Practices, their members and their clients."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.practices.domain.addresses import AddressTaken
from services.practices.domain.clients import Client, ClientNotFound
from services.practices.domain.members import Member, MemberNotFound
from services.practices.domain.people import Person
from services.practices.domain.practices import Practice, PracticeNotFound
from shared.store.aggregates import Aggregates, StaleVersion
from shared.store.client import Document
from shared.store.indexes import Index, aggregates

_ADDRESS_IN_PRACTICE = Index((("practice_id", 1), ("address", 1)), unique=True)
# Sign-in by address does not know the practice yet (architecture.md, Identity and access).
_ADDRESS = [("address", 1)]
# The mailer's timer serves all practices; hardly anybody has a letter that waits.
_EVER: Document = {"$gte": datetime(1970, 1, 1, tzinfo=UTC)}
_LETTERS = Index((("letters_due", 1),), partial={"letters_due": _EVER})

COLLECTIONS = (
    aggregates("practices"),
    aggregates("members", _ADDRESS_IN_PRACTICE, _ADDRESS, _LETTERS, [("practice_id", 1), ("_id", 1)]),
    aggregates("clients", _ADDRESS_IN_PRACTICE, _ADDRESS, _LETTERS, [("practice_id", 1), ("_id", 1)]),
)


class Practices(Aggregates[Practice]):
    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["practices"], Practice, PracticeNotFound)


P = TypeVar("P", bound=Person)


class _People(Aggregates[P], Generic[P]):
    """People are found by address across practices, and an address is one person's in each."""

    def add(self, aggregate: P, fingerprint: str | None = None) -> tuple[P, bool]:
        try:
            return super().add(aggregate, fingerprint)
        except DuplicateKeyError:
            raise AddressTaken(_TAKEN) from None

    def save(self, aggregate: P, to: str | None = None) -> P:
        try:
            return super().save(aggregate, to)
        except DuplicateKeyError:
            raise AddressTaken(_TAKEN) from None

    def change(self, practice_id: str, id: str, change: Callable[[P], Any]) -> P:
        """Change and save what is there now, again where somebody else wrote in between."""
        while True:
            person = self.get(practice_id, id)
            change(person)
            try:
                return self.save(person)
            except StaleVersion:
                continue

    def with_address(self, address: str) -> list[P]:
        """Those who may sign in with it, in any practice."""
        found = [self._load(document) for document in self.collection.find({"address": address})]
        return [person for person in found if person.may_sign_in]

    def with_letters(self, at: datetime, limit: int = 100) -> Iterator[tuple[str, str]]:
        """Practice and id of those for whom a letter is due, longest waiting first."""
        due = {"letters_due": {**_EVER, "$lte": at}}
        for found in self.collection.find(due, {"practice_id": 1}).sort("letters_due").limit(limit):
            yield found["practice_id"], found["_id"]

    def put_letters_off(self, practice_id: str, id: str, until: datetime) -> None:
        """The timer's own note: it changes nobody, so it leaves the version as it is."""
        self.collection.update_one({"_id": id, "practice_id": practice_id}, {"$set": {"letters_due": until}})


_TAKEN = "Find the person who has it in the list, or use another address."


class Members(_People[Member]):
    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["members"], Member, MemberNotFound)


class Clients(_People[Client]):
    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["clients"], Client, ClientNotFound)

    def among(self, practice_id: str, ids: Sequence[str], limit: int, after: str | None) -> list[Client]:
        return self.list(practice_id, {"_id": {"$in": ids}}, limit, after)
