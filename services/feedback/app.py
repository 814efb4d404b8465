"""The parts of feedback."""

from services.feedback.api import api
from services.feedback.events import FeedbackAnswered, FeedbackGiven
from services.feedback.handlers import subscriber
from services.feedback.store import COLLECTIONS
from shared.security import access
from shared.service import Service

service = Service(
    name="feedback",
    title="Feedback: what clients say about their sessions, and what clinicians answer.",
    events=(FeedbackGiven, FeedbackAnswered),
    collections=COLLECTIONS,
    apis=(api,),
    subscriber=subscriber,
    standings=access.standings,
)
