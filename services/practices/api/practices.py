"""Requests about the practice and about oneself."""

from collections.abc import Mapping
from typing import Any

from services.practices.api.stores import (
    apps,
    clients,
    myself,
    own_practice,
)
from services.practices.domain.apps import AppNotFound
from services.practices.domain.clients import Client, ClientNotFound
from services.practices.domain.members import Member, MemberNotFound
from services.practices.domain.practices import Practice, PracticeNotFound
from services.practices.schemas import practices as schemas
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller

PROBLEMS = {PracticeNotFound: 404, AppNotFound: 404, MemberNotFound: 404, ClientNotFound: 404}

api = Blueprint(
    "practices", __name__, url_prefix="/v1", description="The practice, and who asks", problems=PROBLEMS
)


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
def read_practice() -> Practice:
    return own_practice()
