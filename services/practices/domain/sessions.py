"""Sessions between a client and a clinician: one series for each time that somebody schedules."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from services.practices.domain.episodes import Episode, EpisodeStatus
from services.practices.events.sessions import (
    SessionCancelled,
    SessionHeld,
    SessionMissed,
    SessionMoved,
    SessionScheduled,
    SessionSnapshot,
)

OVER = frozenset({EpisodeStatus.ENDED, EpisodeStatus.CLOSED})
MOST_CHANGES = 100
"""Of one session: a series has up to 104, all in one document."""


class SeriesNotFound(Exception):
    """There is no such series."""


class EpisodeOver(Exception):
    """In an episode that has ended nothing is scheduled or moved."""


class SessionNotScheduled(Exception):
    """Only a scheduled session can be moved or cancelled, and only one that was not cancelled be held."""


class SessionNotBegun(Exception):
    """A session that has not begun was neither held nor missed."""


class TooManyChanges(Exception):
    """A session that was changed very often can only be cancelled, held or missed."""


class SessionBegun(Exception):
    """A client cancels before the session begins."""


class SessionStatus(StrEnum):
    SCHEDULED = "scheduled"
    HELD = "held"
    MISSED = "missed"
    CANCELLED = "cancelled"


OUTCOMES = {SessionStatus.HELD: SessionHeld, SessionStatus.MISSED: SessionMissed}


class Scope(StrEnum):
    """How much of a series is meant."""

    THIS = "this"
    FOLLOWING = "following"


@dataclass
class Change:
    """What somebody did to a session, and what it was before."""

    what: str
    by: str
    at: datetime
    status: SessionStatus
    starts_at: datetime
    ends_at: datetime


@dataclass
class Session:
    """One session; `clinician_id` is whose it was, as of when it last changed."""

    id: str
    clinician_id: str
    starts_at: datetime
    ends_at: datetime
    status: SessionStatus = SessionStatus.SCHEDULED
    history: list[Change] = field(default_factory=list)

    @property
    def scheduled(self) -> bool:
        return self.status is SessionStatus.SCHEDULED

    @property
    def takes_place(self) -> bool:
        return self.status in (SessionStatus.SCHEDULED, SessionStatus.HELD)

    def is_beside(self, other: "Session") -> bool:
        """Whether the two take place at one time."""
        both = self.takes_place and other.takes_place
        return both and self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def note(self, what: str, by: str, at: datetime) -> None:
        self.history.append(Change(what, by, at, self.status, self.starts_at, self.ends_at))


@dataclass(kw_only=True)
class Series:
    """Sessions of one episode that were scheduled together, a single one or those of a rule.

    Their times are instants: a later change of the practice's zone moves none of them. `timezone` is the
    one whose clock they were scheduled by.
    """

    id: str
    practice_id: str
    episode_id: str
    client_id: str
    timezone: str
    rrule: str | None
    sessions: list[Session]
    in_aftercare: bool = False
    """Made after the end of care, which therefore does not cancel it."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why a session was cancelled, in somebody's own words, by session."""
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def schedule(
        cls, episode: Episode, starts: Mapping[str, datetime], minutes: int, **about: Any
    ) -> "Series":
        """`starts` are by local time, from which each session has the id that it keeps wherever it moves."""
        _require_under_way(episode)
        sessions = [
            Session(
                _session_id(about["id"], local),
                episode.clinician_at(at),
                at,
                at + timedelta(minutes=minutes),
            )
            for local, at in starts.items()
        ]
        parties: dict[str, Any] = {"practice_id": episode.practice_id, "client_id": episode.client_id}
        in_aftercare = episode.status is EpisodeStatus.AFTERCARE
        series = cls(episode_id=episode.id, sessions=sessions, in_aftercare=in_aftercare, **parties, **about)
        series.events += [series._timed(SessionScheduled, session) for session in sessions]
        return series

    def session(self, id: str) -> Session:
        return next(session for session in self.sessions if session.id == id)

    def move(
        self, session: Session, episode: Episode, to: datetime, minutes: int | None, by: str, at: datetime
    ) -> None:
        """Only this one; without `minutes` it lasts as long as before."""
        _require_under_way(episode)
        if episode.status is EpisodeStatus.AFTERCARE and not self.in_aftercare:
            raise EpisodeOver(f"Session {session.id} was of care that has ended; schedule another one.")
        _require_scheduled(session)
        ends_at = to + (timedelta(minutes=minutes) if minutes else session.ends_at - session.starts_at)
        if (to, ends_at) == (session.starts_at, session.ends_at):
            return
        _require_room(session)
        session.note("moved", by, at)
        session.starts_at, session.ends_at = to, ends_at
        session.clinician_id = episode.clinician_at(to)
        self.events.append(self._timed(SessionMoved, session))

    def settle(
        self, session: Session, episode: Episode, outcome: SessionStatus, by: str, at: datetime
    ) -> None:
        """Held or missed; either may be corrected to the other."""
        if session.status is SessionStatus.CANCELLED:
            raise SessionNotScheduled(f"Session {session.id} is cancelled; schedule another one.")
        if at < session.starts_at:
            raise SessionNotBegun(f"Session {session.id} begins later; say so once it has begun.")
        if session.status is outcome:
            return
        if session.scheduled:
            session.clinician_id = episode.clinician_at(session.starts_at)
        else:
            _require_room(session)
        session.note(outcome.value, by, at)
        session.status = outcome
        self.events.append(OUTCOMES[outcome](**self._about(session), settled_at=at))

    def cancel(
        self,
        session: Session,
        episode: Episode,
        scope: Scope,
        by: str,
        at: datetime,
        reason: str | None,
        *,
        by_client: bool,
    ) -> None:
        _require_scheduled(session)
        if by_client and session.starts_at <= at:
            raise SessionBegun(f"Session {session.id} has begun; ask the practice to correct what is wrong.")
        for one in self._meant(session, scope):
            self._cancel(one, episode, by, at)
            if reason is not None:
                self.reasons[one.id] = reason

    def call_off(self, episode: Episode, by: str, at: datetime) -> None:
        """Cancel what was to come when care ended then; what was made in aftercare goes on with that."""
        if self.in_aftercare and episode.status is not EpisodeStatus.CLOSED:
            return
        for session in self.sessions:
            if session.scheduled and session.starts_at > at:
                self._cancel(session, episode, by, at)

    def _meant(self, session: Session, scope: Scope) -> list[Session]:
        if scope is Scope.THIS:
            return [session]
        return [one for one in self.sessions if one.scheduled and one.starts_at >= session.starts_at]

    def _cancel(self, session: Session, episode: Episode, by: str, at: datetime) -> None:
        session.note("cancelled", by, at)
        session.clinician_id = episode.clinician_at(session.starts_at)
        session.status = SessionStatus.CANCELLED
        self.events.append(SessionCancelled(**self._about(session), cancelled_by=by, cancelled_at=at))

    def _about(self, session: Session) -> dict[str, Any]:
        return {
            "session_id": session.id,
            "series_id": self.id,
            "episode_id": self.episode_id,
            "client_id": self.client_id,
            "clinician_id": session.clinician_id,
        }

    def _timed(self, kind: type[SessionScheduled], session: Session) -> SessionScheduled:
        return kind(**self._about(session), starts_at=session.starts_at, ends_at=session.ends_at)

    def snapshot(self) -> SessionSnapshot:
        def each(name: str) -> dict[str, Any]:
            return {session.id: getattr(session, name) for session in self.sessions}

        times = each("starts_at"), each("ends_at")
        about = self.id, self.episode_id, self.client_id
        return SessionSnapshot(*about, each("clinician_id"), *times, each("status"))


@dataclass(frozen=True)
class Occurrence:
    """A session with the series that it is of, which is what is changed, saved and has a version."""

    series: Series
    session: Session

    @property
    def id(self) -> str:
        return self.session.id

    @property
    def client_id(self) -> str:
        return self.series.client_id

    @property
    def version(self) -> int:
        return self.series.version


def occurrences(series: Iterable[Series]) -> Iterator[Occurrence]:
    return (Occurrence(one, session) for one in series for session in one.sessions)


def _session_id(series_id: str, local: str) -> str:
    return str(uuid5(UUID(series_id), local))


def _require_under_way(episode: Episode) -> None:
    if episode.status in OVER:
        raise EpisodeOver(f"Episode {episode.id} is {episode.status}; {episode.way_back}.")


def _require_scheduled(session: Session) -> None:
    if not session.scheduled:
        raise SessionNotScheduled(f"Session {session.id} is {session.status}; schedule another one.")


def _require_room(session: Session) -> None:
    if len(session.history) >= MOST_CHANGES:
        raise TooManyChanges(
            f"Session {session.id} was changed {MOST_CHANGES} times; cancel it and schedule another one."
        )
