"""Endpoints, the public events to tell of, and what became of each delivery.

`outgoing` and `fanouts` are created by handlers; the sender only takes `due` away from them, which says
that their work is done, and which a repeated event does not bring back.
"""

from collections.abc import Collection as Some
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.database import Database

from services.partners.domain import (
    Consent,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointNotFound,
    EndpointState,
    Grant,
    PublicEvent,
)
from shared.ids import PLATFORM
from shared.security.access import consent_id
from shared.store.aggregates import Aggregates
from shared.store.client import Document
from shared.store.codec import from_document, to_document
from shared.store.indexes import Index, aggregates, created, plain, records
from shared.store.pages import HIDDEN, page
from shared.store.records import Records


def _waiting(field: str) -> Index:
    """What the sender has to look at, of all practices."""
    return Index(((field, 1),), partial={field: {"$exists": True}})


COLLECTIONS = (
    aggregates("endpoints", [("practice_id", 1), ("app_id", 1), ("created_at", -1), ("_id", -1)]),
    records("apps"),
    records("consents"),
    records("grants", [("practice_id", 1), ("f.event_types.v", 1)]),
    created("outgoing", [("practice_id", 1), ("client_id", 1), ("time", 1)], _waiting("due")),
    created("fanouts", _waiting("due")),
    # An endpoint belongs to an app and hears of many practices: its list is one of the few that serve all.
    plain("deliveries", [("endpoint_id", 1), ("created_at", -1), ("_id", -1)], _waiting("next_at")),
)


class Apps(Records):
    """The apps that the platform knows."""

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["apps"], "name")


class Endpoints(Aggregates[Endpoint]):
    """Endpoints belong to an app, so to no practice."""

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["endpoints"], Endpoint, EndpointNotFound)

    def of_app(self, app_id: str, limit: int, after: str | None) -> list[Endpoint]:
        """Newest first, the removed ones too."""
        return self.list(PLATFORM, {"app_id": app_id}, limit, after, order="-created_at")

    def active(self, app_ids: Some[str]) -> list[Endpoint]:
        where = {"practice_id": PLATFORM, "app_id": {"$in": list(app_ids)}, "state": EndpointState.ACTIVE}
        return [self._load(found) for found in self.collection.find(where, HIDDEN)]


class Permissions:
    """The grants and consents that stand, from the read model that practices' events feed."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._grants = Records(database["grants"], "active")
        self._consents = Records(database["consents"], "active")

    def grants(self, practice_id: str, type: str) -> list[Grant]:
        found = self._grants.find(practice_id, event_types=type, active=True)
        return [
            Grant(
                one["app_id"],
                frozenset(one["event_types"]),
                (one.get("since") or {}).get(type, one["given_at"]),
            )
            for one in found
        ]

    def consents(self, practice_id: str, client_id: str | None, app_ids: Some[str]) -> list[Consent]:
        if client_id is None:
            return []
        ids = [consent_id(client_id, app_id) for app_id in app_ids]
        found = self._consents.among(practice_id, ids).values()
        return [
            Consent(one["app_id"], client_id, one["given_at"], _kinds(one.get("covers")))
            for one in found
            if one["active"]
        ]

    def know(self, work: "FanOut") -> bool:
        """Whether the read model has what this work is about, or something later."""
        where = {"_id": work.record_id, "practice_id": work.practice_id}
        reached = {"f.active.s": {"$gte": work.sequence}}
        return self._database[work.collection].find_one(where | reached, {"_id": 1}) is not None


def _kinds(covers: list[str] | None) -> frozenset[str] | None:
    return None if covers is None else frozenset(covers)


class Outgoing:
    """Every public event, whoever may hear of it."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database["outgoing"]

    def undecided(self, limit: int) -> list[PublicEvent]:
        found = self._collection.find({"due": {"$exists": True}}).sort("due").limit(limit)
        return [_public_event(document) for document in found]

    def decided(self, events: Iterable[PublicEvent]) -> None:
        done = [UpdateOne(_key(event), {"$unset": {"due": ""}}) for event in events]
        self._collection.bulk_write(done, ordered=False)

    def waiting(self) -> int:
        """How many nobody has decided about."""
        return self._collection.count_documents({"due": {"$exists": True}}, hint="due_1")

    def get(self, practice_id: str, id: str) -> PublicEvent | None:
        document = self._collection.find_one({"_id": id, "practice_id": practice_id})
        return None if document is None else _public_event(document)

    def reached_by(self, work: "FanOut") -> Iterator[PublicEvent]:
        """The practice's events since the grant, or the client's since the consent."""
        where: Document = {"practice_id": work.practice_id, "time": {"$gte": work.since}}
        if work.client_id is not None:
            where["client_id"] = work.client_id
        return map(_public_event, self._collection.find(where))


