"""Who is told of an event: one delivery for each endpoint that is entitled to it.

Events, grants and consents come in any order, so there are two looks. Every event is decided about when
it arrives (`decide_new`), and every grant and consent makes us look again at the events since it was given
(`look_back`). Of an event, its grant and its consent, one becomes visible last, and its own look finds the
other two:

- an event is visible before it is decided about, being one document with its mark `due`;
- a grant or consent is visible before its look begins, because the look waits for the read model to hold
  it (`Permissions.know`): a batch writes one collection after another, in no order we could lean on.

Each look reads after its own fact is visible, so the one whose fact is visible last sees all three. Looks
may overlap or run twice: a delivery's id is derived from event and endpoint, and adding it again changes
nothing. The endpoint needs no look: it was answered for before any event it may hear of happened.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import islice

from pymongo.database import Database

from services.partners.domain import Delivery, Endpoint, PublicEvent, entitled
from services.partners.store import Deliveries, Endpoints, FanOuts, Outgoing, Permissions
from shared.clock import now
from shared.ids import derived_from
from shared.store.client import Document

BLOCK = 200
POSTPONED = timedelta(seconds=1)


class FanOut:
    """Both looks, over one database."""

    def __init__(self, database: Database[Document]) -> None:
        self._outgoing = Outgoing(database)
        self._fanouts = FanOuts(database)
        self._deliveries = Deliveries(database)
        self._endpoints = Endpoints(database)
        self._permissions = Permissions(database)

    def decide_new(self) -> bool:
        """Decide about events that nobody has decided about; whether there may be more."""
        events = self._outgoing.undecided(BLOCK)
        if events:
            self._decide(events)
            self._outgoing.decided(events)
        return len(events) == BLOCK

    def look_back(self, at: datetime) -> bool:
        """Decide again about the events that a new grant or consent reaches; whether there may be more."""
        works = self._fanouts.due(at, BLOCK)
        for work in works:
            if not self._permissions.know(work):
                self._fanouts.postpone(work, at + POSTPONED)
                continue
            for events in _blocks(self._outgoing.reached_by(work)):
                self._decide(events)
            self._fanouts.done(work)
        return len(works) == BLOCK

    def entitles(self, event: PublicEvent, endpoint: Endpoint) -> bool:
        """Whether it may still be sent, by what is known now."""
        grants = self._permissions.grants(event.practice_id, event.type)
        consents = self._permissions.consents(event.practice_id, event.client_id, [endpoint.app_id])
        return entitled(event, endpoint, grants, consents)

    def _decide(self, events: Iterable[PublicEvent]) -> None:
        at, endpoints = now(), _Entitled(self._permissions, self._endpoints)
        self._deliveries.add(
            _delivery(event, endpoint, at) for event in events for endpoint in endpoints.of(event)
        )


class _Entitled:
    """Who may hear of the events of one block. What is the same for many of them is read once, after them."""

    def __init__(self, permissions: Permissions, endpoints: Endpoints) -> None:
        self._grants = cache(permissions.grants)
        self._consents = cache(permissions.consents)
        self._active = cache(endpoints.active)

    def of(self, event: PublicEvent) -> list[Endpoint]:
        grants = self._grants(event.practice_id, event.type)
        app_ids = frozenset(grant.app_id for grant in grants)
        if not app_ids:
            return []
        consents = self._consents(event.practice_id, event.client_id, app_ids)
        return [one for one in self._active(app_ids) if entitled(event, one, grants, consents)]


def _delivery(event: PublicEvent, endpoint: Endpoint, at: datetime) -> Delivery:
    return Delivery(
        id=derived_from("delivery", event.id, endpoint.id),
        practice_id=event.practice_id,
        endpoint_id=endpoint.id,
        event_id=event.id,
        event_type=event.type,
        created_at=at,
        next_at=at,
    )


def _blocks(events: Iterator[PublicEvent]) -> Iterator[list[PublicEvent]]:
    while block := list(islice(events, BLOCK)):
        yield block
