"""Requests to goals."""

from typing import Any

from services.goals.domain import Goal, GoalNotFound, GoalNotOpen, NoEpisode, NotAsked
from services.goals.schemas import GoalBody, GoalPage, GoalView
from services.goals.store import Goals
from shared.clock import now
from shared.security.access import clinician_for
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller, database, standings
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import PageQuery

PROBLEMS = {GoalNotFound: 404, GoalNotOpen: 409, NotAsked: 409, NoEpisode: 409}

api = Blueprint("goals", __name__, url_prefix="/v1", problems=PROBLEMS)


def goals() -> Goals:
    return Goals(database())


@api.post("/clients/<client_id>/goals")
@allows("goal.propose")
@api.arguments(GoalBody)
@api.response(201, GoalView)
@creates(goals)
def propose_goal(body: dict[str, Any], client_id: str, id: str) -> Goal:
    practice_id, by = caller().practice_id, caller().id
    return Goal.propose(id, practice_id, client_id, _clinician(client_id), by, now(), **body)


@api.get("/clients/<client_id>/goals")
@allows("goal.list")
@api.arguments(PageQuery, location="query")
@api.response(200, GoalPage)
def list_goals(query: dict[str, Any], client_id: str) -> dict[str, Any]:
    practice_id = caller().practice_id
    return page(query, lambda limit, after: goals().of_client(practice_id, client_id, limit, after))


@api.get("/goals/<goal_id>")
@allows("goal.read", goals)
@api.response(200, GoalView)
def read_goal(goal: Goal) -> Goal:
    return goal


@api.post("/goals/<goal_id>/agreement")
@allows("goal.agree", goals)
@api.response(200, GoalView)
def agree_goal(goal: Goal) -> Goal:
    goal.agree(caller().id, _clinician(goal.client_id, goal.clinician_id), now())
    return goals().save(goal)


@api.post("/goals/<goal_id>/refusal")
@allows("goal.decline", goals)
@api.response(200, GoalView)
def decline_goal(goal: Goal) -> Goal:
    # At any time: what nobody wants must not wait for care to begin again.
    clinician_id = clinician_for(database(), caller(), goal.client_id, standings(), goal.clinician_id)
    goal.decline(caller().id, clinician_id or goal.clinician_id, now())
    return goals().save(goal)


def _clinician(client_id: str, so_far: str | None = None) -> str:
    """Between whom and the client it is from now on."""
    found = clinician_for(database(), caller(), client_id, standings(), so_far)
    if found is None:
        raise NoEpisode("A goal is proposed and agreed while an episode of care is under way; there is none.")
    return found
