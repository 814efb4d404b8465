"""What feedback hears: who may see which client, what a client in distress is told, and when sessions are."""

from collections.abc import Iterator

from services.feedback import schemas
from shared import safety
from shared.messaging.envelope import Event
from shared.messaging.subscriber import Subscriber
from shared.security import access
from shared.store.operations import Operation, project

subscriber = Subscriber("feedback")
access.follow(subscriber)
safety.follow(subscriber)


@subscriber.on("session.scheduled", schemas.SessionTimed, source="practices")
@subscriber.on("session.moved", schemas.SessionTimed, source="practices")
def keep_session(event: Event) -> Iterator[Operation]:
    known = {name: event.data[name] for name in ("client_id", "clinician_id", "starts_at", "ends_at")}
    yield project("sessions", event.data["session_id"], {**known, "status": "scheduled"})


@subscriber.on("session.held", schemas.SessionSettled, source="practices")
@subscriber.on("session.missed", schemas.SessionSettled, source="practices")
@subscriber.on("session.cancelled", schemas.SessionSettled, source="practices")
def settle_session(event: Event) -> Iterator[Operation]:
    settled = {"clinician_id": event.data["clinician_id"], "status": event.type.partition(".")[2]}
    yield project("sessions", event.data["session_id"], settled)


@subscriber.on("session.snapshot", schemas.SessionSnapshot, source="practices")
def keep_sessions_as_they_are(event: Event) -> Iterator[Operation]:
    data = event.data
    for id, status in data["statuses"].items():
        known = {"client_id": data["client_id"], "clinician_id": data["clinician_ids"][id]}
        times = {"starts_at": data["starts_at"][id], "ends_at": data["ends_at"][id]}
        yield project("sessions", id, {**known, **times, "status": status})
