"""The rules of goals: one proposes, the other agrees or declines, and that is history."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from services.goals.events import GoalAgreed, GoalDeclined, GoalProposed


class GoalNotFound(Exception):
    """There is no such goal."""


class NoEpisode(Exception):
    """A goal needs an episode of care under way."""


class GoalNotOpen(Exception):
    """Only a proposed goal can be agreed or declined."""


class NotAsked(Exception):
    """The one who was asked decides on a proposal."""


class Status(StrEnum):
    PROPOSED = "proposed"
    AGREED = "agreed"
    DECLINED = "declined"


@dataclass
class Goal:
    """A goal between a client and whoever was their clinician when it was proposed or, later, decided."""

    id: str
    practice_id: str
    client_id: str
    clinician_id: str
    what: str
    why: str | None
    target_on: date | None
    proposed_by: str
    proposed_at: datetime
    status: Status = Status.PROPOSED
    decided_by: str | None = None
    decided_at: datetime | None = None
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def propose(
        cls,
        id: str,
        practice_id: str,
        client_id: str,
        clinician_id: str,
        by: str,
        at: datetime,
        what: str,
        why: str | None = None,
        target_on: date | None = None,
    ) -> "Goal":
        """A goal in the client's words, proposed by either of the two."""
        goal = cls(id, practice_id, client_id, clinician_id, what, why, target_on, by, at)
        goal.events.append(GoalProposed(id, client_id, clinician_id, by))
        return goal

    def agree(self, by: str, clinician_id: str, at: datetime) -> None:
        self._decide(Status.AGREED, by, clinician_id, at)
        self.events.append(GoalAgreed(self.id, self.client_id, self.clinician_id, self.proposed_by, by))

    def decline(self, by: str, clinician_id: str, at: datetime) -> None:
        self._decide(Status.DECLINED, by, clinician_id, at)
        self.events.append(GoalDeclined(self.id, self.client_id, self.clinician_id, self.proposed_by, by))

    def _decide(self, status: Status, by: str, clinician_id: str, at: datetime) -> None:
        """`clinician_id`: who is the client's clinician now."""
        if self.status is not Status.PROPOSED:
            raise GoalNotOpen(
                f"Goal {self.id} is {self.status}; only a proposed goal can be agreed or declined."
            )
        proposed_by_client = self.proposed_by == self.client_id
        if by != (clinician_id if proposed_by_client else self.client_id):
            asked = "clinician" if proposed_by_client else "client"
            raise NotAsked(f"Goal {self.id} waits for the {asked} to agree or decline.")
        self.clinician_id = clinician_id
        self.status, self.decided_by, self.decided_at = status, by, at
