"""In what relation a caller stands to what they ask for, from practices' own aggregates.

Other services keep a copy of this (shared/security/access); here it is obeyed at once. The same
look-ups are made whatever they find, so that a foreign record and an absent one cost the same.
"""

from dataclasses import dataclass
from typing import Any

from services.practices.domain.clients import Client
from services.practices.domain.members import Member, Role
from services.practices.domain.people import Person
from services.practices.domain.wishes import Wish
from services.practices.sign_in import grant_id
from services.practices.store.apps import Apps, Grants
from services.practices.store.covers import Covers
from services.practices.store.episodes import Episodes
from services.practices.store.looks import Looks
from services.practices.store.people import Clients, Members, Practices
from shared.clock import now
from shared.ids import PLATFORM
from shared.safety import first_of
from shared.security.caller import Caller
from shared.security.tokens import TokenRefused

Standings = set[tuple[str, str]]


def crisis_text(database: Any, client: Caller) -> str | None:
    """Where help is, in the client's language."""
    practice = Practices(database).get(client.practice_id, client.practice_id)
    known = Clients(database).look(client.practice_id, client.id)
    chosen = [known.language] if known else []
    return first_of(practice.crisis_texts, [*chosen, *practice.languages])


@dataclass(frozen=True)
class _About:
    """The client or person whom a request is about, as far as there is one."""

    client_id: str = ""
    enrolled_by: str = ""
    person_id: str | None = None
    """Whose affair it is, where it is one person's."""
    clinician_id: str | None = None
    """Whom it is about, where it stays about them whoever has the client now."""


def standings(database: Any, caller: Caller, action: str, target: Any) -> Standings:
    """(role, relation) pairs; `target` is an aggregate, a client's id, or None.

    Nobody stands in any relation to a client whom this practice does not have.
    """
    named = isinstance(target, str)
    about = Clients(database).look(caller.practice_id, target) if named else target
    found = _OF_KIND[caller.kind](database, caller, action, _about(about))
    # A wish goes past the clinician, whatever else they are.
    past = isinstance(target, Wish) and target.clinician_id == caller.id
    return set() if past or (named and about is None) else found


def _about(target: Any) -> _About:
    if isinstance(target, Client):
        return _About(target.id, target.enrolled_by, person_id=target.id)
    if isinstance(target, Member):
        return _About(person_id=target.id)
    if isinstance(target, Wish):
        return _About(target.client_id, clinician_id=target.clinician_id)
    whose = getattr(target, "person_id", getattr(target, "member_id", None))
    return _About(getattr(target, "client_id", ""), person_id=whose)


def _of_member(database: Any, caller: Caller, action: str, about: _About) -> Standings:
    member = Members(database).look(caller.practice_id, caller.id)
    clinicians = _clinicians(database, caller.practice_id, about)
    absent = Covers(database).current(caller.practice_id, caller.id, now())
    glass = Looks(database).stands(caller.practice_id, caller.id, about.client_id, now())
    _refuse_ended(member, caller)
    if member is None or not member.active:
        return set()
    found = _oneself(about, caller) | {(str(role), "practice") for role in member.roles}
    if Role.CLINICIAN in member.roles:
        found |= {("clinician", "own")} if caller.id in clinicians else set()
        found |= {("clinician", "covering")} if clinicians.intersection(absent) else set()
    if Role.SUPERVISOR in member.roles and clinicians & member.supervises:
        found.add(("supervisor", "supervised"))
    if glass and member.roles & {Role.CLINICIAN, Role.SUPERVISOR}:
        found.add(("clinician", "emergency"))
    return found


def _clinicians(database: Any, practice_id: str, about: _About) -> set[str]:
    """Those of the client's open episodes; or who enrolled the client, who has had no episode yet.

    Of a wish it is whom it goes past: who supervises them settles it by a transfer too.
    """
    episodes = Episodes(database)
    clinicians = set(episodes.clinicians_of(practice_id, about.client_id))
    # Asked for everybody: who enrolled a client would tell them from an absent one by what it costs.
    untreated = not episodes.any_of(practice_id, about.client_id)
    if about.clinician_id:
        return {about.clinician_id}
    return {about.enrolled_by} if untreated and about.enrolled_by else clinicians


def _oneself(about: _About, caller: Caller) -> Standings:
    return {("person", "self")} if about.person_id in (None, caller.id) else set()


def _refuse_ended(person: Person | None, caller: Caller) -> None:
    if person is not None and caller.sign_in_id in person.ended:
        raise TokenRefused("of a sign-in that was ended")


def _of_client(database: Any, caller: Caller, action: str, about: _About) -> Standings:
    client = Clients(database).look(caller.practice_id, caller.id)
    _refuse_ended(client, caller)
    if client is None or not client.active:
        return set()
    own = {("client", "self")} if about.client_id == client.id else set()
    return own | {("client", "practice")} | _oneself(about, caller)


def _of_app(database: Any, caller: Caller, action: str, about: _About) -> Standings:
    app = Apps(database).look(PLATFORM, caller.id)
    grant = Grants(database).find(caller.practice_id, grant_id(caller.practice_id, caller.id))
    client = Clients(database).look(caller.practice_id, about.client_id)
    if app is None:
        return set()
    granted = grant is not None and grant.stands and action in grant.scopes
    consented = client is not None and client.consents_to(caller.id, action.partition(".")[0])
    return {("app", "self")} | ({("app", "granted")} if granted and consented else set())


_OF_KIND = {"member": _of_member, "client": _of_client, "app": _of_app}
