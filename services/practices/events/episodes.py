"""What practices says of episodes of care: each event with whose it is and what state it is in now."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL, PUBLIC


@dataclass(frozen=True)
class Told:
    """What every one of them says."""

    episode_id: str
    client_id: str
    clinician_id: str
    status: str


@dataclass(frozen=True)
class EpisodePlanned(Told):
    """Client and clinician are to begin on a later day."""

    type: ClassVar = "episode.planned"
    audience: ClassVar = PUBLIC
    starts_at: datetime


@dataclass(frozen=True)
class EpisodeStarted(Told):
    """A clinician begins to work with a client."""

    type: ClassVar = "episode.started"
    audience: ClassVar = PUBLIC
    started_at: datetime


@dataclass(frozen=True)
class EpisodePaused(Told):
    """The work rests, because one of them says so."""

    type: ClassVar = "episode.paused"
    audience: ClassVar = PUBLIC
    paused_at: datetime
    paused_by: str


@dataclass(frozen=True)
class EpisodeResumeAsked(Told):
    """The day has come on which both wanted to be asked whether to go on."""

    type: ClassVar = "episode.resume_asked"
    audience: ClassVar = PUBLIC
    asked_at: datetime


@dataclass(frozen=True)
class EpisodeResumed(Told):
    """The work goes on, because one of them says so."""

    type: ClassVar = "episode.resumed"
    audience: ClassVar = PUBLIC
    resumed_at: datetime
    resumed_by: str


@dataclass(frozen=True)
class EpisodeEnded(Told):
    """The work has come to its end."""

    type: ClassVar = "episode.ended"
    audience: ClassVar = PUBLIC
    ended_at: datetime
    ended_by: str


@dataclass(frozen=True)
class EpisodeAftercareArranged(Told):
    """Somebody looks in on the client on some days after the end."""

    type: ClassVar = "episode.aftercare_arranged"
    audience: ClassVar = PUBLIC
    arranged_at: datetime
    ends_on: date


@dataclass(frozen=True)
class EpisodeCheckInDue(Told):
    """A day has come on which the clinician looks in on a client in aftercare."""

    type: ClassVar = "episode.check_in_due"
    audience: ClassVar = PUBLIC
    check_in_on: date
    number: int


@dataclass(frozen=True)
class EpisodeTransferred(Told):
    """Another clinician goes on with the client."""

    type: ClassVar = "episode.transferred"
    audience: ClassVar = PUBLIC
    from_clinician_id: str
    transferred_at: datetime


@dataclass(frozen=True)
class EpisodeClosed(Told):
    """Nothing follows any more, because somebody says so or a date came; coming back is a new episode."""

    type: ClassVar = "episode.closed"
    audience: ClassVar = PUBLIC
    closed_at: datetime
    closed_by: str | None


@dataclass(frozen=True)
class EpisodeSnapshot(EpisodeStarted):
    """An episode as it is; one that has not started says when it was to."""

    type: ClassVar = "episode.snapshot"
    audience: ClassVar = INTERNAL


EVENTS = (
    EpisodePlanned,
    EpisodeStarted,
    EpisodePaused,
    EpisodeResumeAsked,
    EpisodeResumed,
    EpisodeEnded,
    EpisodeAftercareArranged,
    EpisodeCheckInDue,
    EpisodeTransferred,
    EpisodeClosed,
    EpisodeSnapshot,
)
