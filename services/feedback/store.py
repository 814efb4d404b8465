"""Feedback in MongoDB."""

from typing import Any

from services.feedback.domain import Feedback, FeedbackNotFound
from shared import safety
from shared.security import access
from shared.store.aggregates import Aggregates
from shared.store.indexes import aggregates, records
from shared.store.lock.fields import RECORD

ENCRYPTED = {"most_helpful": RECORD, "least_helpful": RECORD, "answer": RECORD}

COLLECTIONS = (
    aggregates("feedback", [("practice_id", 1), ("client_id", 1), ("given_at", -1), ("_id", -1)]),
    records("sessions"),
    *access.COLLECTIONS,
    *safety.COLLECTIONS,
)


class Feedbacks(Aggregates[Feedback]):
    def __init__(self, database: Any) -> None:
        super().__init__(database["feedback"], Feedback, FeedbackNotFound, ENCRYPTED, whose="client_id")

    def of_client(self, practice_id: str, client_id: str, limit: int, after: str | None) -> list[Feedback]:
        """Newest first."""
        return self.list(practice_id, {"client_id": client_id}, limit, after, order="-given_at")
