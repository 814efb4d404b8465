"""Sessions as they are shown: with the clinician of today, and with what to beware of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.practices.api.stores import all_series, episodes
from services.practices.domain.episodes import Episode, EpisodeStatus
from services.practices.domain.sessions import Occurrence, Series, Session
from shared.security.policy import permits
from shared.web.context import caller, standings

Warnings = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Shown:
    """A session, to whoever asks."""

    series: Series
    session: Session
    clinician_id: str
    reason: str | None
    warnings: Warnings = ()

    @property
    def id(self) -> str:
        return self.session.id

    @property
    def version(self) -> int:
        return self.series.version


@dataclass(frozen=True)
class ShownSeries:
    series: Series
    sessions: Sequence[Shown]
    warnings: Warnings

    @property
    def id(self) -> str:
        return self.series.id

    @property
    def version(self) -> int:
        return self.series.version


def shown(one: Occurrence, episode: Episode, warnings: Warnings = ()) -> Shown:
    session = one.session
    clinician_id = episode.clinician_at(session.starts_at) if session.scheduled else session.clinician_id
    reads = permits("session.read_reason", standings())
    reason = one.series.reasons.get(one.id) if reads else None
    return Shown(one.series, one.session, clinician_id, reason, warnings)


def warnings(episode: Episode, sessions: Sequence[Session]) -> Warnings:
    """Of what was done all the same; of another client's session no more than that there is one.

    Even that is for the members who plan the clinician's day.
    """
    if caller().kind != "member" or not permits("session.move", standings()):
        return []
    found = []
    if beside := _beside(episode, [session for session in sessions if session.scheduled]):
        detail = "The clinician has another session at this time; move one of them."
        found.append({"kind": "overlap", "detail": detail, "session_ids": beside})
    if episode.status is EpisodeStatus.PAUSED:
        detail = "The episode is paused; the client may not expect a session."
        found.append({"kind": "paused", "detail": detail, "session_ids": []})
    return found


def _beside(episode: Episode, sessions: Sequence[Session]) -> list[str]:
    if not sessions:
        return []
    since = min(session.starts_at for session in sessions)
    until = max(session.ends_at for session in sessions)
    care = episodes().ids_of(episode.practice_id, episode.clinician_id)
    others = all_series().beside(episode.practice_id, care, since, until)
    return [
        session.id
        for session in sessions
        if any(session.is_beside(other) for other in others if other.id != session.id)
    ]
