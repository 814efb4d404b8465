"""What practices says of leave cover."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL


@dataclass(frozen=True)
class CoverArranged:
    """For a while one clinician stands in for another."""

    type: ClassVar = "cover.arranged"
    audience: ClassVar = INTERNAL
    cover_id: str
    member_id: str
    covered_by: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class CoverCancelled:
    """Nobody stands in any more, though the time is not over."""

    type: ClassVar = "cover.cancelled"
    audience: ClassVar = INTERNAL
    cover_id: str


@dataclass(frozen=True)
class CoverSnapshot(CoverArranged):
    """A cover as it is."""

    type: ClassVar = "cover.snapshot"
    audience: ClassVar = INTERNAL
    active: bool


EVENTS = (
    CoverArranged,
    CoverCancelled,
    CoverSnapshot,
)
