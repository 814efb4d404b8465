"""The parts of goals."""

from services.goals.api import api
from services.goals.events import GoalAgreed, GoalDeclined, GoalProposed
from services.goals.handlers import subscriber
from services.goals.store import COLLECTIONS
from shared.security import access
from shared.service import Service

service = Service(
    name="goals",
    title="Goals: what client and clinician agree to work towards.",
    events=(GoalProposed, GoalAgreed, GoalDeclined),
    collections=COLLECTIONS,
    apis=(api,),
    subscriber=subscriber,
    standings=access.standings,
)
