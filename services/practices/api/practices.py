"""Requests about the practice and about oneself."""

from collections.abc import Mapping
from typing import Any

from services.practices.api.stores import (
    apps,
    clients,
    episodes,
    members,
    myself,
    own_practice,
    practices,
)
from services.practices.domain.apps import AppNotFound
from services.practices.domain.clients import Client, ClientNotFound
from services.practices.domain.members import Member, MemberNotFound, StatusForbids
from services.practices.domain.practices import (
    HoursUnclear,
    LanguageNotOffered,
    Practice,
    PracticeNotFound,
)
from services.practices.schemas import practices as schemas
from shared.web.allows import allows, etag
from shared.web.blueprint import Blueprint
from shared.web.context import caller

PROBLEMS = {
    PracticeNotFound: 404,
    AppNotFound: 404,
    MemberNotFound: 404,
    ClientNotFound: 404,
    LanguageNotOffered: 409,
    HoursUnclear: 409,
    StatusForbids: 409,
}
FOR_CLIENTS = ("id", "name", "timezone", "locale", "languages", "crisis_texts", "working_hours")

api = Blueprint(
    "practices", __name__, url_prefix="/v1", description="The practice, and who asks", problems=PROBLEMS
)

Shown = tuple[Mapping[str, Any], int, Mapping[str, str]]


@api.get("/me")
@allows("me.read")
@api.response(200, schemas.MeView)
def read_me() -> Mapping[str, Any]:
    by = caller()
    about = {"id": by.id, "kind": by.kind, "practice_id": by.practice_id}
    if by.kind == "app":
        return {**about, "name": apps().named(by.id).name}
    person: Member | Client = myself() if by.kind == "member" else clients().get(by.practice_id, by.id)
    return {**vars(person), **about, "name": person.display_name}


@api.get("/practice")
@allows("practice.read")
@api.response(200, schemas.PracticeView)
def read_practice() -> Shown:
    practice = own_practice()
    if caller().kind == "member":
        return _in_full(practice)
    return {name: getattr(practice, name) for name in FOR_CLIENTS}, 200, {"ETag": etag(practice)}


@api.patch("/practice")
@allows("practice.change", practices, own=True)
@api.arguments(schemas.PracticeBody)
@api.response(200, schemas.PracticeView)
def change_practice(practice: Practice, body: dict[str, Any]) -> Shown:
    if body.get("on_call"):
        members().get(practice.id, body["on_call"]).require_active()
    practice.change(**body)
    return _in_full(practices().save(practice))


def _in_full(practice: Practice) -> Shown:
    on_call = members().find(practice.id, practice.on_call or "")
    without_clinician = episodes().left_by(practice.id, members().who_cannot_care(practice.id))
    about = {
        **vars(practice),
        "policy": practice.values,
        "defaults": practice.defaults,
        "warnings": list(practice.warnings(on_call is not None and on_call.active, without_clinician)),
    }
    return about, 200, {"ETag": etag(practice)}
