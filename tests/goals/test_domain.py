"""One proposes, the other decides, once."""

import pytest

from services.goals.domain import Goal, GoalNotOpen, NotAsked, Status
from services.goals.events import GoalAgreed, GoalDeclined, GoalProposed
from shared.clock import now

CLIENT, CLINICIAN, COLLEAGUE = "client", "clinician", "colleague"


def proposed(by: str) -> Goal:
    return Goal.propose("g", "p", CLIENT, CLINICIAN, by, now(), "Sleep through the night")


@pytest.mark.parametrize(("by", "other"), [(CLIENT, CLINICIAN), (CLINICIAN, CLIENT)])
def test_the_other_one_agrees(by: str, other: str) -> None:
    goal = proposed(by)

    goal.agree(other, CLINICIAN, now())

    assert goal.status is Status.AGREED
    assert goal.events == [
        GoalProposed("g", CLIENT, CLINICIAN, by),
        GoalAgreed("g", CLIENT, CLINICIAN, by, other),
    ]


def test_the_other_one_declines() -> None:
    goal = proposed(CLINICIAN)

    goal.decline(CLIENT, CLINICIAN, now())

    assert goal.status is Status.DECLINED
    assert goal.events[-1] == GoalDeclined("g", CLIENT, CLINICIAN, CLINICIAN, CLIENT)


@pytest.mark.parametrize(
    ("by", "same"),
    [(CLIENT, CLIENT), (CLIENT, COLLEAGUE), (CLINICIAN, CLINICIAN), (CLINICIAN, COLLEAGUE)],
)
def test_nobody_decides_but_the_one_who_was_asked(by: str, same: str) -> None:
    goal = proposed(by)

    for decide in (goal.agree, goal.decline):
        with pytest.raises(NotAsked):
            decide(same, CLINICIAN, now())
    assert goal.status is Status.PROPOSED
    assert len(goal.events) == 1


@pytest.mark.parametrize(("proposed_by", "by"), [(CLINICIAN, CLIENT), (CLIENT, COLLEAGUE)])
def test_it_is_between_the_client_and_whoever_is_their_clinician_now(proposed_by: str, by: str) -> None:
    goal = proposed(proposed_by)

    goal.agree(by, COLLEAGUE, now())

    assert goal.clinician_id == COLLEAGUE
    assert goal.events[-1] == GoalAgreed("g", CLIENT, COLLEAGUE, proposed_by, by)


def test_a_decision_is_final() -> None:
    goal = proposed(CLINICIAN)
    goal.agree(CLIENT, CLINICIAN, now())

    for decide in (goal.agree, goal.decline):
        with pytest.raises(GoalNotOpen, match="is agreed"):
            decide(CLIENT, CLINICIAN, now())
    assert len(goal.events) == 2
