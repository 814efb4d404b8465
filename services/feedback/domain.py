"""The rules of feedback: a client speaks about a session, the clinician answers once."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from services.feedback.events import FeedbackAnswered, FeedbackGiven


class FeedbackNotFound(Exception):
    """There is no such feedback."""


class NoEpisode(Exception):
    """Feedback needs an episode of care under way."""


class SessionNotHeldYet(Exception):
    """Feedback is about a session that has been held."""


class AlreadyAnswered(Exception):
    """Feedback is answered once."""


@dataclass
class Ratings:
    """Five items of our own wording, each 0 (not at all) to 10 (completely)."""

    heard: int
    mattered: int
    pace: int
    could_say: int
    usable: int


@dataclass
class Answer:
    """What the clinician says to it, and what changes because of it."""

    text: str
    change: str | None
    answered_by: str
    answered_at: datetime


@dataclass
class Feedback:
    """A client's feedback after one session."""

    id: str
    practice_id: str
    client_id: str
    clinician_id: str
    session_on: date
    ratings: Ratings
    most_helpful: str | None
    least_helpful: str | None
    given_at: datetime
    answer: Answer | None = None
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def give(
        cls,
        id: str,
        practice_id: str,
        client_id: str,
        clinician_id: str,
        at: datetime,
        session_on: date,
        ratings: Ratings,
        most_helpful: str | None = None,
        least_helpful: str | None = None,
    ) -> "Feedback":
        # The session's day is a local date: somewhere on earth it is already tomorrow.
        if session_on > at.date() + timedelta(days=1):
            raise SessionNotHeldYet(
                f"A session on {session_on} has not been held; give its day in session_on."
            )
        given = cls(
            id, practice_id, client_id, clinician_id, session_on, ratings, most_helpful, least_helpful, at
        )
        given.events.append(FeedbackGiven(id, client_id, clinician_id))
        return given

    def reply(self, by: str, at: datetime, text: str, change: str | None = None) -> None:
        if self.answer is not None:
            raise AlreadyAnswered(
                f"Feedback {self.id} was answered at {self.answer.answered_at:%Y-%m-%d %H:%M} UTC."
            )
        self.answer = Answer(text, change, by, at)
        self.events.append(FeedbackAnswered(self.id, self.client_id, by))
