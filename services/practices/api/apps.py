"""Requests about apps, and what the practice grants them."""

from collections.abc import Mapping
from typing import Any

from services.practices.api.stores import (
    apps,
    grants,
)
from services.practices.domain.apps import AppNotFound, Grant, GrantIsRevoked, GrantNotFound, GrantStands
from services.practices.schemas import apps as schemas
from services.practices.sign_in import grant_id
from shared.clock import now
from shared.ids import PLATFORM
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import PageQuery, page_of

PROBLEMS = {AppNotFound: 404, GrantNotFound: 404, GrantStands: 409, GrantIsRevoked: 409}

api = Blueprint("apps", __name__, url_prefix="/v1", description="Apps and grants", problems=PROBLEMS)


@api.get("/apps")
@allows("app.list")
@api.arguments(PageQuery, location="query")
@api.response(200, page_of(schemas.AppView))
def list_apps(query: dict[str, Any]) -> Mapping[str, Any]:
    return page(query, lambda limit, after: apps().list(PLATFORM, {}, limit, after))


@api.post("/grants")
@allows("grant.give")
@api.arguments(schemas.GrantBody)
@api.response(201, schemas.GrantView)
@creates(grants)
def give_grant(body: dict[str, Any], id: str) -> Grant:
    app, mine = apps().named(body["app_id"]), caller().practice_id
    return Grant.give(
        id=grant_id(mine, app.id),
        practice_id=mine,
        app_id=app.id,
        event_types=sorted(set(body["event_types"])),
        scopes=sorted(set(body["scopes"])),
        given_at=now(),
        givings={id: None},
    )


@api.get("/grants")
@allows("grant.list")
@api.arguments(PageQuery, location="query")
@api.response(200, page_of(schemas.GrantView))
def list_grants(query: dict[str, Any]) -> Mapping[str, Any]:
    mine = caller().practice_id
    return page(query, lambda limit, after: grants().list(mine, {}, limit, after))


@api.get("/grants/<grant_id>")
@allows("grant.read", grants)
@api.response(200, schemas.GrantView)
def read_grant(grant: Grant) -> Grant:
    return grant


@api.patch("/grants/<grant_id>")
@allows("grant.give", grants)
@api.arguments(schemas.GrantChangeBody)
@api.response(200, schemas.GrantView)
def change_grant(grant: Grant, body: dict[str, Any]) -> Grant:
    grant.change(now(), **{name: sorted(set(names)) for name, names in body.items()})
    return grants().save(grant)


@api.delete("/grants/<grant_id>")
@allows("grant.revoke", grants)
@api.response(200, schemas.GrantView)
def revoke_grant(grant: Grant) -> Grant:
    grant.revoke(now())
    return grants().save(grant)
