"""Practices, their members and their clients."""

from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.practices.domain.addresses import AddressTaken
from services.practices.domain.clients import Client, ClientNotFound, ClientStatus, ExternalIdTaken
from services.practices.domain.members import OFFICE, Member, MemberNotFound, MemberStatus, Role
from services.practices.domain.people import Person
from services.practices.domain.practices import Practice, PracticeNotFound
from shared.store.aggregates import Aggregates, StaleVersion
from shared.store.client import Document
from shared.store.indexes import Index, aggregates, due, timed
from shared.store.lock.fields import RECORD
from shared.store.pages import HIDDEN

CONTACT = {"email": RECORD, "former_emails": RECORD}
"""Under lock; `address`, its keyed hash, is what people are found by."""
OF_CLIENTS = CONTACT | dict.fromkeys(
    ("pronouns", "phone", "emergency_contact", "usual_place", "external_ids"), RECORD
)

_ADDRESS_IN_PRACTICE = Index((("practice_id", 1), ("address", 1)), unique=True)
# Sign-in by address does not know the practice yet (architecture.md, Identity and access).
_ADDRESS = [("address", 1)]
_OF_PEOPLE = (
    _ADDRESS_IN_PRACTICE,
    _ADDRESS,
    [("practice_id", 1), ("_id", 1)],
    timed("invitation_due"),
    timed("letters_due"),
)
# Those without one are left out: their null would be taken once.
_EXTERNAL_ID = Index(
    (("practice_id", 1), ("external_look_ups", 1)), unique=True, partial={"external_look_ups": {"$gt": ""}}
)

COLLECTIONS = (
    aggregates("practices"),
    aggregates("members", *_OF_PEOPLE, timed("removal_due")),
    aggregates(
        "clients",
        *_OF_PEOPLE,
        _EXTERNAL_ID,
        [("practice_id", 1), ("status", 1), ("_id", 1)],
        [("practice_id", 1), ("enrolled_by", 1)],
    ),
)


@dataclass(frozen=True)
class Due:
    """What somebody's `field` says is to be done, since when."""

    field: str
    practice_id: str
    id: str
    since: datetime


class Practices(Aggregates[Practice]):
    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["practices"], Practice, PracticeNotFound)


P = TypeVar("P", bound=Person)


class _People(Aggregates[P], Generic[P]):
    """People are found by address across practices, and an address is one person's in each."""

    present: ClassVar[Document] = {}

    def add(self, aggregate: P, fingerprint: str | None = None) -> tuple[P, bool]:
        try:
            return super().add(aggregate, fingerprint)
        except DuplicateKeyError as error:
            raise _taken(error) from None

    def save(self, aggregate: P, to: str | None = None) -> P:
        try:
            return super().save(aggregate, to)
        except DuplicateKeyError as error:
            raise _taken(error) from None

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
        """Those of any practice who have it, and may be let in."""
        return [*self._load_all([*self.collection.find({"address": address, **self.present})])]

    def known(self, addresses: Collection[str]) -> set[str]:
        """Which of these somebody has who may be let in."""
        where = {"address": {"$in": sorted(addresses)}, **self.present}
        return {*self.collection.distinct("address", where)}

    def due(self, field: str, at: datetime, limit: int = 100) -> list[Due]:
        """In every practice, what is due by then, longest first."""
        found = self.collection.find(due(field, at), {"practice_id": 1, field: 1}).sort(field).limit(limit)
        return [Due(field, one["practice_id"], one["_id"], one[field]) for one in found]

    def settle(self, due: Due, until: datetime | None = None) -> None:
        """It is done, or to be looked at again then; no new version, and nothing where more was asked for."""
        where = {"_id": due.id, "practice_id": due.practice_id, due.field: due.since}
        self.collection.update_one(where, {"$set": {due.field: until}})

    def waiting(self, field: str) -> int:
        """How many have something to be done, at whatever time."""
        return self.collection.count_documents(due(field, datetime.max.replace(tzinfo=UTC)))


