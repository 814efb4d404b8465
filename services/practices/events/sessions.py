"""What practices says of sessions."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL, PUBLIC


@dataclass(frozen=True)
class Told:
    """What every one of them says."""

    session_id: str
    series_id: str
    episode_id: str
    client_id: str
    clinician_id: str


@dataclass(frozen=True)
class SessionScheduled(Told):
    """A client and a clinician will meet."""

    type: ClassVar = "session.scheduled"
    audience: ClassVar = PUBLIC
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class SessionMoved(SessionScheduled):
    """A session will be at another time than was said before."""

    type: ClassVar = "session.moved"
    audience: ClassVar = PUBLIC


@dataclass(frozen=True)
class SessionHeld(Told):
    """A session took place."""

    type: ClassVar = "session.held"
    audience: ClassVar = PUBLIC
    settled_at: datetime


@dataclass(frozen=True)
class SessionMissed(SessionHeld):
    """A session did not take place, because somebody did not come."""

    type: ClassVar = "session.missed"
    audience: ClassVar = PUBLIC


@dataclass(frozen=True)
class SessionCancelled(Told):
    """A session will not take place."""

    type: ClassVar = "session.cancelled"
    audience: ClassVar = PUBLIC
    cancelled_by: str
    cancelled_at: datetime


@dataclass(frozen=True)
class SessionSnapshot:
    """All sessions of a series as they are, each fact by session."""

    type: ClassVar = "session.snapshot"
    audience: ClassVar = INTERNAL
    series_id: str
    episode_id: str
    client_id: str
    clinician_ids: dict[str, str]
    starts_at: dict[str, datetime]
    ends_at: dict[str, datetime]
    statuses: dict[str, str]


EVENTS = (
    SessionScheduled,
    SessionMoved,
    SessionHeld,
    SessionMissed,
    SessionCancelled,
    SessionSnapshot,
)
