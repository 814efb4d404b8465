"""What practices says of wishes for another clinician; `told`: whom it goes to, never the clinician."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL


@dataclass(frozen=True)
class AnotherClinicianWished:
    """A client wishes for another clinician."""

    type: ClassVar = "episode.another_clinician_wished"
    audience: ClassVar = INTERNAL
    wish_id: str
    episode_id: str
    client_id: str
    clinician_id: str
    told: list[str]
    wished_at: datetime


@dataclass(frozen=True)
class AnotherClinicianWishTakenBack:
    """A client has changed their mind."""

    type: ClassVar = "episode.another_clinician_wish_taken_back"
    audience: ClassVar = INTERNAL
    wish_id: str
    episode_id: str
    client_id: str
    clinician_id: str
    told: list[str]
    taken_back_at: datetime


@dataclass(frozen=True)
class AnotherClinicianWishSettled:
    """Somebody has seen to the wish."""

    type: ClassVar = "episode.another_clinician_wish_settled"
    audience: ClassVar = INTERNAL
    wish_id: str
    episode_id: str
    client_id: str
    clinician_id: str
    settled_by: str
    settled_at: datetime


EVENTS = (
    AnotherClinicianWished,
    AnotherClinicianWishTakenBack,
    AnotherClinicianWishSettled,
)
