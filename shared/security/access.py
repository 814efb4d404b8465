"""Who stands in what relation to a client: each service's own copy, fed by practices' events.

The copy holds members, leave covers, clients, consents, episodes, grants and looks, nothing of what people
wrote. A suspension or a withdrawn consent is obeyed within a second of its event's arrival, whatever a token
says.
"""

import threading
from collections.abc import Hashable, Iterator, Set
from datetime import UTC, datetime
from typing import Any

from cachetools import TTLCache

from shared.messaging.envelope import Event
from shared.messaging.subscriber import Subscriber
from shared.security import schemas
from shared.security.caller import Caller
from shared.security.policy import permits
from shared.store.indexes import records
from shared.store.operations import Operation, project
from shared.store.records import Records

Standings = Set[tuple[str, str]]

KEPT = 1.0
"""Seconds for which an entitlement is remembered, of the 5 within which every service obeys its end."""
_entitled: TTLCache[Hashable, Standings] = TTLCache(maxsize=10_000, ttl=KEPT)
_lock = threading.Lock()

UNDER_WAY = frozenset({"active", "paused", "aftercare"})
"""When a clinician is told what a client writes: not before the start, and not after the end."""
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
        ("cover.arranged", schemas.CoverArranged, keep_cover),
        ("cover.cancelled", schemas.CoverCancelled, cancel_cover),
        ("client.enrolled", schemas.ClientEnrolled, keep_client),
        ("client.consented", schemas.ClientConsented, keep_consent),
        ("client.consent_withdrawn", schemas.ClientConsentWithdrawn, withdraw_consent),
        ("client.changed", schemas.ClientEnrolled, keep_client),
        ("episode.planned", schemas.EpisodePlanned, keep_planned_episode),
        ("episode.started", schemas.EpisodeStarted, keep_started_episode),
        *((type, schemas.EpisodeChanged, keep_episode) for type in EPISODE_EVENTS),
        ("grant.given", schemas.GrantGiven, keep_grant),
        ("grant.revoked", schemas.GrantRevoked, revoke_grant),
        ("member.snapshot", schemas.MemberSnapshot, keep_member),
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


def keep_client(event: Event) -> Iterator[Operation]:
    known = {"language": event.data["language"], "active": True}
    yield project("clients", event.data["client_id"], known)


def keep_client_as_it_is(event: Event) -> Iterator[Operation]:
    yield from keep_client(event)
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


def standings(database: Any, caller: Caller, action: str, target: Any) -> Standings:
    """(role, relation) of the caller towards the client or person that the target is about.

    The target is an aggregate, or a client's id, or nothing. The same look-ups are made whatever they
    find, so that a foreign client and an absent one cost the same.
    """
    client_id = target if isinstance(target, str) else getattr(target, "client_id", "")
    own = caller.kind != "app" and getattr(target, "person_id", caller.id) == caller.id
    key = (database.name, caller, action, client_id, own)
    with _lock:
        known = _entitled.get(key)
    if known is not None:
        return known
    found = _OF_KIND[caller.kind](database, caller, action, client_id)
    if found and own:
        found |= {("person", "self")}
    found = frozenset(found)
    if permits(action, found):
        with _lock:
            _entitled[key] = found
    return found


def _of_member(database: Any, caller: Caller, action: str, client_id: str) -> Standings:
    member = Records(database["members"], "active").get(caller.practice_id, caller.id)
    episodes = current_episodes(database, caller.practice_id, client_id)
    if member is None or not member["active"]:
        return set()
    roles = member.get("roles") or []
    standings = {(role, "practice") for role in roles}
    if "clinician" in roles:
        mine = [episode for episode in episodes if episode["clinician_id"] == caller.id]
        standings |= {("clinician", "own")} if mine else set()
        standings |= {("clinician", "under_way")} if any(map(_is_under_way, mine)) else set()
    return standings


def _of_client(database: Any, caller: Caller, action: str, client_id: str) -> Standings:
    client = Records(database["clients"], "active").get(caller.practice_id, caller.id)
    if client is None or not client["active"]:
        return set()
    own = {("client", "self")} if client_id == caller.id else set()
    return own | {("client", "practice")}


def _of_app(database: Any, caller: Caller, action: str, client_id: str) -> Standings:
    grants = Records(database["grants"], "active").find(caller.practice_id, app_id=caller.id)
    consents = Records(database["consents"], "active")
    consent = consents.get(caller.practice_id, consent_id(client_id, caller.id))
    granted = any(grant["active"] and action in grant["scopes"] for grant in grants)
    return {("app", "granted")} if granted and consent and _covers(consent, action) else set()


def _covers(consent: dict[str, Any], action: str) -> bool:
    """A consent that names no kinds of record is from before they were named: it covers all."""
    covers = consent.get("covers")
    return bool(consent["active"]) and (covers is None or action.partition(".")[0] in covers)


_OF_KIND = {"member": _of_member, "client": _of_client, "app": _of_app}


def current_episodes(database: Any, practice_id: str, client_id: str) -> list[dict[str, Any]]:
    """The client's open episodes of care, oldest first."""
    found = Records(database["episodes"], "client_id").find(practice_id, client_id=client_id)
    return sorted((episode for episode in found if episode.get("active")), key=_began)


def _began(episode: dict[str, Any]) -> datetime:
    # Its later events may come before the one that says when it started.
    return episode.get("started_at") or datetime.min.replace(tzinfo=UTC)


def _is_under_way(episode: dict[str, Any]) -> bool:
    # What is from before episodes told their status is active.
    return episode.get("status", "active") in UNDER_WAY


def clinician_for(database: Any, caller: Caller, client_id: str, standings: Standings) -> str | None:
    """Who of the client's clinicians this is between: the caller, if they are one, or the latest one.

    `standings` are those by which this caller was let in. None where there is no episode under way with
    somebody who still works here.
    """
    if ("clinician", "own") in standings:
        # Looked up for this request, or within the last second.
        return caller.id if ("clinician", "under_way") in standings else None
    episodes = current_episodes(database, caller.practice_id, client_id)
    clinicians = [episode["clinician_id"] for episode in episodes if _is_under_way(episode)]
    present = Records(database["members"], "active").among(caller.practice_id, clinicians)
    active = [id for id in clinicians if id in present and present[id]["active"]]
    return active[-1] if active else None


def language_of(database: Any, caller: Caller) -> str | None:
    """The language that a client chose."""
    client = Records(database["clients"], "active").get(caller.practice_id, caller.id) or {}
    return client.get("language")
