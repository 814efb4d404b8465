"""What a service keeps of practices' events, to know who may see whom: records, fed in any order."""

from collections.abc import Iterator

from shared.messaging.envelope import Event
from shared.messaging.subscriber import Subscriber
from shared.security import schemas
from shared.store.indexes import records
from shared.store.operations import Operation, project

EPISODE_EVENTS = (
    "episode.paused",
    "episode.resumed",
    "episode.ended",
    "episode.aftercare_arranged",
    "episode.transferred",
    "episode.closed",
)

COLLECTIONS = (
    records("members"),
    records("covers", [("practice_id", 1), ("f.covered_by.v", 1)]),
    records("clients"),
    records("consents"),
    records("episodes", [("practice_id", 1), ("f.client_id.v", 1)]),
    records("grants", [("practice_id", 1), ("f.app_id.v", 1)]),
    records("looks", [("practice_id", 1), ("f.member_id.v", 1), ("f.client_id.v", 1)]),
)


def follow(subscriber: Subscriber) -> None:
    """Keep this service's copy up to date."""
    for type, schema, handler in (
        ("member.invited", schemas.MemberInvited, expect_member),
        ("member.joined", schemas.MemberJoined, keep_member),
        ("member.changed", schemas.MemberChanged, keep_member),
        ("member.suspended", schemas.MemberSuspended, suspend_member),
        ("member.reinstated", schemas.MemberReinstated, reinstate_member),
        ("member.removed", schemas.MemberRemoved, suspend_member),
        ("member.signed_out", schemas.MemberSignedOut, sign_member_out),
        ("cover.arranged", schemas.CoverArranged, keep_cover),
        ("cover.cancelled", schemas.CoverCancelled, cancel_cover),
        ("client.enrolled", schemas.ClientEnrolled, keep_client),
        ("client.signed_out", schemas.ClientSignedOut, sign_client_out),
        ("client.consented", schemas.ClientConsented, keep_consent),
        ("client.consent_withdrawn", schemas.ClientConsentWithdrawn, withdraw_consent),
        ("client.changed", schemas.ClientEnrolled, keep_client),
        ("episode.planned", schemas.EpisodePlanned, keep_planned_episode),
        ("episode.started", schemas.EpisodeStarted, keep_started_episode),
        *((type, schemas.EpisodeChanged, keep_episode) for type in EPISODE_EVENTS),
        ("grant.given", schemas.GrantGiven, keep_grant),
        ("grant.revoked", schemas.GrantRevoked, revoke_grant),
        ("member.snapshot", schemas.MemberSnapshot, keep_member_as_they_are),
        ("cover.snapshot", schemas.CoverSnapshot, keep_cover),
        ("client.snapshot", schemas.ClientSnapshot, keep_client_as_it_is),
        ("episode.snapshot", schemas.EpisodeStarted, keep_started_episode),
        ("grant.snapshot", schemas.GrantSnapshot, keep_grant),
        ("client.glass_broken", schemas.Looked, keep_look),
        ("look.ended", schemas.Looked, keep_look),
        ("look.snapshot", schemas.Looked, keep_look),
    ):
        subscriber.on(type, schema, source="practices")(handler)


def expect_member(event: Event) -> Iterator[Operation]:
    """Somebody invited may do nothing yet."""
    yield _member(event, active=False)


def keep_member(event: Event) -> Iterator[Operation]:
    yield _member(event, active=event.data.get("active", True))


def _member(event: Event, active: bool) -> Operation:
    known = {"roles": event.data["roles"], "supervises": event.data["supervises"], "active": active}
    return project("members", event.data["member_id"], known)


def suspend_member(event: Event) -> Iterator[Operation]:
    yield project("members", event.data["member_id"], {"active": False})


def reinstate_member(event: Event) -> Iterator[Operation]:
    yield project("members", event.data["member_id"], {"active": True})


def keep_cover(event: Event) -> Iterator[Operation]:
    known = {name: event.data[name] for name in ("member_id", "covered_by", "since", "until")}
    yield project("covers", event.data["cover_id"], {**known, "active": event.data.get("active", True)})


def cancel_cover(event: Event) -> Iterator[Operation]:
    yield project("covers", event.data["cover_id"], {"active": False})


def sign_member_out(event: Event) -> Iterator[Operation]:
    yield project("members", event.data["member_id"], {"ended": event.data["ended"]})


def keep_member_as_they_are(event: Event) -> Iterator[Operation]:
    yield from keep_member(event)
    # Nothing where none was ended: a copy filled anew is the one that followed from the beginning.
    if event.data["ended"]:
        yield from sign_member_out(event)


def keep_client(event: Event) -> Iterator[Operation]:
    known = {"language": event.data["language"], "active": True}
    yield project("clients", event.data["client_id"], known)


def sign_client_out(event: Event) -> Iterator[Operation]:
    yield project("clients", event.data["client_id"], {"ended": event.data["ended"]})


def keep_client_as_it_is(event: Event) -> Iterator[Operation]:
    yield from keep_client(event)
    if event.data["ended"]:
        yield from sign_client_out(event)
    yield from keep_consents(event)


def keep_consents(event: Event) -> Iterator[Operation]:
    """All that a snapshot tells of."""
    for app_id, given_at in event.data["consents"].items():
        stands = app_id not in event.data["withdrawn"]
        covers = event.data["covers"].get(app_id)
        given = {"app_id": app_id, "given_at": given_at, "covers": covers, "active": stands}
        yield project("consents", consent_id(event.data["client_id"], app_id), given)


def keep_consent(event: Event) -> Iterator[Operation]:
    given = {name: event.data[name] for name in ("app_id", "given_at", "covers")} | {"active": True}
    yield project("consents", consent_id(event.data["client_id"], event.data["app_id"]), given)


def withdraw_consent(event: Event) -> Iterator[Operation]:
    yield project("consents", consent_id(event.data["client_id"], event.data["app_id"]), {"active": False})


def keep_episode(event: Event) -> Iterator[Operation]:
    known = {name: event.data[name] for name in ("client_id", "clinician_id", "status")}
    known["active"] = known["status"] != "closed"
    yield project("episodes", event.data["episode_id"], known)


def keep_planned_episode(event: Event) -> Iterator[Operation]:
    """It counts as started when it is to start, until it is."""
    yield from keep_episode(event)
    yield project("episodes", event.data["episode_id"], {"started_at": event.data["starts_at"]})


def keep_started_episode(event: Event) -> Iterator[Operation]:
    yield from keep_episode(event)
    yield project("episodes", event.data["episode_id"], {"started_at": event.data["started_at"]})


def keep_grant(event: Event) -> Iterator[Operation]:
    granted = {name: event.data[name] for name in ("app_id", "event_types", "scopes", "given_at", "since")}
    yield project("grants", event.data["grant_id"], {**granted, "active": event.data.get("active", True)})


def revoke_grant(event: Event) -> Iterator[Operation]:
    yield project("grants", event.data["grant_id"], {"active": False})


def keep_look(event: Event) -> Iterator[Operation]:
    known = {name: event.data[name] for name in ("client_id", "member_id", "ends_at")}
    yield project("looks", event.data["look_id"], known)


def consent_id(client_id: str, app_id: str) -> str:
    return f"{client_id}:{app_id}"
