"""Goals in MongoDB."""

from typing import Any

from services.goals.domain import Goal, GoalNotFound
from shared import safety
from shared.security import access
from shared.store.aggregates import Aggregates
from shared.store.indexes import aggregates
from shared.store.lock.fields import RECORD

ENCRYPTED = {"what": RECORD, "why": RECORD}

COLLECTIONS = (
    aggregates("goals", [("practice_id", 1), ("client_id", 1), ("proposed_at", -1), ("_id", -1)]),
    *access.COLLECTIONS,
    *safety.COLLECTIONS,
)


class Goals(Aggregates[Goal]):
    def __init__(self, database: Any) -> None:
        super().__init__(database["goals"], Goal, GoalNotFound, ENCRYPTED, whose="client_id")

    def of_client(self, practice_id: str, client_id: str, limit: int, after: str | None) -> list[Goal]:
        """Newest first."""
        return self.list(practice_id, {"client_id": client_id}, limit, after, order="-proposed_at")
