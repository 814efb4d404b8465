"""Who stands in what relation to a client: each service's own copy, fed by practices' events.

The copy holds members, clients, consents, episodes and grants, nothing of what people wrote. A
suspension, a withdrawn consent or the end of a sign-in is obeyed within a second of its event's arrival,
whatever a token says.
"""

import threading
from collections.abc import Hashable, Iterator, Set
from operator import itemgetter
from typing import Any

from cachetools import TTLCache

from shared.messaging.envelope import Event
from shared.messaging.subscriber import Subscriber
from shared.security import schemas
from shared.security.caller import Caller
from shared.security.policy import permits
from shared.security.tokens import TokenRefused
from shared.store.indexes import records
from shared.store.operations import Operation, project
from shared.store.records import Records

Standings = Set[tuple[str, str]]

KEPT = 1.0
"""Seconds for which an entitlement is remembered, of the 5 within which every service obeys its end."""
_entitled: TTLCache[Hashable, Standings] = TTLCache(maxsize=10_000, ttl=KEPT)
_lock = threading.Lock()

COLLECTIONS = (
    records("members"),
    records("clients"),
    records("consents"),
    records("episodes", [("practice_id", 1), ("f.client_id.v", 1)]),
    records("grants", [("practice_id", 1), ("f.app_id.v", 1)]),
)


def follow(subscriber: Subscriber) -> None:
    """Keep this service's copy up to date."""
    for type, schema, handler in (
        ("member.joined", schemas.MemberJoined, keep_member),
        ("member.suspended", schemas.MemberSuspended, suspend_member),
        ("member.signed_out", schemas.MemberSignedOut, sign_member_out),
        ("client.enrolled", schemas.ClientEnrolled, keep_client),
        ("client.joined", schemas.ClientJoined, keep_joined),
        ("client.changed", schemas.ClientChanged, keep_language),
        ("client.signed_out", schemas.ClientSignedOut, sign_client_out),
        ("client.consented", schemas.ClientConsented, keep_consent),
        ("client.consent_withdrawn", schemas.ClientConsentWithdrawn, withdraw_consent),
        ("episode.started", schemas.EpisodeStarted, keep_episode),
        ("grant.given", schemas.GrantGiven, keep_grant),
        ("grant.revoked", schemas.GrantRevoked, revoke_grant),
        ("member.snapshot", schemas.MemberSnapshot, keep_member_as_they_are),
        ("client.snapshot", schemas.ClientSnapshot, keep_client_as_it_is),
        ("episode.snapshot", schemas.EpisodeSnapshot, keep_episode),
        ("grant.snapshot", schemas.GrantSnapshot, keep_grant),
    ):
        subscriber.on(type, schema, source="practices")(handler)


def keep_member(event: Event) -> Iterator[Operation]:
    known = {"roles": event.data["roles"], "active": event.data.get("active", True)}
    yield project("members", event.data["member_id"], known)


def suspend_member(event: Event) -> Iterator[Operation]:
    yield project("members", event.data["member_id"], {"active": False})


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


def keep_joined(event: Event) -> Iterator[Operation]:
    yield project("clients", event.data["client_id"], {"active": True})


def keep_language(event: Event) -> Iterator[Operation]:
    yield project("clients", event.data["client_id"], {"language": event.data["language"]})


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
        given = {"app_id": app_id, "given_at": given_at, "active": stands}
        yield project("consents", consent_id(event.data["client_id"], app_id), given)


def keep_consent(event: Event) -> Iterator[Operation]:
    given = {"app_id": event.data["app_id"], "given_at": event.data["given_at"], "active": True}
    yield project("consents", consent_id(event.data["client_id"], event.data["app_id"]), given)


def withdraw_consent(event: Event) -> Iterator[Operation]:
    yield project("consents", consent_id(event.data["client_id"], event.data["app_id"]), {"active": False})


def keep_episode(event: Event) -> Iterator[Operation]:
    parties = {name: event.data[name] for name in ("client_id", "clinician_id", "started_at")}
    yield project("episodes", event.data["episode_id"], {**parties, "active": event.data.get("active", True)})


def keep_grant(event: Event) -> Iterator[Operation]:
    granted = {name: event.data[name] for name in ("app_id", "event_types", "scopes", "given_at")}
    yield project("grants", event.data["grant_id"], {**granted, "active": event.data.get("active", True)})


def revoke_grant(event: Event) -> Iterator[Operation]:
    yield project("grants", event.data["grant_id"], {"active": False})


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
    _refuse_ended(member, caller)
    if member is None or not member["active"]:
        return set()
    roles = member.get("roles") or []
    standings = {(role, "practice") for role in roles}
    if "clinician" in roles and any(episode["clinician_id"] == caller.id for episode in episodes):
        standings.add(("clinician", "own"))
    return standings


def _of_client(database: Any, caller: Caller, action: str, client_id: str) -> Standings:
    client = Records(database["clients"], "active").get(caller.practice_id, caller.id)
    _refuse_ended(client, caller)
    if client is None or not client["active"]:
        return set()
    own = {("client", "self")} if client_id == caller.id else set()
    return own | {("client", "practice")}


def _refuse_ended(person: dict[str, Any] | None, caller: Caller) -> None:
    if person is not None and caller.sign_in_id in (person.get("ended") or {}):
        raise TokenRefused("of a sign-in that was ended")


def _of_app(database: Any, caller: Caller, action: str, client_id: str) -> Standings:
    grants = Records(database["grants"], "active").find(caller.practice_id, app_id=caller.id)
    consents = Records(database["consents"], "active")
    consent = consents.get(caller.practice_id, consent_id(client_id, caller.id))
    granted = any(grant["active"] and action in grant["scopes"] for grant in grants)
    return {("app", "granted")} if granted and consent and consent["active"] else set()


_OF_KIND = {"member": _of_member, "client": _of_client, "app": _of_app}


def current_episodes(database: Any, practice_id: str, client_id: str) -> list[dict[str, Any]]:
    """The client's episodes of care that are under way, oldest first."""
    found = Records(database["episodes"], "client_id").find(practice_id, client_id=client_id)
    return sorted((episode for episode in found if episode.get("active")), key=itemgetter("started_at"))


def clinician_for(database: Any, caller: Caller, client_id: str, standings: Standings) -> str | None:
    """Who of the client's clinicians this is between: the caller, if they are one, or the latest one.

    `standings` are those by which this caller was let in. None where there is no episode under way with
    somebody who still works here.
    """
    if ("clinician", "own") in standings:
        # Looked up for this request, or within the last second.
        return caller.id
    clinicians = [e["clinician_id"] for e in current_episodes(database, caller.practice_id, client_id)]
    present = Records(database["members"], "active").among(caller.practice_id, clinicians)
    active = [id for id in clinicians if id in present and present[id]["active"]]
    return active[-1] if active else None


def language_of(database: Any, caller: Caller) -> str | None:
    """The language that a client chose."""
    client = Records(database["clients"], "active").get(caller.practice_id, caller.id) or {}
    return client.get("language")
