"""The cast as practices has it: aggregates of its own, each stored with nothing else in it."""

from typing import Any

from services.practices.domain.apps import App, Grant
from services.practices.domain.clients import Client, Consent
from services.practices.domain.episodes import Episode, EpisodeStatus
from services.practices.domain.members import Member, MemberStatus, Role
from services.practices.domain.practices import Practice
from services.practices.sign_in import grant_id
from services.practices.store.apps import Apps, Grants
from services.practices.store.episodes import Episodes
from services.practices.store.people import Clients, Members, Practices
from shared.clock import now
from shared.ids import PLATFORM
from tests.access import facts
from tests.access.cast import CLARA, ENDED, MALLORY, MAYA, OURS, THEIRS, Caller
from tests.access.expected import About
from tests.access.filled import filled, of_enum
from tests.access.records import Record

SAME_ADDRESS = {"clinician-both": MAYA, "client-both": CLARA}
"""Who is a member and a client has one address for both."""


def tell(database: Any, callers: list[Caller]) -> list[Record]:
    """Store all of them; what was planted."""
    for id in (OURS, THEIRS):
        texts = {"languages": ["en"], "crisis_texts": {"en": f"crisis-text-{id}"}}
        about = {"id": id, "practice_id": id, "timezone": "Europe/Lisbon", "locale": "en"}
        Practices(database).add(filled(Practice, **about, **texts))
    people = facts.persons(callers)
    for caller in people:
        {"member": _member, "client": _client, "app": _app}[caller.kind](database, caller, people)
    return [planted for caller in people for planted in _planted(caller)]


def _planted(caller: Caller) -> list[Record]:
    mail = f"mail-of-{caller.id}@example.org"
    if caller.kind == "member":
        return [Record(caller.id, "", About(caller.home, person=caller.id), (mail,), "member.contact")]
    if caller.kind == "client":
        about = About(caller.home, client=caller.id)
        return [Record(caller.id, "clients", about, (mail, f"name-{caller.id}"), "client.read")]
    return []


def _person(caller: Caller) -> dict[str, Any]:
    return {
        "id": caller.id,
        "practice_id": caller.home,
        "display_name": f"name-{caller.id}",
        "email": f"mail-of-{caller.id}@example.org",
        "address": SAME_ADDRESS.get(caller.id, caller.id),
        "language": "en",
        "timezone": "Europe/Lisbon",
        "ended": {ENDED: now()},
    }


def _member(database: Any, caller: Caller, people: list[Caller]) -> None:
    wanted = caller.relation if caller.relation in ("suspended", "removed") else "active"
    status = of_enum(MemberStatus, wanted) or MemberStatus("suspended")
    roles, supervised = {Role(role) for role in caller.roles}, facts.supervises(caller)
    member = filled(Member, **_person(caller), roles=roles, status=status, supervises=supervised)
    Members(database).add(member)
    if caller.relation in facts.OWN and caller.id not in (CLARA, MALLORY):
        _episode(database, caller, "closed" if caller.relation == "revoked" else "active")
    for name, of_them in (("covers", facts.covers(caller)), ("looks", facts.looks(caller))):
        for fact in of_them:
            # As raw as this until there are such aggregates to fill.
            fact |= {"reason": "x", "began_at": now()}
            identified = {"_id": f"{name}-{caller.id}", "practice_id": caller.home, "version": 1, "eseq": 0}
            database[name].insert_one(identified | fact)


def _episode(database: Any, caller: Caller, wanted: str) -> None:
    status = of_enum(EpisodeStatus, wanted)
    if status is None:
        return
    parties = {"client_id": caller.subject, "clinician_id": caller.id, "started_at": now()}
    about = {"id": f"episode-of-{caller.id}", "practice_id": caller.home, "status": status}
    Episodes(database).add(filled(Episode, **about, **parties))


def _client(database: Any, caller: Caller, people: list[Caller]) -> None:
    by = "clinician-enrolled" if caller.id == MAYA else "somebody"
    status = {"status": "active"} if "status" in Client.__dataclass_fields__ else {}
    consents = {
        one.id: Consent(now(), now() if one.relation == "withdrawn" else None)
        for one in people
        if one.kind == "app" and one.subject == caller.id and one.relation in facts.ASKED
    }
    Clients(database).add(filled(Client, **_person(caller), **status, enrolled_by=by, consents=consents))


def _app(database: Any, caller: Caller, people: list[Caller]) -> None:
    Apps(database).add(filled(App, id=caller.id, practice_id=PLATFORM, name=f"name-{caller.id}"))
    for practice, scopes, stands in facts.grants(caller):
        about = {"id": grant_id(practice, caller.id), "practice_id": practice, "app_id": caller.id}
        made = filled(Grant, **about, scopes=scopes, givings={f"giving-{caller.id}": None})
        made.revoked_at = None if stands else now()
        Grants(database).add(made)
