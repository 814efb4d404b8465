"""What follows of the table and the cast: who is entitled to what."""

from dataclasses import dataclass

from tests.access.cast import Caller
from tests.access.table import ONES_OWN, row

CARE = {"own", "covering", "supervised", "emergency"}


@dataclass(frozen=True)
class About:
    """Whom or what a request, or a planted word, is about; None is whoever asks, and their practice."""

    practice: str | None = None
    client: str | None = None
    person: str | None = None
    app: str | None = None


def entitled(caller: Caller, action: str, about: About) -> bool:
    if action in ONES_OWN and about.person not in (None, caller.id):
        return False
    return not row(action).isdisjoint(_standings(caller, action, about))


def _standings(caller: Caller, action: str, about: About) -> set[tuple[str, ...]]:
    if not caller.signed_in or not caller.present or about.practice not in (None, caller.practice):
        return set()
    return _of_app(caller, action, about) if caller.kind == "app" else _of_person(caller, about)


def _of_app(caller: Caller, action: str, about: About) -> set[tuple[str, ...]]:
    covered = action.startswith("client.") if caller.relation == "narrow" else True
    allowed = caller.relation in ("own", "other_practice", "narrow")
    granted = allowed and covered and about.client == caller.subject
    itself = about.app in (None, caller.id)
    return ({("app", "granted")} if granted else set()) | ({("app", "self")} if itself else set())


def _of_person(caller: Caller, about: About) -> set[tuple[str, ...]]:
    found = {(role, "practice") for role in caller.roles}
    if about.client is not None and about.client in (caller.id, caller.subject):
        found |= {(role, _relation(caller, about)) for role in caller.roles}
        if ("supervisor", "emergency") in found:
            # Of what is allowed in an emergency it does not matter who of them it is.
            found |= {("clinician", "emergency")}
    if about.person == caller.id or about == About(about.practice):
        found |= {("person", "self")}
    return found


def _relation(caller: Caller, about: About) -> str:
    if caller.kind == "client":
        return "self" if about.client == caller.id else "unrelated"
    relation = "own" if caller.relation == "other_practice" else caller.relation
    return relation if relation in CARE else "unrelated"
