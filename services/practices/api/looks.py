"""Requests to look at a client in an emergency, and about who looked.

Nothing but an exact match opens anything, and only where the practice switched it on: every other answer is
the 404 that an absent client gets. Each try counts, so that nobody learns by trying who is a client.
"""

from collections.abc import Mapping
from typing import Any

from services.practices.api.stores import (
    address_of,
    clients,
    external_key,
    looks,
    members,
    myself,
    own_practice,
)
from services.practices.domain.addresses import look_up_external
from services.practices.domain.clients import Client, ClientNotFound
from services.practices.domain.looks import Look, LookNotFound, TooManyLooks
from services.practices.domain.members import MemberNotFound
from services.practices.domain.practices import PracticeNotFound
from services.practices.schemas import looks as schemas
from services.practices.store.looks import OwnLooks, Tries
from shared.clock import now
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller, database
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import PageQuery, page_of

PROBLEMS = {
    ClientNotFound: 404,
    LookNotFound: 404,
    MemberNotFound: 404,
    PracticeNotFound: 404,
    TooManyLooks: 429,
}

api = Blueprint("looks", __name__, url_prefix="/v1", description="Looks in an emergency", problems=PROBLEMS)


def _own_looks() -> OwnLooks:
    return OwnLooks(database(), caller().id)


@api.post("/looks")
@allows("glass.break")
@api.arguments(schemas.LookBody)
@api.response(201, schemas.LookView)
@creates(looks)
def break_glass(body: dict[str, Any], id: str) -> Look:
    me, reason = myself(), body.pop("reason")
    client = _exactly(**body)
    owner_ids = members().owners(me.practice_id)
    return Look.begin(id=id, client=client, by=me, reason=reason, owner_ids=owner_ids, at=now())


def _exactly(email: str | None = None, app_id: str | None = None, external_id: str | None = None) -> Client:
    mine = caller().practice_id
    if not own_practice().values["break_glass"]:
        raise ClientNotFound("This practice does not let anybody break the glass.")
    if not Tries(database(), "glass", mine, caller().id).count(now()):
        raise TooManyLooks("Ask an owner or admin of the practice, or wait for an hour.")
    if email is not None:
        found = clients().find_by(mine, address=address_of(email))
    else:
        look_up = look_up_external(app_id or "", external_id or "", external_key())
        found = clients().find_by(mine, external_look_ups=look_up)
    if found is None:
        raise ClientNotFound("There is no such client here.")
    return found


@api.post("/looks/<look_id>/end")
@allows("glass.break", _own_looks)
@api.response(200, schemas.LookView)
def end_look(look: Look) -> Look:
    look.end(now())
    return looks().save(look)


@api.get("/clients/<client_id>/looks")
@allows("look.list")
@api.arguments(PageQuery, location="query")
@api.response(200, page_of(schemas.WhoLookedView))
def list_looks(query: dict[str, Any], client_id: str) -> Mapping[str, Any]:
    """Who looked at the client in an emergency, newest first."""
    by = caller()
    found = page(query, lambda limit, after: looks().of_client(by.practice_id, client_id, limit, after))
    names = members().names(by.practice_id, {look.member_id for look in found["items"]})
    hidden = {"reason": None} if by.kind == "client" else {}
    told = [{**vars(look), "member_name": names.get(look.member_id, ""), **hidden} for look in found["items"]]
    return {**found, "items": told}
