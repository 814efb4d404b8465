"""A client's wish for another clinician, which goes past the clinician.

It is an aggregate of its own, so that the clinician, who reads the episode, cannot tell even by its version
that there is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.practices.domain.episodes import Episode
from services.practices.events.wishes import (
    AnotherClinicianWished,
    AnotherClinicianWishSettled,
    AnotherClinicianWishTakenBack,
)


class WishNotFound(Exception):
    """There is no such wish."""


class WishStands(Exception):
    """A client says one wish about an episode at a time."""


class WishOver(Exception):
    """Only a wish that is open can be settled or taken back."""


class WishStatus(StrEnum):
    OPEN = "open"
    TAKEN_BACK = "taken_back"
    SETTLED = "settled"


class Outcome(StrEnum):
    """What became of it."""

    TRANSFERRED = "transferred"
    TALKED = "talked"
    OTHER = "other"


@dataclass(kw_only=True)
class Wish:
    """To go on with another clinician than the one of that moment."""

    id: str
    practice_id: str
    episode_id: str
    client_id: str
    clinician_id: str
    wished_at: datetime
    text: str | None = None
    status: WishStatus = WishStatus.OPEN
    over_at: datetime | None = None
    settled_by: str | None = None
    outcome: Outcome | None = None
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def say(cls, *, id: str, episode: Episode, text: str | None, told: Sequence[str], at: datetime) -> "Wish":
        """`told`: the ids of those whom it goes to."""
        episode.require_open()
        wish = cls(
            id=id,
            practice_id=episode.practice_id,
            episode_id=episode.id,
            client_id=episode.client_id,
            clinician_id=episode.clinician_id,
            wished_at=at,
            text=text,
        )
        wish.events.append(AnotherClinicianWished(*wish._about(), list(told), at))
        return wish

    def take_back(self, told: Sequence[str], at: datetime) -> None:
        self._end(WishStatus.TAKEN_BACK, at)
        self.events.append(AnotherClinicianWishTakenBack(*self._about(), list(told), at))

    def settle(self, outcome: Outcome, by: str, at: datetime) -> None:
        self._end(WishStatus.SETTLED, at)
        self.outcome, self.settled_by = outcome, by
        self.events.append(AnotherClinicianWishSettled(*self._about(), by, at))

    def _end(self, status: WishStatus, at: datetime) -> None:
        if self.status is not WishStatus.OPEN:
            raise WishOver(f"Wish {self.id} is {self.status} already; a new one can be said at any time.")
        self.status, self.over_at = status, at

    def _about(self) -> tuple[str, str, str, str]:
        return self.id, self.episode_id, self.client_id, self.clinician_id
