"""What feedback says: who spoke to whom, never what was said or how a session was rated."""

from dataclasses import dataclass
from typing import ClassVar

from shared.messaging.audience import INTERNAL


@dataclass(frozen=True)
class FeedbackGiven:
    """A client says how a session was."""

    type: ClassVar = "feedback.given"
    audience: ClassVar = INTERNAL
    feedback_id: str
    client_id: str
    clinician_id: str


@dataclass(frozen=True)
class FeedbackAnswered:
    """The clinician answers a client's feedback."""

    type: ClassVar = "feedback.answered"
    audience: ClassVar = INTERNAL
    feedback_id: str
    client_id: str
    clinician_id: str
