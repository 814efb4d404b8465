"""What practices says of readiness rulers: that they were used, never where."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL


@dataclass(frozen=True)
class ReadinessRated:
    """A client says how important the work is to them, and how confident they are."""

    type: ClassVar = "episode.readiness_rated"
    audience: ClassVar = INTERNAL
    rating_id: str
    episode_id: str
    client_id: str
    clinician_id: str
    rated_at: datetime


EVENTS = (ReadinessRated,)