def _public_event(document: Document) -> PublicEvent:
    return from_document({"id": document["_id"], **document}, PublicEvent)


@dataclass(frozen=True)
class FanOut:
    """A grant or a consent came, and events told before it may be waiting for it."""

    id: str
    practice_id: str
    collection: str
    record_id: str
    sequence: int
    since: datetime
    client_id: str | None


class FanOuts:
    """What handlers leave for the sender to look back at."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database["fanouts"]

    def due(self, at: datetime, limit: int) -> list[FanOut]:
        found = self._collection.find({"due": {"$exists": True, "$lte": at}}).sort("due").limit(limit)
        return [from_document({"id": one["_id"], **one}, FanOut) for one in found]

    def postpone(self, work: FanOut, until: datetime) -> None:
        self._collection.update_one(_key(work), {"$set": {"due": until}})

    def done(self, work: FanOut) -> None:
        self._collection.update_one(_key(work), {"$unset": {"due": ""}})


class Deliveries:
    """One document for each event and endpoint; who was never entitled has none."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database["deliveries"]

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Those that are there already stay as they are."""
        upserts = [
            UpdateOne(_key(one), {"$setOnInsert": _delivery_document(one)}, upsert=True) for one in deliveries
        ]
        if upserts:
            self._collection.bulk_write(upserts, ordered=False)

    def due(
        self, at: datetime, limit: int, under_way: Some[str] = (), busy_endpoints: Some[str] = ()
    ) -> list[Delivery]:
        where = {
            "next_at": {"$exists": True, "$lte": at},
            "_id": {"$nin": list(under_way)},
            "endpoint_id": {"$nin": list(busy_endpoints)},
        }
        return [_delivery(document) for document in self._collection.find(where).sort("next_at").limit(limit)]

    def waiting(self) -> int:
        """How many have not come to an end."""
        return self._collection.count_documents({"next_at": {"$exists": True}}, hint="next_at_1")

    def overdue(self, at: datetime) -> float:
        """For how many seconds the one that is due longest is due."""
        return max(
            ((at - one.next_at).total_seconds() for one in self.due(at, 1) if one.next_at), default=0.0
        )

    def record(self, delivery: Delivery) -> None:
        """What became of it, unless it has come to an end already by another sender's hand."""
        update: Document = {"$set": _delivery_document(delivery)}
        if delivery.next_at is None:
            update["$unset"] = {"next_at": ""}
        self._collection.update_one(_key(delivery) | {"state": DeliveryState.PENDING}, update)

    def of_endpoint(self, endpoint_id: str, limit: int, after: str | None) -> list[Delivery]:
        """Newest first."""
        found = page(self._collection, {"endpoint_id": endpoint_id}, limit, after, order="-created_at")
        return [_delivery(document) for document in found]


def _key(thing: Any) -> Document:
    return {"_id": thing.id, "practice_id": thing.practice_id}


def _delivery_document(delivery: Delivery) -> Document:
    document = to_document(delivery)
    return {
        name: value
        for name, value in document.items()
        if name not in ("id", "practice_id") and value is not None
    }


def _delivery(document: Document) -> Delivery:
    return from_document({"id": document["_id"], "next_at": None, **document}, Delivery)