def _taken(error: DuplicateKeyError) -> Exception:
    if "external_look_ups" in (error.details or {}).get("keyPattern", {}):
        return ExternalIdTaken("Find the client who has it, or send the right id.")
    return AddressTaken("Use another address; an owner or admin finds in the list who has this one.")


class Members(_People[Member]):
    present: ClassVar[Document] = {"status": {"$in": [MemberStatus.INVITED, MemberStatus.ACTIVE]}}

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["members"], Member, MemberNotFound, CONTACT)

    def named(self, practice_id: str, ids: Set[str]) -> list[Member]:
        """All of them, or `MemberNotFound`."""
        found = self.list(practice_id, {"_id": {"$in": sorted(ids)}}, len(ids)) if ids else []
        if len(found) < len(ids):
            raise MemberNotFound("Name members of this practice only.")
        return found

    def who_cannot_care(self, practice_id: str) -> list[str]:
        """The ids of those who are no active clinicians."""
        others = [{"status": {"$ne": MemberStatus.ACTIVE}}, {"roles": {"$ne": Role.CLINICIAN}}]
        return self.collection.distinct("_id", {"practice_id": practice_id, "$or": others})

    def hold(self, member: Member) -> None:
        """Go on only if nobody changed this member since they were loaded, and let nobody else do so.

        Who acts on an owner loads both, holds themselves by a new version, then saves the other. Of owners
        who take each other's place away at once, in whatever ring, one finds a version changed: otherwise
        each would have loaded the next after that one held themselves, and the ring has no first.
        """
        key = {"_id": member.id, "practice_id": member.practice_id, "version": member.version}
        if self.collection.update_one(key, {"$inc": {"version": 1}}).matched_count == 0:
            raise StaleVersion("You were changed yourself in the meantime; repeat the request.")

    def owners(self, practice_id: str) -> list[str]:
        """The ids of those who may sign in."""
        where = {"practice_id": practice_id, "roles": Role.OWNER, "status": MemberStatus.ACTIVE}
        return self.collection.distinct("_id", where)

    def names(self, practice_id: str, ids: Collection[str]) -> dict[str, str]:
        """Of members present and past, by id."""
        found = self.collection.find({"practice_id": practice_id, "_id": {"$in": list(ids)}}, HIDDEN)
        return {member.id: member.display_name for member in self._load_all([*found])}

    def past(self, practice_id: str, clinician_id: str) -> list[str]:
        """The ids of those who hear what goes past a clinician: the office, and who supervises them."""
        answer_for = [{"roles": {"$in": sorted(OFFICE)}}, {"supervises": clinician_id}]
        where = {"practice_id": practice_id, "status": MemberStatus.ACTIVE, "$or": answer_for}
        found = self.collection.find(where, {"_id": 1})
        return sorted(document["_id"] for document in found if document["_id"] != clinician_id)


class Clients(_People[Client]):
    present: ClassVar[Document] = {"status": {"$in": [ClientStatus.INVITED, ClientStatus.ACTIVE]}}

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["clients"], Client, ClientNotFound, OF_CLIENTS)

    def among(self, practice_id: str, ids: Sequence[str]) -> list[Client]:
        return self.list(practice_id, {"_id": {"$in": ids}}, len(ids))

    def enrolled(self, practice_id: str, by: Collection[str]) -> list[str]:
        """The ids of those whom they enrolled."""
        return self.collection.distinct(
            "_id", {"practice_id": practice_id, "enrolled_by": {"$in": sorted(by)}}
        )

    def not_invited(self, practice_id: str, limit: int) -> list[Client]:
        return self.list(practice_id, {"status": ClientStatus.ENROLLED}, limit)

    def count_not_invited(self, practice_id: str) -> int:
        where = {"practice_id": practice_id, "status": ClientStatus.ENROLLED}
        return self.collection.count_documents(where)
