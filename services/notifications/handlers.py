"""What notifications hears: who people are, and what they must be told of."""

from collections.abc import Iterator

from services.notifications import schemas
from services.notifications.domain import the_other_one
from shared.messaging.envelope import Event, derived_id
from shared.messaging.subscriber import Subscriber
from shared.security import access
from shared.store.operations import Operation, create, project

subscriber = Subscriber("notifications")
access.follow(subscriber)


@subscriber.on("member.snapshot", schemas.MemberJoined, source="practices")
@subscriber.on("member.joined", schemas.MemberJoined, source="practices")
@subscriber.on("member.changed", schemas.MemberJoined, source="practices")
def know_member(event: Event) -> Iterator[Operation]:
    yield project("people", event.data["member_id"], {"display_name": event.data["display_name"]})


@subscriber.on("client.snapshot", schemas.ClientEnrolled, source="practices")
@subscriber.on("client.enrolled", schemas.ClientEnrolled, source="practices")
@subscriber.on("client.changed", schemas.ClientEnrolled, source="practices")
def know_client(event: Event) -> Iterator[Operation]:
    yield project("people", event.data["client_id"], {"display_name": event.data["display_name"]})


def told(event: Event, person_id: str, by: str, about_id: str) -> Operation:
    """One entry in one person's inbox; names are looked up when it is read."""
    entry = {
        "person_id": person_id,
        "kind": event.type,
        "about_id": about_id,
        "by": by,
        "at": event.time,
        "read_at": None,
    }
    return create("notifications", derived_id(event, "inbox"), entry)


def both_known(event: Event) -> list[tuple[str, str]]:
    """Nobody is told of, or by, somebody whom the practice has not introduced yet."""
    return [("people", event.data["client_id"]), ("people", event.data["clinician_id"])]


@subscriber.on("goal.proposed", schemas.GoalProposed, source="goals", after=both_known)
def ask_the_other_one(event: Event) -> Iterator[Operation]:
    yield _to_the_other_one(event, event.data["proposed_by"])


@subscriber.on("goal.agreed", schemas.GoalAgreed, source="goals", after=both_known)
def tell_of_agreement(event: Event) -> Iterator[Operation]:
    yield _to_the_other_one(event, event.data["agreed_by"])


@subscriber.on("goal.declined", schemas.GoalDeclined, source="goals", after=both_known)
def tell_of_refusal(event: Event) -> Iterator[Operation]:
    yield _to_the_other_one(event, event.data["declined_by"])


@subscriber.on("feedback.given", schemas.FeedbackGiven, source="feedback", after=both_known)
def tell_the_clinician(event: Event) -> Iterator[Operation]:
    data = event.data
    yield told(event, data["clinician_id"], by=data["client_id"], about_id=data["feedback_id"])


@subscriber.on("feedback.answered", schemas.FeedbackAnswered, source="feedback", after=both_known)
def tell_the_client(event: Event) -> Iterator[Operation]:
    data = event.data
    yield told(event, data["client_id"], by=data["clinician_id"], about_id=data["feedback_id"])


def _to_the_other_one(event: Event, by: str) -> Operation:
    person_id = the_other_one(by, event.data["client_id"], event.data["clinician_id"])
    return told(event, person_id, by=by, about_id=event.data["goal_id"])
