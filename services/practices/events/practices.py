"""What practices says of a practice."""

from dataclasses import dataclass
from typing import ClassVar

from shared.messaging.audience import INTERNAL


@dataclass(frozen=True)
class PracticeOpened:
    """A practice begins to work with Tandem."""

    type: ClassVar = "practice.opened"
    audience: ClassVar = INTERNAL
    name: str
    timezone: str
    languages: list[str]
    crisis_texts: dict[str, str]


@dataclass(frozen=True)
class PracticeSnapshot(PracticeOpened):
    """A practice as it is, for who could not hear what happened."""

    type: ClassVar = "practice.snapshot"
    audience: ClassVar = INTERNAL


EVENTS = (
    PracticeOpened,
    PracticeSnapshot,
)
