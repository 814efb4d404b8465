"""Requests about clients and their consents."""

from collections.abc import Mapping
from typing import Any

from services.practices.api.stores import (
    address_of,
    apps,
    clients,
    episodes,
    myself,
    own_practice,
)
from services.practices.domain.addresses import AddressTaken
from services.practices.domain.apps import AppNotFound
from services.practices.domain.clients import AdulthoodNotDeclared, Client, ClientNotFound, ConsentNotFound
from services.practices.domain.members import Role
from services.practices.domain.practices import CrisisTextMissing, LanguageNotOffered
from services.practices.schemas import clients as schemas
from shared.clock import now
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import PageQuery, page_of

PROBLEMS = {
    ClientNotFound: 404,
    AppNotFound: 404,
    ConsentNotFound: 404,
    AddressTaken: 409,
    CrisisTextMissing: 409,
    LanguageNotOffered: 409,
    AdulthoodNotDeclared: 422,
}

api = Blueprint("clients", __name__, url_prefix="/v1", description="Clients", problems=PROBLEMS)


@api.post("/clients")
@allows("client.enrol")
@api.arguments(schemas.ClientBody)
@api.response(201, schemas.ClientView)
@creates(clients)
def enrol_client(body: dict[str, Any], id: str) -> Client:
    address = address_of(body["email"])
    return Client.enrol(own_practice(), **body, id=id, address=address, enrolled_by=caller().id, at=now())


@api.get("/clients")
@allows("client.list")
@api.arguments(PageQuery, location="query")
@api.response(200, page_of(schemas.ClientView))
def list_clients(query: dict[str, Any]) -> Mapping[str, Any]:
    """The office sees everybody, a clinician those of their current episodes."""
    me = myself()
    if me.in_office:
        return page(query, lambda limit, after: clients().list(me.practice_id, {}, limit, after))
    caseload = episodes().caseload(me.practice_id, me.id) if Role.CLINICIAN in me.roles else []
    return page(query, lambda limit, after: clients().among(me.practice_id, caseload, limit, after))


@api.get("/clients/<client_id>")
@allows("client.read", clients)
@api.response(200, schemas.ClientView)
def read_client(client: Client) -> Client:
    return client


@api.put("/clients/<client_id>/consents/<app_id>")
@allows("consent.give", clients, by="client_id")
@api.response(200, schemas.ClientView)
def give_consent(client: Client, app_id: str) -> Client:
    client.consent_to(apps().named(app_id), now())
    return clients().save(client)


@api.delete("/clients/<client_id>/consents/<app_id>")
@allows("consent.withdraw", clients, by="client_id")
@api.response(200, schemas.ClientView)
def withdraw_consent(client: Client, app_id: str) -> Client:
    client.withdraw_consent_to(app_id, now())
    return clients().save(client)
