"""What practices says of those who look at a client whom they do not work with."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL


@dataclass(frozen=True)
class ClientGlassBroken:
    """In an emergency a member sees a client whom they do not work with; the owners are to be told."""

    type: ClassVar = "client.glass_broken"
    audience: ClassVar = INTERNAL
    look_id: str
    client_id: str
    member_id: str
    began_at: datetime
    ends_at: datetime
    owner_ids: list[str]


@dataclass(frozen=True)
class LookEnded:
    """A member has seen enough, before the time was over."""

    type: ClassVar = "look.ended"
    audience: ClassVar = INTERNAL
    look_id: str
    client_id: str
    member_id: str
    ends_at: datetime


@dataclass(frozen=True)
class LookSnapshot(LookEnded):
    """A look as it is."""

    type: ClassVar = "look.snapshot"
    audience: ClassVar = INTERNAL
    began_at: datetime


EVENTS = (
    ClientGlassBroken,
    LookEnded,
    LookSnapshot,
)
