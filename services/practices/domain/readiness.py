"""Readiness rulers: how important the work is to a client, and how confident they are, 0 to 10 each.

There is no published cut-off: a practice sets its own, or none (design/domain.md, Readiness).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.practices.domain.episodes import ACTIVE, Episode
from services.practices.events.readiness import ReadinessRated

OFFER = (
    "It is all right to take a break. You can pause now and come back when it suits you, "
    "or talk about it when you next meet."
)


class ReadinessNotFound(Exception):
    """There is no such rating."""


@dataclass(kw_only=True)
class Readiness:
    """One rating, with whether its answer offered the client a pause."""

    id: str
    practice_id: str
    episode_id: str
    client_id: str
    clinician_id: str
    importance: int
    confidence: int
    rated_at: datetime
    pause_offered: bool
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def rate(
        cls,
        *,
        id: str,
        episode: Episode,
        importance: int,
        confidence: int,
        threshold: int | None,
        at: datetime,
    ) -> "Readiness":
        """`threshold`: the practice's; below it on either ruler a client who is not pausing is offered it."""
        episode.require_under_way()
        low = threshold is not None and min(importance, confidence) < threshold
        rating = cls(
            id=id,
            practice_id=episode.practice_id,
            episode_id=episode.id,
            client_id=episode.client_id,
            clinician_id=episode.clinician_id,
            importance=importance,
            confidence=confidence,
            rated_at=at,
            pause_offered=low and episode.status is ACTIVE,
        )
        rating.events.append(ReadinessRated(id, episode.id, episode.client_id, episode.clinician_id, at))
        return rating
