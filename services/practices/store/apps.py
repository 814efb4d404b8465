"""Apps and grants."""

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.practices.domain.apps import App, AppNotFound, Grant, GrantNotFound
from shared.ids import PLATFORM
from shared.store.aggregates import Aggregates, KeyReused, StaleVersion
from shared.store.client import Document
from shared.store.indexes import aggregates
from shared.store.lock.fields import RECORD

COLLECTIONS = (
    aggregates("apps", [("practice_id", 1), ("_id", 1)]),
    aggregates("grants", [("practice_id", 1), ("_id", 1)]),
)


class Apps(Aggregates[App]):
    """Apps belong to no practice."""

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["apps"], App, AppNotFound, {"contact_email": RECORD})

    def named(self, app_id: str) -> App:
        return self.get(PLATFORM, app_id)


class Grants(Aggregates[Grant]):
    """At most one grant for each practice and app, given again after it was revoked."""

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database["grants"], Grant, GrantNotFound)

    def add(self, aggregate: Grant, fingerprint: str | None = None) -> tuple[Grant, bool]:
        (giving,) = aggregate.givings
        before = self.repeated(aggregate.practice_id, giving, fingerprint)
        if before is not None:
            return before, False
        aggregate.givings[giving] = fingerprint
        try:
            return super().add(aggregate)
        except DuplicateKeyError:
            return self._give_again(aggregate, giving, fingerprint)

    def _give_again(self, grant: Grant, giving: str, fingerprint: str | None) -> tuple[Grant, bool]:
        while True:
            earlier = self.get(grant.practice_id, grant.id)
            # The same request may have given it a moment ago, on another thread.
            if giving in earlier.givings:
                return self.repeated(grant.practice_id, giving, fingerprint) or earlier, False
            earlier.give_again(grant)
            try:
                return self.save(earlier), True
            except StaleVersion:
                continue

    def repeated(self, practice_id: str, id: str, fingerprint: str | None) -> Grant | None:
        """The grant that the request `id` gave, whatever became of it since."""
        found = self.find_by(practice_id, **{f"givings.{id}": {"$exists": True}})
        if found is not None and found.givings[id] != fingerprint:
            raise KeyReused("Send a new Idempotency-Key with a new body, or the same body again.")
        return found
