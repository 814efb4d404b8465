"""Requests about what apps may hear of a client, and what they call them."""

from typing import Any

from services.practices.api.stores import apps, clients, external_key
from services.practices.api.tries import counted, require_room
from services.practices.domain.apps import AppNotFound
from services.practices.domain.clients import Client, ClientNotFound, ExternalIdTaken
from services.practices.domain.consents import ConsentedOften, ConsentNotFound
from services.practices.domain.looks import TooManyLooks
from services.practices.schemas import clients as schemas
from shared.clock import now
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller


class NotYourApp(Exception):
    """An app links clients to ids of its own only."""


PROBLEMS = {
    ClientNotFound: 404,
    AppNotFound: 404,
    ConsentNotFound: 404,
    NotYourApp: 403,
    ConsentedOften: 409,
    ExternalIdTaken: 409,
    TooManyLooks: 429,
}

api = Blueprint("consents", __name__, url_prefix="/v1", description="Clients and apps", problems=PROBLEMS)


@api.get("/clients/<client_id>/consents")
@allows("client.read", clients)
@api.response(200, schemas.ConsentsView)
def list_consents(client: Client) -> Client:
    return client


@api.put("/clients/<client_id>/consents/<app_id>")
@allows("consent.give", clients, by="client_id")
@api.arguments(schemas.ConsentBody)
@api.response(200, schemas.ClientView)
def give_consent(client: Client, body: dict[str, Any], app_id: str) -> Client:
    client.consent_to(apps().named(app_id), now(), body["covers"])
    return clients().save(client)


@api.delete("/clients/<client_id>/consents/<app_id>")
@allows("consent.withdraw", clients, by="client_id")
@api.response(200, schemas.ClientView)
def withdraw_consent(client: Client, app_id: str) -> Client:
    client.withdraw_consent_to(app_id, now())
    return clients().save(client)


@api.get("/clients/<client_id>/external-ids")
@allows("client.link", clients)
@api.response(200, schemas.ExternalIdsView)
def list_external_ids(client: Client) -> Client:
    return _as_seen(client)


@api.put("/clients/<client_id>/external-ids/<app_id>")
@allows("client.link", clients, by="client_id")
@api.arguments(schemas.ExternalIdBody)
@api.response(200, schemas.ExternalIdsView)
@counted
def set_external_id(client: Client, body: dict[str, Any], app_id: str) -> Client:
    _require_own(app_id)
    require_room()
    client.link(apps().named(app_id), body["external_id"], external_key())
    return _as_seen(clients().save(client))


@api.delete("/clients/<client_id>/external-ids/<app_id>")
@allows("client.link", clients, by="client_id")
@api.response(200, schemas.ExternalIdsView)
def remove_external_id(client: Client, app_id: str) -> Client:
    _require_own(app_id)
    client.unlink(app_id, external_key())
    return _as_seen(clients().save(client))


def _require_own(app_id: str) -> None:
    if caller().kind == "app" and app_id != caller().id:
        raise NotYourApp("Name your own app's id in the path.")


def _as_seen(client: Client) -> Client:
    return client.as_seen_by_app(caller().id) if caller().kind == "app" else client
