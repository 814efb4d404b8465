"""What goals says."""

from dataclasses import dataclass
from typing import ClassVar

from shared.messaging.audience import PUBLIC


@dataclass(frozen=True)
class GoalProposed:
    """Client or clinician proposes a goal; the other one is asked."""

    type: ClassVar = "goal.proposed"
    audience: ClassVar = PUBLIC
    goal_id: str
    client_id: str
    clinician_id: str
    proposed_by: str


@dataclass(frozen=True)
class GoalAgreed:
    """Client and clinician agree on a goal."""

    type: ClassVar = "goal.agreed"
    audience: ClassVar = PUBLIC
    goal_id: str
    client_id: str
    clinician_id: str
    proposed_by: str
    agreed_by: str


@dataclass(frozen=True)
class GoalDeclined:
    """The one who was asked does not take the goal on."""

    type: ClassVar = "goal.declined"
    audience: ClassVar = PUBLIC
    goal_id: str
    client_id: str
    clinician_id: str
    proposed_by: str
    declined_by: str
