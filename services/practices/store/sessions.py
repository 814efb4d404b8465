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
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class AllSeries(Aggregates[Series]):
    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["series"], Series, SeriesNotFound, {"reasons": RECORD}, whose="client_id")

    def to_come(self, practice_id: str, episode_id: str, at: datetime) -> list[Series]:
        """The episode's with a session that ends after then."""
        return self._with(practice_id, {"episode_id": episode_id}, {"ends_at": {"$gt": at}})

    def beside(
        self, practice_id: str, episode_ids: Sequence[str], since: datetime, until: datetime
    ) -> list[Session]:
        """The sessions of these episodes between two times, and others of the same series."""
        time = {"ends_at": {"$gt": since}, "starts_at": {"$lt": until}}
        found = self._with(practice_id, {"episode_id": {"$in": episode_ids}}, time)
        return [one.session for one in occurrences(found)]

    def _with(self, practice_id: str, where: Document, session: Document) -> list[Series]:
        asked = {"practice_id": practice_id, **where, "sessions": {"$elemMatch": session}}
        return [*self._load_all([*self.collection.find(asked, HIDDEN)])]

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
        found = occurrences(self._with(practice_id, {"client_id": client_id}, time))
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


def _order(one: Occurrence) -> tuple[datetime, str]:
    return one.session.starts_at, one.id


def place(one: Occurrence) -> str:
    """Where it stands in a client's list, which stays a place when it moves away."""
    return f"{one.session.starts_at.isoformat()}/{one.id}"


def _read(after: str) -> tuple[datetime, str]:
    at, _, id = after.partition("/")
    return datetime.fromisoformat(at), id
