"""In what relation a caller stands to what they ask for, from practices' own aggregates.

Other services keep a copy of this (shared/security/access.py); here it is obeyed at once. The same
look-ups are made whatever they find, so that a foreign record and an absent one cost the same.
"""

from dataclasses import dataclass
from typing import Any

from services.practices.domain.clients import Client
from services.practices.domain.members import Role
from services.practices.sign_in import grant_id
from services.practices.store.apps import Apps, Grants
from services.practices.store.episodes import Episodes
from services.practices.store.people import Clients, Members
from shared.ids import PLATFORM
from shared.security.caller import Caller

Standings = set[tuple[str, str]]


@dataclass(frozen=True)
class _About:
    """The client whom a request is about, as far as there is one."""

    client_id: str = ""
    enrolled_by: str = ""


def standings(database: Any, caller: Caller, action: str, target: Any) -> Standings:
    """(role, relation) pairs; `target` is an aggregate, a client's id, or None.

    Nobody stands in any relation to a client whom this practice does not have.
    """
    if not isinstance(target, str):
        return _OF_KIND[caller.kind](database, caller, action, _about(target))
    client = Clients(database).find(caller.practice_id, target)
    found = _OF_KIND[caller.kind](database, caller, action, _about(client))
    return set() if client is None else found


def _about(target: Any) -> _About:
    if isinstance(target, Client):
        return _About(target.id, target.enrolled_by)
    return _About(getattr(target, "client_id", ""))


def _of_member(database: Any, caller: Caller, action: str, about: _About) -> Standings:
    member = Members(database).find(caller.practice_id, caller.id)
    cares = _cares_for(database, caller, about)
    if member is None or not member.active:
        return set()
    own = {("clinician", "own")} if cares and Role.CLINICIAN in member.roles else set()
    return own | {("person", "self")} | {(str(role), "practice") for role in member.roles}


def _cares_for(database: Any, caller: Caller, about: _About) -> bool:
    """A current episode; or the clinician enrolled the client, who has had no episode yet."""
    episodes = Episodes(database)
    current = episodes.current(caller.practice_id, caller.id, about.client_id)
    # Asked for everybody: who enrolled a client would tell them from an absent one by what it costs.
    untreated = not episodes.any_of(caller.practice_id, about.client_id)
    return current or (about.enrolled_by == caller.id and untreated)


def _of_client(database: Any, caller: Caller, action: str, about: _About) -> Standings:
    client = Clients(database).find(caller.practice_id, caller.id)
    if client is None:
        return set()
    own = {("client", "self")} if about.client_id == client.id else set()
    return own | {("client", "practice"), ("person", "self")}


def _of_app(database: Any, caller: Caller, action: str, about: _About) -> Standings:
    app = Apps(database).find(PLATFORM, caller.id)
    grant = Grants(database).find(caller.practice_id, grant_id(caller.practice_id, caller.id))
    client = Clients(database).find(caller.practice_id, about.client_id)
    if app is None:
        return set()
    granted = grant is not None and grant.stands and action in grant.scopes
    consented = client is not None and client.consents_to(caller.id)
    return {("app", "self")} | ({("app", "granted")} if granted and consented else set())


_OF_KIND = {"member": _of_member, "client": _of_client, "app": _of_app}
