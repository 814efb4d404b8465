"""What partners hears: every public event, and who may be told of it."""

from collections.abc import Iterator
from datetime import datetime

from services.partners.schemas import AnyPublicEvent, AppRegistered
from shared.messaging.envelope import Event, encode
from shared.messaging.subscriber import Subscriber
from shared.security import access
from shared.security.access import copy
from shared.security.schemas import (
    ClientConsented,
    ClientConsentWithdrawn,
    ClientSnapshot,
    GrantGiven,
    GrantRevoked,
    GrantSnapshot,
)
from shared.store.operations import Operation, create, project

subscriber = Subscriber("partners")


@subscriber.on("episode.planned", AnyPublicEvent, source="practices")
@subscriber.on("episode.started", AnyPublicEvent, source="practices")
@subscriber.on("episode.paused", AnyPublicEvent, source="practices")
@subscriber.on("episode.resume_asked", AnyPublicEvent, source="practices")
@subscriber.on("episode.resumed", AnyPublicEvent, source="practices")
@subscriber.on("episode.ended", AnyPublicEvent, source="practices")
@subscriber.on("episode.aftercare_arranged", AnyPublicEvent, source="practices")
@subscriber.on("episode.check_in_due", AnyPublicEvent, source="practices")
@subscriber.on("episode.transferred", AnyPublicEvent, source="practices")
@subscriber.on("episode.closed", AnyPublicEvent, source="practices")
@subscriber.on("session.scheduled", AnyPublicEvent, source="practices")
@subscriber.on("session.moved", AnyPublicEvent, source="practices")
@subscriber.on("session.held", AnyPublicEvent, source="practices")
@subscriber.on("session.missed", AnyPublicEvent, source="practices")
@subscriber.on("session.cancelled", AnyPublicEvent, source="practices")
@subscriber.on("goal.proposed", AnyPublicEvent, source="goals")
@subscriber.on("goal.agreed", AnyPublicEvent, source="goals")
@subscriber.on("goal.declined", AnyPublicEvent, source="goals")
def keep_for_apps(event: Event) -> Iterator[Operation]:
    told = {
        "type": event.type,
        "time": event.time,
        "client_id": event.data["client_id"],
        "envelope": _as_published(event),
        "correlation_id": event.correlation_id,
    }
    yield create("outgoing", event.id, told | {"due": event.time})


@subscriber.on("app.snapshot", AppRegistered, source="practices")
@subscriber.on("app.registered", AppRegistered, source="practices")
def know_app(event: Event) -> Iterator[Operation]:
    yield project("apps", event.data["app_id"], {"name": event.data["name"]})


@subscriber.on("client.consented", ClientConsented, source="practices")
def keep_consent(event: Event) -> Iterator[Operation]:
    client_id, app_id = event.data["client_id"], event.data["app_id"]
    yield from copy.keep_consent(event)
    yield _look_back(event, "consents", access.consent_id(client_id, app_id), client_id)


@subscriber.on("grant.given", GrantGiven, source="practices")
def keep_grant(event: Event) -> Iterator[Operation]:
    yield from copy.keep_grant(event)
    yield _look_back(event, "grants", event.data["grant_id"], client_id=None)


# Nobody is told twice: a snapshot fills the read model and makes nobody look back.
subscriber.on("client.snapshot", ClientSnapshot, source="practices")(copy.keep_consents)
subscriber.on("grant.snapshot", GrantSnapshot, source="practices")(copy.keep_grant)
subscriber.on("client.consent_withdrawn", ClientConsentWithdrawn, source="practices")(copy.withdraw_consent)
subscriber.on("grant.revoked", GrantRevoked, source="practices")(copy.revoke_grant)


def _look_back(event: Event, collection: str, record_id: str, client_id: str | None) -> Operation:
    """Have the sender decide again about what happened since; events and permissions come in any order."""
    since: datetime = event.data["given_at"]
    reach = {"record_id": record_id, "sequence": event.sequence, "since": since, "client_id": client_id}
    return create("fanouts", event.id, {"collection": collection, **reach, "due": event.time})


def _as_published(event: Event) -> str:
    """The envelope that the producer's relay published, byte for byte: encoding is deterministic."""
    record = {
        "id": event.id,
        "type": event.type,
        "time": event.time,
        "sequence": event.sequence,
        "data": event.data,
        "correlationid": event.correlation_id,
        "causationid": event.causation_id,
        "traceparent": event.traceparent,
    }
    service = event.source.rpartition("/")[2]
    return encode(record, service=service, subject=event.subject, practice_id=event.practice_id).decode()
