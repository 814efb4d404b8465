"""What every service but practices knows of the cast: the read models that practices' events feed.

They are projected and not told by events: this is about what follows of them; handlers have their own tests.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from shared.clock import now
from shared.ids import PLATFORM
from shared.security.access import consent_id
from shared.store.operations import Operation, project, write
from tests.access.cast import CLARA, DANIEL, ENDED, MAYA, NOAH, OURS, THEIRS, Caller
from tests.access.table import ROWS

Fact = tuple[str, Operation]
"""With the practice it is of."""
OWN = {"own", "suspended", "removed", "expired", "other_practice", "revoked"}
"""Who has or had an episode."""
SCOPES = sorted(ROWS)
"""All there are: what no app may, a practice cannot grant it either."""
CONSENTED = {"own", "ungranted", "revoked", "scopeless", "granted_elsewhere", "other_practice", "narrow"}
ASKED = CONSENTED | {"withdrawn"}


def tell(database: Any, names: set[str], callers: Iterable[Caller]) -> None:
    """Project what those of these collections hold that the service has."""
    facts = [*_practices(), *(fact for caller in persons(callers) for fact in _of(caller))]
    failed = write(database, [(one, practice, 1) for practice, one in facts if one.collection in names])
    assert not failed, failed


def persons(callers: Iterable[Caller]) -> list[Caller]:
    """Each that there is, once: some of the cast are the same person with another token."""
    found: dict[tuple[str, str], Caller] = {}
    for caller in callers:
        if caller.relation != "stranger":
            found.setdefault((caller.kind, caller.id), caller)
    return list(found.values())


def _practices() -> Iterator[Fact]:
    for practice in (OURS, THEIRS):
        texts = {"crisis_texts": {"en": f"crisis-text-{practice}"}, "languages": ["en"]}
        yield practice, project("practices", practice, texts)


def _of(caller: Caller) -> Iterator[Fact]:
    yield from {"member": _of_member, "client": _of_client, "app": _of_app}[caller.kind](caller)


def _of_member(caller: Caller) -> Iterator[Fact]:
    active = caller.relation not in ("suspended", "removed")
    member = {"roles": list(caller.roles), "active": active, "supervises": supervises(caller)}
    member |= {"ended": {ENDED: now()}}
    yield caller.home, project("members", caller.id, member)
    yield caller.home, project("people", caller.id, {"display_name": f"name-{caller.id}"})
    if caller.relation in OWN:
        parties = {"client_id": caller.subject, "clinician_id": caller.id, "started_at": now()}
        under_way = parties | {"active": caller.relation != "revoked"}
        yield caller.home, project("episodes", f"episode-{caller.id}", under_way)
    for cover in covers(caller):
        yield caller.home, project("covers", f"cover-{caller.id}", cover)
    for look in looks(caller):
        yield caller.home, project("looks", f"look-{caller.id}", look)


def supervises(caller: Caller) -> list[str]:
    whom = {"supervised": [CLARA], "supervising_another": [DANIEL]}
    return whom.get(caller.relation, [])


def covers(caller: Caller) -> Iterator[dict[str, Any]]:
    days = {
        "covering": (-1, 1),
        "covering_tomorrow": (1, 2),
        "covering_yesterday": (-2, -1),
        "covering_cancelled": (-1, 1),
        "covering_another": (-1, 1),
    }
    if caller.relation in days:
        since, until = (now() + timedelta(days=day) for day in days[caller.relation])
        absent = DANIEL if caller.relation == "covering_another" else CLARA
        active = caller.relation != "covering_cancelled"
        told = {"member_id": absent, "covered_by": caller.id, "since": since, "until": until}
        yield told | {"active": active}


def looks(caller: Caller) -> Iterator[dict[str, Any]]:
    minutes = {"emergency": 30, "emergency_over": -1, "emergency_another": 30}
    if caller.relation in minutes:
        until = now() + timedelta(minutes=minutes[caller.relation])
        client = NOAH if caller.relation == "emergency_another" else MAYA
        yield {"client_id": client, "member_id": caller.id, "ends_at": until}


def _of_client(caller: Caller) -> Iterator[Fact]:
    yield (
        caller.home,
        project("clients", caller.id, {"language": "en", "active": True, "ended": {ENDED: now()}}),
    )
    yield caller.home, project("people", caller.id, {"display_name": f"name-{caller.id}"})


def _of_app(caller: Caller) -> Iterator[Fact]:
    yield PLATFORM, project("apps", caller.id, {"name": f"name-{caller.id}"})
    for practice, scopes, stands in grants(caller):
        granted = {"app_id": caller.id, "event_types": [], "scopes": scopes, "given_at": now()}
        yield practice, project("grants", f"grant-{practice}-{caller.id}", granted | {"active": stands})
    if caller.relation in ASKED:
        consent = {"app_id": caller.id, "given_at": now(), "active": caller.relation in CONSENTED}
        if caller.relation != "own":
            # The one without is from before it was said, and covers all.
            consent["covers"] = consented_to(caller)
        yield caller.home, project("consents", consent_id(caller.subject, caller.id), consent)


def consented_to(caller: Caller) -> list[str]:
    return ["client"] if caller.relation == "narrow" else ["client", "episode", "session", "goal"]


def grants(caller: Caller) -> Iterator[tuple[str, list[str], bool]]:
    """(practice, scopes, whether it stands)"""
    if caller.relation == "ungranted":
        return
    if caller.relation == "granted_elsewhere":
        yield THEIRS, SCOPES, True
        return
    yield caller.home, [] if caller.relation == "scopeless" else SCOPES, caller.relation != "revoked"
