"""What practices says of episodes of care."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL, PUBLIC


@dataclass(frozen=True)
class EpisodeStarted:
    """A clinician begins to work with a client."""

    type: ClassVar = "episode.started"
    audience: ClassVar = PUBLIC
    episode_id: str
    client_id: str
    clinician_id: str
    started_at: datetime


@dataclass(frozen=True)
class EpisodeTransferred:
    """Another clinician goes on with a client."""

    type: ClassVar = "episode.transferred"
    audience: ClassVar = PUBLIC
    episode_id: str
    client_id: str
    clinician_id: str
    from_clinician_id: str
    transferred_at: datetime


@dataclass(frozen=True)
class EpisodeSnapshot(EpisodeStarted):
    """An episode as it is."""

    type: ClassVar = "episode.snapshot"
    audience: ClassVar = INTERNAL
    active: bool


EVENTS = (
    EpisodeStarted,
    EpisodeTransferred,
    EpisodeSnapshot,
)
