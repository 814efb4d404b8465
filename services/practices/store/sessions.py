"""Series of sessions, and the sessions in them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pymongo.database import Database

from services.practices.domain.sessions import (
    Occurrence,
    Series,
    SeriesNotFound,
    Session,
    SessionStatus,
    occurrences,
)
from shared.store.aggregates import Aggregates
from shared.store.client import Document
from shared.store.codec import from_document
from shared.store.indexes import aggregates
from shared.store.lock.fields import RECORD
from shared.store.pages import HIDDEN

COLLECTIONS = (
    aggregates(
        "series",
        [("practice_id", 1), ("sessions.id", 1)],
        [("practice_id", 1), ("client_id", 1), ("sessions.starts_at", 1)],
        [("practice_id", 1), ("episode_id", 1), ("sessions.ends_at", 1)],
    ),
)
_TIMES = {f"sessions.{name}": 1 for name in ("id", "clinician_id", "starts_at", "ends_at", "status")}
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class AllSeries(Aggregates[Series]):
    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["series"], Series, SeriesNotFound, {"reasons": RECORD}, whose="client_id")

    def to_come(self, practice_id: str, episode_id: str, at: datetime) -> list[str]:
        """The ids of the episode's with a session that ends after then."""
        asked = _asked(practice_id, {"episode_id": episode_id}, {"ends_at": {"$gt": at}})
        return self.collection.distinct("_id", asked)

    def beside(
        self, practice_id: str, episode_ids: Sequence[str], since: datetime, until: datetime
    ) -> list[Session]:
        """The sessions of these episodes between two times, and others of the same series.

        Without their history, and without opening what is under lock: they are other clients'.
        """
        time = {"ends_at": {"$gt": since}, "starts_at": {"$lt": until}}
        asked = _asked(practice_id, {"episode_id": {"$in": episode_ids}}, time)
        found = self.collection.find(asked, _TIMES)
        return [from_document(session, Session) for series in found for session in series["sessions"]]

    def sessions_of(
        self,
        practice_id: str,
        client_id: str,
        limit: int,
        after: str | None,
        since: datetime | None,
        until: datetime | None,
        status: SessionStatus | None,
    ) -> list[Occurrence]:
        """In order of their starts, beyond the `place` last seen; one client has few enough to sort."""
        begun, seen = _read(after) if after else (FIRST, "")
        since, until = max(since or FIRST, begun), until or LAST
        time = {"starts_at": {"$gte": since, "$lt": until}}
        asked = _asked(practice_id, {"client_id": client_id}, time)
        found = occurrences(self._load_all([*self.collection.find(asked, HIDDEN)]))
        mine = [
            one
            for one in found
            if since <= one.session.starts_at < until
            and (one.session.starts_at, one.id) > (begun, seen)
            and status in (None, one.session.status)
        ]
        return sorted(mine, key=_order)[:limit]


class Sessions:
    """Found by their own ids."""

    def __init__(self, database: Database[Document]) -> None:
        self._series = AllSeries(database)

    def look(self, practice_id: str, id: str) -> Occurrence | None:
        series = self._series.look_by(practice_id, **{"sessions.id": id})
        return None if series is None else Occurrence(series, series.session(id))

    def open(self, seen: Occurrence) -> Occurrence:
        series = self._series.open(seen.series)
        return Occurrence(series, series.session(seen.id))


def _asked(practice_id: str, where: Document, session: Document) -> Document:
    """Those with such a session."""
    return {"practice_id": practice_id, **where, "sessions": {"$elemMatch": session}}


def _order(one: Occurrence) -> tuple[datetime, str]:
    return one.session.starts_at, one.id


def place(one: Occurrence) -> str:
    """Where it stands in a client's list, which stays a place when it moves away."""
    return f"{one.session.starts_at.isoformat()}/{one.id}"


def _read(after: str) -> tuple[datetime, str]:
    at, _, id = after.partition("/")
    return datetime.fromisoformat(at), id
