"""What practices says of wishes for another clinician; `told`: whom it goes to, never the clinician."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL


@dataclass(frozen=True)
class Told:
    """What every one of them says."""

    wish_id: str
    episode_id: str
    client_id: str
    clinician_id: str


@dataclass(frozen=True)
class AnotherClinicianWished(Told):
    """A client wishes for another clinician."""

    type: ClassVar = "episode.another_clinician_wished"
    audience: ClassVar = INTERNAL
    told: list[str]
    wished_at: datetime


@dataclass(frozen=True)
class AnotherClinicianWishTakenBack(Told):
    """A client has changed their mind."""

    type: ClassVar = "episode.another_clinician_wish_taken_back"
    audience: ClassVar = INTERNAL
    told: list[str]
    taken_back_at: datetime


@dataclass(frozen=True)
class AnotherClinicianWishSettled(Told):
    """Somebody has seen to the wish."""

    type: ClassVar = "episode.another_clinician_wish_settled"
    audience: ClassVar = INTERNAL
    settled_by: str
    settled_at: datetime


EVENTS = (
    AnotherClinicianWished,
    AnotherClinicianWishTakenBack,
    AnotherClinicianWishSettled,
)
