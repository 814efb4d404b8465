"""What sign-in needs beside people: codes, refresh tokens, signing keys."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from shared.ids import PLATFORM
from shared.store.client import Document
from shared.store.indexes import Index, plain

COLLECTIONS = (
    plain("sign_ins", [("due", 1)], Index((("expires_at", 1),), expire_after=0)),
    plain("refresh_tokens", Index((("expires_at", 1),), expire_after=0)),
    plain("signing_keys", [("practice_id", 1), ("published_at", 1)]),
)


@dataclass(frozen=True, kw_only=True)
class Code:
    """A one-time code: its keyed hash, and until it is sent an encrypted copy."""

    id: str
    digest: str
    made_at: datetime
    expires_at: datetime
    sealed: bytes | None = None
    tries: int = 0
    used_at: datetime | None = None


_ALWAYS = {"$gte": datetime.min.replace(tzinfo=UTC), "$lte": datetime.max.replace(tzinfo=UTC)}


_WAITING: Document = {"due": _ALWAYS}


class SignIns:
    """One document for each address that asked to sign in, known or not, with its last codes."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = database["sign_ins"]

    def ask(self, address: str, code: Code, most: int, within: timedelta) -> bool:
        """Add a code unless `most` were asked for `within` that time: one atomic write, for anybody."""
        room = [
            {f"codes.{most - 1}": {"$exists": False}},
            {"codes.0.made_at": {"$lte": code.made_at - within}},
        ]
        added = {"$push": {"codes": {"$each": [asdict(code)], "$slice": -most}}}
        kept = {"$set": {"due": code.made_at, "expires_at": code.made_at + within}}
        return self._push({**_platform(address), "$or": room}, {**added, **kept})

    def _push(self, where: Document, update: Document) -> bool:
        try:
            self.collection.update_one(where, update, upsert=True)
        except DuplicateKeyError:
            # It is there and full, or another request made it a moment ago.
            return self.collection.update_one(where, update).matched_count == 1
        return True

    def try_codes(self, address: str, at: datetime) -> list[Code]:
        """Count a try of every live code before any is looked at; gives them as they were before it."""
        found = self.collection.find_one_and_update(
            _platform(address),
            {"$inc": {"codes.$[live].tries": 1}},
            array_filters=[{"live.expires_at": {"$gt": at}, "live.used_at": None}],
            return_document=ReturnDocument.BEFORE,
        )
        codes = [Code(**code) for code in found["codes"]] if found else []
        return [code for code in codes if code.expires_at > at and code.used_at is None]

    def forgive_try(self, address: str, code: Code) -> None:
        self.collection.update_one(
            {**_platform(address), "codes.id": code.id}, {"$inc": {"codes.$.tries": -1}}
        )

    def use(self, address: str, code: Code, at: datetime) -> bool:
        """True for the one request that uses it."""
        unused = {"codes": {"$elemMatch": {"id": code.id, "used_at": None}}}
        result = self.collection.update_one(
            {**_platform(address), **unused}, {"$set": {"codes.$.used_at": at}}
        )
        return result.modified_count == 1

    def to_send(self, at: datetime, limit: int = 100) -> Iterator[tuple[str, list[Code]]]:
        """Addresses with codes that are not sent yet, longest waiting first."""
        for found in self.collection.find({"due": {"$lte": at}}).sort("due").limit(limit):
            codes = [Code(**code) for code in found["codes"]]
            yield found["_id"], [code for code in codes if code.sealed is not None]

    def waiting(self) -> int:
        """How many addresses have codes that are not sent yet."""
        return self.collection.count_documents(_WAITING)

    def oldest(self, at: datetime) -> float:
        """For how many seconds the oldest of these codes has waited, however often it was put off since."""
        found = self.collection.find(_WAITING, {"codes": 1}).limit(100)
        made = [code["made_at"] for one in found for code in one["codes"] if code["sealed"]]
        return (at - min(made)).total_seconds() if made else 0.0

    def settle(self, address: str, codes: Sequence[Code]) -> None:
        """Forget the readable copy of these; one added meanwhile stays due."""
        ids = [code.id for code in codes]
        self.collection.update_one(
            _platform(address),
            {"$set": {"codes.$[done].sealed": None}},
            array_filters=[{"done.id": {"$in": ids}}],
        )
        nothing_left = {"codes.sealed": {"$not": {"$type": "binData"}}}
        self.collection.update_one({**_platform(address), **nothing_left}, {"$unset": {"due": ""}})

    def put_off(self, address: str, until: datetime) -> None:
        self.collection.update_one(_platform(address), {"$set": {"due": until}})


class RefreshTokens:
    """One document for each signing-in, which knows the only refresh token that is good now."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = database["refresh_tokens"]

    def add(self, id: str, fields: Document) -> None:
        self.collection.insert_one({"_id": id, "revoked_at": None, **fields})

    def find(self, id: str) -> Document | None:
        return self.collection.find_one({"_id": id})

    def rotate(self, id: str, current: str, following: str, at: datetime) -> bool:
        """Put `following` in the place of `current`, if that is good now."""
        good = {"_id": id, "current": current, "revoked_at": None, "expires_at": {"$gt": at}}
        return self.collection.update_one(good, {"$set": {"current": following}}).modified_count == 1

    def revoke(self, id: str, at: datetime) -> bool:
        """Whether there was one to revoke."""
        where = {"_id": id, "revoked_at": None}
        return self.collection.update_one(where, {"$set": {"revoked_at": at}}).modified_count == 1


class SigningKeys:
    """The keys that tokens are signed with, oldest first."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = database["signing_keys"]

    def all(self) -> list[Document]:
        return list(self.collection.find({"practice_id": PLATFORM}).sort("published_at"))

    def add(self, kid: str, fields: Document) -> None:
        self.collection.insert_one({"_id": kid, "practice_id": PLATFORM, **fields})

    def remove(self, kid: str) -> None:
        self.collection.delete_one(_platform(kid))


def _platform(id: str) -> Document:
    return {"_id": id, "practice_id": PLATFORM}
