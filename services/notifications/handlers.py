"""What notifications hears: who people are, and what they must be told of."""

from collections.abc import Iterable, Iterator

from services.notifications import schemas
from services.notifications.domain import the_other_one
from shared.messaging.envelope import Event, derived_id
from shared.messaging.subscriber import Subscriber
from shared.security import access
from shared.store.operations import Operation, create, project

subscriber = Subscriber("notifications")
access.follow(subscriber)


@subscriber.on("member.snapshot", schemas.MemberJoined, source="practices")
@subscriber.on("member.changed", schemas.MemberJoined, source="practices")
@subscriber.on("member.joined", schemas.MemberJoined, source="practices")
@subscriber.on("member.invited", schemas.MemberJoined, source="practices")
def know_member(event: Event) -> Iterator[Operation]:
    yield project("people", event.data["member_id"], {"display_name": event.data["display_name"]})


@subscriber.on("client.snapshot", schemas.ClientEnrolled, source="practices")
@subscriber.on("client.changed", schemas.ClientEnrolled, source="practices")
@subscriber.on("client.enrolled", schemas.ClientEnrolled, source="practices")
def know_client(event: Event) -> Iterator[Operation]:
    yield project("people", event.data["client_id"], {"display_name": event.data["display_name"]})


@subscriber.on("person.snapshot", schemas.PersonContactSet, source="practices")
@subscriber.on("person.contact_set", schemas.PersonContactSet, source="practices")
def keep_contact(event: Event) -> Iterator[Operation]:
    """As it came: encrypted to us, and opened by whoever writes to somebody."""
    yield project("contacts", event.data["person_id"], {"contact": event.data["contact"]})


def told(event: Event, person_id: str, by: str, about_id: str, index: int = 0) -> Operation:
    """One entry in one person's inbox; names are looked up when it is read."""
    entry = {
        "person_id": person_id,
        "kind": event.type,
        "about_id": about_id,
        "by": by,
        "at": event.time,
        "read_at": None,
    }
    return create("notifications", derived_id(event, "inbox", index), entry)


def told_each(event: Event, people: Iterable[str], by: str, about_id: str) -> Iterator[Operation]:
    for index, person_id in enumerate(people):
        yield told(event, person_id, by, about_id, index)


def both_known(event: Event) -> list[tuple[str, str]]:
    """Nobody is told of, or by, somebody whom the practice has not introduced yet."""
    return [("people", event.data["client_id"]), ("people", event.data["clinician_id"])]


def who_enrolled_known(event: Event) -> list[tuple[str, str]]:
    return [("people", event.data["client_id"]), ("people", event.data["enrolled_by"])]


@subscriber.on("client.joined", schemas.ClientJoined, source="practices", after=who_enrolled_known)
def tell_who_enrolled_them(event: Event) -> Iterator[Operation]:
    client_id = event.data["client_id"]
    yield told(event, event.data["enrolled_by"], by=client_id, about_id=client_id)


@subscriber.on("episode.paused", schemas.EpisodePaused, source="practices", after=both_known)
def tell_of_pause(event: Event) -> Iterator[Operation]:
    yield from _to_who_did_not(event, event.data["paused_by"])


@subscriber.on("episode.resumed", schemas.EpisodeResumed, source="practices", after=both_known)
def tell_of_return(event: Event) -> Iterator[Operation]:
    yield from _to_who_did_not(event, event.data["resumed_by"])


@subscriber.on("episode.ended", schemas.EpisodeEnded, source="practices", after=both_known)
def tell_of_end(event: Event) -> Iterator[Operation]:
    yield from _to_who_did_not(event, event.data["ended_by"])


@subscriber.on("episode.closed", schemas.EpisodeClosed, source="practices", after=both_known)
def tell_of_close(event: Event) -> Iterator[Operation]:
    """Unless a date did it, which both have known from the beginning."""
    if event.data["closed_by"] is not None:
        yield from _to_who_did_not(event, event.data["closed_by"])


@subscriber.on("episode.resume_asked", schemas.EpisodeTold, source="practices", after=both_known)
@subscriber.on("episode.transferred", schemas.EpisodeTold, source="practices", after=both_known)
def tell_both(event: Event) -> Iterator[Operation]:
    client_id, clinician_id, about = (event.data[n] for n in ("client_id", "clinician_id", "episode_id"))
    yield told(event, client_id, by=clinician_id, about_id=about)
    yield told(event, clinician_id, by=client_id, about_id=about, index=1)


@subscriber.on("episode.readiness_rated", schemas.EpisodeTold, source="practices", after=both_known)
@subscriber.on("episode.check_in_due", schemas.EpisodeTold, source="practices", after=both_known)
def tell_the_clinician_of_them(event: Event) -> Iterator[Operation]:
    data = event.data
    yield told(event, data["clinician_id"], by=data["client_id"], about_id=data["episode_id"])


@subscriber.on("episode.another_clinician_wished", schemas.WishTold, source="practices", after=both_known)
@subscriber.on(
    "episode.another_clinician_wish_taken_back", schemas.WishTold, source="practices", after=both_known
)
def tell_past_the_clinician(event: Event) -> Iterator[Operation]:
    data = event.data
    yield from told_each(event, data["told"], by=data["client_id"], about_id=data["wish_id"])


@subscriber.on(
    "episode.another_clinician_wish_settled", schemas.WishSettled, source="practices", after=both_known
)
def tell_who_wished(event: Event) -> Iterator[Operation]:
    data = event.data
    yield told(event, data["client_id"], by=data["settled_by"], about_id=data["wish_id"])


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


def looker_known(event: Event) -> list[tuple[str, str]]:
    return [("people", event.data["client_id"]), ("people", event.data["member_id"])]


@subscriber.on("client.glass_broken", schemas.GlassBroken, source="practices", after=looker_known)
def tell_the_owners(event: Event) -> Iterator[Operation]:
    data = event.data
    for index, owner_id in enumerate(data["owner_ids"]):
        yield told(event, owner_id, by=data["member_id"], about_id=data["client_id"], index=index)


def _to_the_other_one(event: Event, by: str) -> Operation:
    person_id = the_other_one(by, event.data["client_id"], event.data["clinician_id"])
    return told(event, person_id, by=by, about_id=event.data["goal_id"])


def _to_who_did_not(event: Event, by: str) -> Iterator[Operation]:
    """Of the two, whoever did not do it themselves: both, where the office did."""
    both = (event.data["client_id"], event.data["clinician_id"])
    others = (person_id for person_id in both if person_id != by)
    yield from told_each(event, others, by=by, about_id=event.data["episode_id"])
