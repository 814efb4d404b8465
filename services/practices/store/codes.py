"""Codes by mail, and the devices that have signed in before."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from shared.ids import PLATFORM
from shared.store.client import Document
from shared.store.indexes import Index, plain

COLLECTIONS = (
    # Whoever asks to sign in names an address and no practice.
    plain("codes", [("due", 1)], [("address", 1)], Index((("expires_at", 1),), expire_after=0)),
    plain("devices", [("address", 1), ("_id", 1)], Index((("expires_at", 1),), expire_after=0)),
)


@dataclass(frozen=True, kw_only=True)
class Code:
    """A one-time code: its keyed hash, and until it is sent an encrypted copy."""

    id: str
    quota: str
    """What it counts against, and is kept under: an address, a device of one, or a person."""
    address: str | None
    """Whose code it is to sign in; None where it is for something else."""
    digest: str
    ticket: str
    """The hash of what must come with it."""
    made_at: datetime
    expires_at: datetime
    sealed: bytes | None = None
    sealed_to: bytes | None = None
    """Where it is mailed, encrypted; None: to those who have the address."""
    device: str | None = None
    """The id of the device that asked, if it is known."""
    tries: int = 0
    used_at: datetime | None = None


_ALWAYS = {"$gte": datetime.min.replace(tzinfo=UTC), "$lte": datetime.max.replace(tzinfo=UTC)}


_WAITING: Document = {"due": _ALWAYS}


class Codes:
    """One document for each quota that was used of late, with its last codes."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = database["codes"]

    def ask(self, code: Code, most: int, within: timedelta) -> bool:
        """Add a code unless `most` were asked for `within` that time: one atomic write, for anybody."""
        room = [
            {f"codes.{most - 1}": {"$exists": False}},
            {"codes.0.made_at": {"$lte": code.made_at - within}},
        ]
        added = {"$push": {"codes": {"$each": [asdict(code)], "$slice": -most}}}
        kept = {"address": code.address, "due": code.made_at, "expires_at": code.made_at + within}
        return self._push({**_platform(code.quota), "$or": room}, {**added, "$set": kept})

    def _push(self, where: Document, update: Document) -> bool:
        try:
            self.collection.update_one(where, update, upsert=True)
        except DuplicateKeyError:
            # It is there and full, or another request made it a moment ago.
            return self.collection.update_one(where, update).matched_count == 1
        return True

    def try_to_sign_in(self, address: str, ticket: str, most: int, at: datetime) -> Code | None:
        return self._try({"address": address, "practice_id": PLATFORM}, ticket, most, at)

    def try_of(self, quota: str, ticket: str, most: int, at: datetime) -> Code | None:
        return self._try(_platform(quota), ticket, most, at)

    def _try(self, where: Document, ticket: str, most: int, at: datetime) -> Code | None:
        """Count a try of the ticket's live code before anybody looks at it, unless it had `most` of them."""
        live = {"ticket": ticket, "tries": {"$lt": most}, "used_at": None, "expires_at": {"$gt": at}}
        found = self.collection.find_one_and_update(
            {**where, "codes": {"$elemMatch": live}},
            {"$inc": {"codes.$.tries": 1}},
            return_document=ReturnDocument.BEFORE,
        )
        codes = [Code(**code) for code in found["codes"]] if found else []
        return next((code for code in codes if code.ticket == ticket), None)

    def forgive_try(self, code: Code) -> None:
        self.collection.update_one(_holding(code), {"$inc": {"codes.$.tries": -1}})

    def use(self, code: Code, at: datetime) -> bool:
        """True for the one request that uses it."""
        unused = {"codes": {"$elemMatch": {"id": code.id, "used_at": None}}}
        result = self.collection.update_one(
            {**_platform(code.quota), **unused}, {"$set": {"codes.$.used_at": at}}
        )
        return result.modified_count == 1

    def to_send(self, at: datetime, limit: int = 100) -> dict[str, list[Code]]:
        """By quota the codes that are not sent yet, longest waiting first."""
        found = self.collection.find({"due": {"$lte": at}}).sort("due").limit(limit)
        codes = {one["_id"]: [Code(**code) for code in one["codes"]] for one in found}
        return {quota: [code for code in of if code.sealed is not None] for quota, of in codes.items()}

    def waiting(self) -> int:
        """How many quotas have codes that are not sent yet."""
        return self.collection.count_documents(_WAITING)

    def oldest(self, at: datetime) -> float:
        """For how many seconds the oldest of these codes has waited, however often it was put off since."""
        found = self.collection.find(_WAITING, {"codes": 1}).limit(100)
        made = [code["made_at"] for one in found for code in one["codes"] if code["sealed"]]
        return (at - min(made)).total_seconds() if made else 0.0

    def settle(self, waited: Mapping[str, Sequence[Code]]) -> None:
        """Forget the readable copy of these, by quota; one added meanwhile stays due."""
        quotas: Document = {"_id": {"$in": [*waited]}, "practice_id": PLATFORM}
        ids = [code.id for codes in waited.values() for code in codes]
        self.collection.update_many(
            quotas,
            {"$set": {"codes.$[done].sealed": None, "codes.$[done].sealed_to": None}},
            array_filters=[{"done.id": {"$in": ids}}],
        )
        nothing_left = {"codes.sealed": {"$not": {"$type": "binData"}}}
        self.collection.update_many({**quotas, **nothing_left}, {"$unset": {"due": ""}})

    def put_off(self, quota: str, until: datetime) -> None:
        self.collection.update_one(_platform(quota), {"$set": {"due": until}})


class Devices:
    """The hash of each device's secret, with the address that it signed in by."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = database["devices"]

    def known(self, id: str, address: str, at: datetime) -> bool:
        known = {**_platform(id), "address": address, "expires_at": {"$gt": at}}
        return self.collection.find_one(known, {"_id": 1}) is not None

    def remember(self, id: str, address: str, until: datetime, most: int) -> None:
        """Known until then; where that makes more than `most`, the first to expire is forgotten."""
        self.collection.update_one(
            _platform(id), {"$set": {"address": address, "expires_at": until}}, upsert=True
        )
        found = self.collection.find({"address": address}, {"expires_at": 1})
        oldest = sorted(found, key=lambda device: (device["expires_at"], device["_id"]))[:-most]
        if oldest:
            self.collection.delete_many({"_id": {"$in": [device["_id"] for device in oldest]}})


def _holding(code: Code) -> Document:
    return {**_platform(code.quota), "codes.id": code.id}


def _platform(id: str) -> Document:
    return {"_id": id, "practice_id": PLATFORM}
