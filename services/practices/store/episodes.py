"""Episodes of care, wishes for another clinician, and readiness."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.practices.domain.episodes import OPEN, Episode, EpisodeNotFound, EpisodeOpen
from services.practices.domain.readiness import Readiness, ReadinessNotFound
from services.practices.domain.wishes import Wish, WishNotFound, WishStands, WishStatus
from shared.store.aggregates import Aggregates
from shared.store.client import Document
from shared.store.indexes import Index, aggregates, due, timed
from shared.store.lock.fields import RECORD
from shared.store.pages import HIDDEN

CURRENT: Document = {"status": {"$in": [str(status) for status in OPEN]}}
_OPEN: Document = {"status": str(WishStatus.OPEN)}

COLLECTIONS = (
    aggregates(
        "episodes",
        [("practice_id", 1), ("client_id", 1), ("_id", 1)],
        [("practice_id", 1), ("clinician_id", 1), ("client_id", 1)],
        Index((("practice_id", 1), ("client_id", 1), ("clinician_id", 1)), unique=True, partial=CURRENT),
        timed("next_at"),
        timed("call_off_at"),
    ),
    aggregates(
        "wishes",
        [("practice_id", 1), ("_id", 1)],
        [("practice_id", 1), ("episode_id", 1), ("wished_at", -1), ("_id", -1)],
        Index((("practice_id", 1), ("episode_id", 1)), unique=True, partial=_OPEN),
    ),
    aggregates("readiness", [("practice_id", 1), ("episode_id", 1), ("rated_at", -1), ("_id", -1)]),
)


class Episodes(Aggregates[Episode]):
    """At most one open episode between the same client and clinician: an index sees to it."""

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(
            database["episodes"], Episode, EpisodeNotFound, {"reasons": RECORD}, whose="client_id"
        )

    def add(self, aggregate: Episode, fingerprint: str | None = None) -> tuple[Episode, bool]:
        try:
            return super().add(aggregate, fingerprint)
        except DuplicateKeyError:
            raise _open_already(aggregate) from None

    def save(self, aggregate: Episode, to: str | None = None) -> Episode:
        try:
            return super().save(aggregate, to)
        except DuplicateKeyError:
            raise _open_already(aggregate) from None

    def of_client(self, practice_id: str, client_id: str, limit: int, after: str | None) -> list[Episode]:
        return self.list(practice_id, {"client_id": client_id}, limit, after)

    def any_of(self, practice_id: str, client_id: str) -> bool:
        return self.look_by(practice_id, client_id=client_id) is not None

    def clinicians_of(self, practice_id: str, client_id: str) -> list[str]:
        """The ids of those with whom a client has an open episode."""
        where = {"practice_id": practice_id, "client_id": client_id, **CURRENT}
        return self.collection.distinct("clinician_id", where)

    def open_of(self, practice_id: str, clinician_id: str) -> list[str]:
        """The ids of the episodes that would be without a clinician if this one left."""
        where = {"practice_id": practice_id, "clinician_id": clinician_id, **CURRENT}
        return self.collection.distinct("_id", where)

    def has_with(self, practice_id: str, id: str, clinician_id: str | None) -> bool:
        """Whether the client of this episode has an open one with that clinician too."""
        episode = self.look(practice_id, id)
        return episode is not None and clinician_id in self.clinicians_of(practice_id, episode.client_id)

    def left_by(self, practice_id: str, clinician_ids: Sequence[str]) -> int:
        """How many open episodes these have together."""
        where = {"practice_id": practice_id, "clinician_id": {"$in": clinician_ids}, **CURRENT}
        return self.collection.count_documents(where)

    def caseload(self, practice_id: str, clinician_ids: Collection[str]) -> list[str]:
        """The ids of the clients with whom these clinicians have open episodes."""
        where = {"practice_id": practice_id, "clinician_id": {"$in": sorted(clinician_ids)}, **CURRENT}
        return self.collection.distinct("client_id", where)

    def treated(self, practice_id: str, client_ids: Sequence[str]) -> list[str]:
        """The ids of those among these who have or had an episode."""
        where = {"practice_id": practice_id, "client_id": {"$in": client_ids}}
        return self.collection.distinct("client_id", where)

    def of(self, practice_id: str, client_id: str) -> dict[str, Episode]:
        """All of a client, by id."""
        found = self.collection.find({"practice_id": practice_id, "client_id": client_id}, HIDDEN)
        return {episode.id: episode for episode in self._load_all([*found])}

    def ids_of(self, practice_id: str, clinician_id: str) -> list[str]:
        """Of those that a clinician has or had."""
        where = {"practice_id": practice_id, "clinician_id": clinician_id}
        return self.collection.distinct("_id", where)

    def to_call_off(self, before: datetime) -> Iterator[tuple[str, str]]:
        """(practice, id) of those that ended before then, and whose sessions may still be scheduled."""
        return self._due("call_off_at", before)

    def called_off(self, episode: Episode) -> None:
        """Nothing that anybody looks at changes by this, so its version does not."""
        key = {"_id": episode.id, "practice_id": episode.practice_id, "call_off_at": episode.call_off_at}
        self.collection.update_one(key, {"$set": {"call_off_at": None}})

    def whose_date_came(self, at: datetime) -> Iterator[tuple[str, str]]:
        """(practice, id) of those with a date that has come."""
        return self._due("next_at", at)

    def _due(self, field: str, at: datetime) -> Iterator[tuple[str, str]]:
        """The earliest first."""
        for episode in self.collection.find(due(field, at), {"practice_id": 1}).sort(field):
            yield episode["practice_id"], episode["_id"]


def _open_already(episode: Episode) -> EpisodeOpen:
    return EpisodeOpen(
        f"Client {episode.client_id} has an open episode with clinician {episode.clinician_id}: "
        "go on with that one, or end and close it first, as that clinician, an owner or an admin may."
    )


class Wishes(Aggregates[Wish]):
    """At most one open wish about an episode."""

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["wishes"], Wish, WishNotFound, {"text": RECORD}, whose="client_id")

    def add(self, aggregate: Wish, fingerprint: str | None = None) -> tuple[Wish, bool]:
        try:
            return super().add(aggregate, fingerprint)
        except DuplicateKeyError:
            raise WishStands("It stands as you said it; take it back to say another.") from None

    def last(self, practice_id: str, episode_id: str) -> Wish:
        found = self.list(practice_id, {"episode_id": episode_id}, 1, order="-wished_at")
        if not found:
            raise WishNotFound(f"There is no wish about episode {episode_id}.")
        return found[0]

    def about(
        self, practice_id: str, clinicians: Document, status: str | None, limit: int, after: str | None
    ) -> list[Wish]:
        """`clinicians`: a condition on whom the wish goes past."""
        where: dict[str, Any] = {"clinician_id": clinicians}
        return self.list(practice_id, where | ({"status": status} if status else {}), limit, after)


class Ratings(Aggregates[Readiness]):
    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["readiness"], Readiness, ReadinessNotFound)

    def of_episode(self, practice_id: str, episode_id: str, limit: int, after: str | None) -> list[Readiness]:
        """Newest first."""
        return self.list(practice_id, {"episode_id": episode_id}, limit, after, order="-rated_at")
