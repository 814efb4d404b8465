"""Sign-ins as they stand, and the keys that tokens are signed with."""

from collections.abc import Collection as Some
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pymongo.database import Database

from services.practices.domain.people import Person
from shared.ids import PLATFORM
from shared.store.client import Document
from shared.store.indexes import Index, plain
from shared.store.pages import page

COLLECTIONS = (
    plain(
        "sign_ins",
        [("practice_id", 1), ("person_id", 1), ("began_at", -1), ("_id", -1)],
        Index((("expires_at", 1),), expire_after=0),
    ),
    plain("signing_keys", [("practice_id", 1), ("published_at", 1)]),
)


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """One person on one device, from a sign-in to its end."""

    id: str
    practice_id: str
    person_id: str
    kind: str
    began_at: datetime
    last_used_at: datetime
    expires_at: datetime
    number: int = 0
    """Of the only refresh token that is good now: how many came before it."""
    ended_at: datetime | None = None

    def lives(self, at: datetime) -> bool:
        return self.ended_at is None and at < self.expires_at


_NEWEST = [("began_at", -1), ("_id", -1)]


class SignIns:
    def __init__(self, database: Database[Document]) -> None:
        self.collection = database["sign_ins"]

    def add(self, sign_in: SignedIn, most: int) -> None:
        """Store it; of one person the last `most` are kept."""
        fields = asdict(sign_in)
        self.collection.insert_one({"_id": fields.pop("id"), **fields})
        of_person = {"practice_id": sign_in.practice_id, "person_id": sign_in.person_id}
        surplus = self.collection.find(of_person, {"_id": 1}).sort(_NEWEST).skip(most)
        ids = [found["_id"] for found in surplus]
        if ids:
            self.collection.delete_many({**of_person, "_id": {"$in": ids}})

    def of_token(self, id: str) -> SignedIn | None:
        """A refresh token says no practice."""
        return _loaded(self.collection.find_one({"_id": id}))

    def find(self, practice_id: str, id: str) -> SignedIn | None:
        return _loaded(self.collection.find_one({"_id": id, "practice_id": practice_id}))

    def look(self, practice_id: str, id: str) -> SignedIn | None:
        return self.find(practice_id, id)

    def open(self, seen: SignedIn) -> SignedIn:
        return seen

    def rotate(self, sign_in: SignedIn, number: int, at: datetime) -> bool:
        """Put the next refresh token in the place of this number's, if that is good now."""
        good = {**_named(sign_in), "number": number, "ended_at": None, "expires_at": {"$gt": at}}
        following = {"$set": {"number": number + 1, "last_used_at": at}}
        return self.collection.update_one(good, following).modified_count == 1

    def page_of(
        self,
        practice_id: str,
        person_id: str,
        without: Some[str],
        limit: int,
        after: str | None,
        at: datetime,
    ) -> list[SignedIn]:
        """Those that live, newest first."""
        of_person = {"practice_id": practice_id, "person_id": person_id}
        lives: dict[str, Any] = {"ended_at": None, "expires_at": {"$gt": at}, "_id": {"$nin": list(without)}}
        found = page(self.collection, {**of_person, **lives}, limit, after, "-began_at", among=of_person)
        return [_of(document) for document in found]

    def ids_of(self, practice_id: str, person_id: str, but: str = "") -> list[str]:
        """All that were not ended, but one."""
        of_person = {"practice_id": practice_id, "person_id": person_id, "_id": {"$ne": but}}
        return [found["_id"] for found in self.collection.find({**of_person, "ended_at": None}, {"_id": 1})]

    def end(self, sign_in: SignedIn, at: datetime) -> None:
        self.collection.update_one({**_named(sign_in), "ended_at": None}, {"$set": {"ended_at": at}})

    def mark_ended(self, person: Person, at: datetime) -> None:
        """Those that the person says have ended."""
        if person.ended:
            where = {"practice_id": person.practice_id, "_id": {"$in": list(person.ended)}}
            of_person = {**where, "person_id": person.id, "ended_at": None}
            self.collection.update_many(of_person, {"$set": {"ended_at": at}})


def _named(sign_in: SignedIn) -> Document:
    return {"_id": sign_in.id, "practice_id": sign_in.practice_id}


def _loaded(document: Document | None) -> SignedIn | None:
    return None if document is None else _of(document)


def _of(document: Document) -> SignedIn:
    return SignedIn(id=document.pop("_id"), **document)


class SigningKeys:
    """The keys that tokens are signed with, oldest first."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = database["signing_keys"]

    def all(self) -> list[Document]:
        return list(self.collection.find({"practice_id": PLATFORM}).sort("published_at"))

    def add(self, kid: str, fields: Document) -> None:
        self.collection.insert_one({"_id": kid, "practice_id": PLATFORM, **fields})

    def remove(self, kid: str) -> None:
        self.collection.delete_one({"_id": kid, "practice_id": PLATFORM})
