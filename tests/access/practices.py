"""The cast as practices has it: aggregates of its own, each stored with nothing else in it."""

from typing import Any

from services.practices.domain.addresses import look_up
from services.practices.domain.apps import App, Grant
from services.practices.domain.clients import Client, ClientStatus, ExternalId
from services.practices.domain.consents import Consent
from services.practices.domain.covers import Cover
from services.practices.domain.episodes import Episode, EpisodeStatus
from services.practices.domain.looks import Look
from services.practices.domain.members import Member, MemberStatus, Role
from services.practices.domain.practices import Practice
from services.practices.sign_in import grant_id
from services.practices.store.apps import Apps, Grants
from services.practices.store.covers import Covers
from services.practices.store.episodes import Episodes
from services.practices.store.looks import Looks
from services.practices.store.people import Clients, Members, Practices
from shared.clock import now
from shared.ids import PLATFORM
from shared.settings import Settings
from tests.access import facts
from tests.access.cast import CLARA, EHR, ENDED, MALLORY, MAYA, OTHER_APP, OURS, THEIRS, ZOE, Caller
from tests.access.expected import About
from tests.access.filled import filled
from tests.access.records import SCENES, Record

SAME_ADDRESS = {"clinician-both": MAYA, "client-both": CLARA}
"""Who is a member and a client has one address for both."""
LINKED = {MAYA: EHR, ZOE: OTHER_APP}
"""Whom an app calls by an id of its own."""


def tell(database: Any, settings: Settings, callers: list[Caller]) -> list[Record]:
    """Store all of them; what was planted."""
    for id in (OURS, THEIRS):
        texts = {"languages": ["en"], "crisis_texts": {"en": f"crisis-text-{id}"}}
        about = {"id": id, "practice_id": id, "timezone": "Europe/Lisbon", "locale": "en"}
        Practices(database).add(filled(Practice, **about, **texts, policy={"break_glass": True}))
    people = facts.persons(callers)
    colleagues = [
        Caller(one.colleague, "member", ("clinician",), "unrelated", home=one.practice) for one in SCENES
    ]
    for caller in [*people, *colleagues]:
        if caller.kind == "app":
            _app(database, caller)
        else:
            store = _member if caller.kind == "member" else _client
            store(database, caller, people, _person(settings, caller))
    return [planted for caller in people for planted in _planted(caller)]


def _planted(caller: Caller) -> list[Record]:
    mail = f"mail-of-{caller.id}@example.org"
    if caller.kind == "member":
        return [Record(caller.id, "", About(caller.home, person=caller.id), (mail,), "member.contact")]
    if caller.kind == "client":
        about = About(caller.home, client=caller.id)
        client = Record(caller.id, "clients", about, (mail, f"name-{caller.id}"), "client.read")
        return [client, *_external_ids(caller)]
    return []


def _external_ids(caller: Caller) -> list[Record]:
    if caller.id not in LINKED:
        return []
    about = About(caller.home, client=caller.id, app=LINKED[caller.id])
    return [Record(caller.id, "", about, (_external_id(caller),), "client.external_id")]


def _external_id(caller: Caller) -> str:
    return f"external-id-of-{caller.id}"


def _person(settings: Settings, caller: Caller) -> dict[str, Any]:
    reached = f"mail-of-{SAME_ADDRESS.get(caller.id, caller.id)}@example.org"
    return {
        "id": caller.id,
        "practice_id": caller.home,
        "display_name": f"name-{caller.id}",
        "email": f"mail-of-{caller.id}@example.org",
        "address": look_up(reached, settings.key("email")),
        "language": "en",
        "timezone": "Europe/Lisbon",
        "ended": {ENDED: now()},
    }


def _member(database: Any, caller: Caller, people: list[Caller], person: dict[str, Any]) -> None:
    status = caller.relation if caller.relation in ("suspended", "removed") else "active"
    roles, supervised = {Role(role) for role in caller.roles}, set(facts.supervises(caller))
    about = {"roles": roles, "status": MemberStatus(status), "supervises": supervised}
    Members(database).add(filled(Member, **person, **about))
    if caller.relation in facts.OWN and caller.id not in (CLARA, MALLORY):
        _episode(database, caller, "closed" if caller.relation == "revoked" else "active")
    for cover in facts.covers(caller):
        called_off = None if cover.pop("active") else now()
        about = {"id": f"cover-{caller.id}", "practice_id": caller.home, "cancelled_at": called_off}
        Covers(database).add(filled(Cover, **about, **cover))
    for look in facts.looks(caller):
        about = {"id": f"look-{caller.id}", "practice_id": caller.home}
        Looks(database).add(filled(Look, **about, **look))


def _episode(database: Any, caller: Caller, status: str) -> None:
    parties = {"client_id": caller.subject, "clinician_id": caller.id, "started_at": now()}
    about = {"id": f"episode-of-{caller.id}", "practice_id": caller.home, "status": EpisodeStatus(status)}
    Episodes(database).add(filled(Episode, **about, **parties))


def _client(database: Any, caller: Caller, people: list[Caller], person: dict[str, Any]) -> None:
    about = {
        "status": ClientStatus.ACTIVE,
        "enrolled_by": "clinician-enrolled" if caller.id == MAYA else "somebody",
        "consents": _consents(caller, people),
        "external_ids": [ExternalId(LINKED[caller.id], _external_id(caller))] if caller.id in LINKED else [],
    }
    Clients(database).add(filled(Client, **person, **about))


def _consents(client: Caller, people: list[Caller]) -> list[Consent]:
    return [
        Consent(one.id, facts.consented_to(one), now(), now() if one.relation == "withdrawn" else None)
        for one in people
        if one.kind == "app" and one.subject == client.id and one.relation in facts.ASKED
    ]


def _app(database: Any, caller: Caller) -> None:
    Apps(database).add(filled(App, id=caller.id, practice_id=PLATFORM, name=f"name-{caller.id}"))
    for practice, scopes, stands in facts.grants(caller):
        about = {"id": grant_id(practice, caller.id), "practice_id": practice, "app_id": caller.id}
        made = filled(Grant, **about, scopes=scopes, givings={f"giving-{caller.id}": None})
        made.revoked_at = None if stands else now()
        Grants(database).add(made)
