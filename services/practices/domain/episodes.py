"""Care between a client and a clinician."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.practices.domain.clients import Client
from services.practices.domain.members import Member
from services.practices.events.episodes import EpisodeSnapshot, EpisodeStarted, EpisodeTransferred


class EpisodeNotFound(Exception):
    """There is no such episode."""


class NotYourEpisode(Exception):
    """A clinician starts episodes of their own; owners and admins start them for others."""


class EpisodeStatus(StrEnum):
    PLANNED = "planned"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"
    AFTERCARE = "aftercare"
    CLOSED = "closed"


@dataclass(kw_only=True)
class Episode:
    """One client's work with one clinician, from its start to its end."""

    id: str
    practice_id: str
    client_id: str
    clinician_id: str
    started_at: datetime
    status: EpisodeStatus = EpisodeStatus.ACTIVE
    call_off_at: datetime | None = None
    """When it ended, until the sessions that were still to come are cancelled for sure."""
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def start(cls, *, id: str, client: Client, clinician: Member, by: Member, at: datetime) -> "Episode":
        if clinician.id != by.id and not by.in_office:
            raise NotYourEpisode("Ask an owner or admin of the practice to start it for another clinician.")
        clinician.require_active_clinician()
        episode = cls(
            id=id,
            practice_id=client.practice_id,
            client_id=client.id,
            clinician_id=clinician.id,
            started_at=at,
        )
        episode.events.append(EpisodeStarted(id, client.id, clinician.id, at))
        return episode

    def transfer(self, to: Member, by: Member, at: datetime) -> None:
        to.require_active_clinician()
        if to.id != self.clinician_id:
            before, self.clinician_id = self.clinician_id, to.id
            self.events.append(EpisodeTransferred(self.id, self.client_id, to.id, before, at))

    def snapshot(self) -> EpisodeSnapshot:
        current = self.status is EpisodeStatus.ACTIVE
        return EpisodeSnapshot(self.id, self.client_id, self.clinician_id, self.started_at, current)
