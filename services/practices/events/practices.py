"""What practices says of a practice."""

from dataclasses import dataclass
from typing import ClassVar

from shared.messaging.audience import INTERNAL


@dataclass(frozen=True)
class PracticeOpened:
    """A practice begins to work with Tandem; what it has not decided yet is at its default."""

    type: ClassVar = "practice.opened"
    audience: ClassVar = INTERNAL
    name: str
    timezone: str
    languages: list[str]
    crisis_texts: dict[str, str]
    locale: str
    working_hours: dict[str, list[dict[str, str]]]
    on_call: str | None
    quiet_hours: dict[str, str] | None
    fair_chance_sessions: int
    review_interval_days: int
    days_until_quiet: int
    readiness_threshold: int | None
    not_on_track_rule: str | None
    risk_acknowledgement_minutes: int
    rating_window_hours: int
    break_glass: bool
    invite_at_enrolment: bool


@dataclass(frozen=True)
class PracticeChanged(PracticeOpened):
    """A practice decides otherwise about some of this."""

    type: ClassVar = "practice.changed"
    audience: ClassVar = INTERNAL


@dataclass(frozen=True)
class PracticeSnapshot(PracticeOpened):
    """A practice as it is, for who could not hear what happened."""

    type: ClassVar = "practice.snapshot"
    audience: ClassVar = INTERNAL


EVENTS = (
    PracticeOpened,
    PracticeChanged,
    PracticeSnapshot,
)
