"""Requests to feedback."""

from typing import Any

from services.feedback.domain import (
    AlreadyAnswered,
    Feedback,
    FeedbackNotFound,
    NoEpisode,
    Ratings,
    SessionNotHeldYet,
)
from services.feedback.schemas import AnswerBody, FeedbackBody, FeedbackPage, FeedbackView
from services.feedback.store import Feedbacks
from shared.clock import now
from shared.security.access import clinician_for
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller, database, standings
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import PageQuery

PROBLEMS = {FeedbackNotFound: 404, NoEpisode: 409, SessionNotHeldYet: 409, AlreadyAnswered: 409}

api = Blueprint("feedback", __name__, url_prefix="/v1", problems=PROBLEMS)


def feedbacks() -> Feedbacks:
    return Feedbacks(database())


@api.post("/clients/<client_id>/feedback")
@allows("feedback.give")
@api.arguments(FeedbackBody)
@api.response(201, FeedbackView)
@creates(feedbacks)
def give_feedback(body: dict[str, Any], client_id: str, id: str) -> Feedback:
    clinician_id = clinician_for(database(), caller(), client_id, standings())
    if clinician_id is None:
        raise NoEpisode("Feedback goes to a clinician while an episode of care is under way; there is none.")
    ratings = Ratings(**body.pop("ratings"))
    return Feedback.give(id, caller().practice_id, client_id, clinician_id, now(), ratings=ratings, **body)


@api.get("/clients/<client_id>/feedback")
@allows("feedback.list")
@api.arguments(PageQuery, location="query")
@api.response(200, FeedbackPage)
def list_feedback(query: dict[str, Any], client_id: str) -> dict[str, Any]:
    practice_id = caller().practice_id
    return page(query, lambda limit, after: feedbacks().of_client(practice_id, client_id, limit, after))


@api.get("/feedback/<feedback_id>")
@allows("feedback.read", feedbacks)
@api.response(200, FeedbackView)
def read_feedback(feedback: Feedback) -> Feedback:
    return feedback


@api.post("/feedback/<feedback_id>/answer")
@allows("feedback.answer", feedbacks)
@api.arguments(AnswerBody)
@api.response(200, FeedbackView)
def answer_feedback(feedback: Feedback, body: dict[str, Any]) -> Feedback:
    feedback.reply(caller().id, now(), **body)
    return feedbacks().save(feedback)
