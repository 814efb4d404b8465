"""In what relation a caller stands to a client or person, by a service's own records."""

import threading
from collections.abc import Hashable, Set
from datetime import datetime
from typing import Any

from cachetools import TTLCache

from shared.clock import now
from shared.security.access.copy import consent_id
from shared.security.access.episodes import current_episodes, is_under_way
from shared.security.caller import Caller
from shared.security.policy import permits
from shared.security.tokens import TokenRefused
from shared.store.records import Records

Standings = Set[tuple[str, str]]

KEPT = 1.0
"""Seconds for which an entitlement is remembered, of the 5 within which every service obeys its end."""
_entitled: TTLCache[Hashable, Standings] = TTLCache(maxsize=10_000, ttl=KEPT)
_lock = threading.Lock()


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
    absent = _covered_by(database, caller, now())
    glass = _broke_the_glass(database, caller, client_id, now())
    _refuse_ended(member, caller)
    if member is None or not member["active"]:
        return set()
    roles = set(member.get("roles") or ())
    clinicians = {episode["clinician_id"] for episode in episodes}
    found = {(role, "practice") for role in roles}
    if "clinician" in roles:
        mine = [episode for episode in episodes if episode["clinician_id"] == caller.id]
        found |= {("clinician", "own")} if mine else set()
        found |= {("clinician", "under_way")} if any(map(is_under_way, mine)) else set()
        found |= {("clinician", "covering")} if clinicians & absent else set()
    if "supervisor" in roles and clinicians.intersection(member.get("supervises") or ()):
        found.add(("supervisor", "supervised"))
    if glass and roles & {"clinician", "supervisor"}:
        found.add(("clinician", "emergency"))
    return found


def _covered_by(database: Any, caller: Caller, at: datetime) -> set[str]:
    """The absent members for whom the caller stands in at that moment."""
    covers = Records(database["covers"], "covered_by").find(caller.practice_id, covered_by=caller.id)
    return {one["member_id"] for one in covers if one.get("active") and one["since"] <= at < one["until"]}


def _broke_the_glass(database: Any, caller: Caller, client_id: str, at: datetime) -> bool:
    looks = Records(database["looks"], "member_id")
    found = looks.find(caller.practice_id, member_id=caller.id, client_id=client_id)
    return any(look["ends_at"] > at for look in found)


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
    return {("app", "granted")} if granted and consent and _covers(consent, action) else set()


def _covers(consent: dict[str, Any], action: str) -> bool:
    """A consent that names no kinds of record is from before they were named: it covers all."""
    covers = consent.get("covers")
    return bool(consent["active"]) and (covers is None or action.partition(".")[0] in covers)


_OF_KIND = {"member": _of_member, "client": _of_client, "app": _of_app}
