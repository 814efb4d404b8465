"""Requests to partners, all by apps about their own endpoints."""

from typing import Any

from services.partners import signing
from services.partners.addresses import UrlRefused, check_url
from services.partners.domain import Endpoint, EndpointNotFound, EndpointRemoved
from services.partners.schemas import DeliveryPage, EndpointBody, EndpointPage, EndpointView, NewEndpointView
from services.partners.store import Apps, Deliveries, Endpoints
from shared.clock import now
from shared.ids import PLATFORM
from shared.security.caller import Caller
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller, database, settings
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import PageQuery

PROBLEMS = {EndpointNotFound: 404, EndpointRemoved: 409, UrlRefused: 422}

api = Blueprint("partners", __name__, url_prefix="/v1", problems=PROBLEMS)


def endpoints() -> Endpoints:
    return Endpoints(database())


def standings(database: Any, by: Caller, _action: str, target: Any) -> set[tuple[str, str]]:
    """A known app with its platform token is `self` towards its own, and where nothing is named."""
    known = by.practice_id == PLATFORM and Apps(database).get(PLATFORM, by.id)
    own = target is None or target.app_id == by.id
    return {("app", "self")} if by.kind == "app" and known and own else set()


@api.post("/endpoints")
@allows("endpoint.register")
@api.arguments(EndpointBody)
@api.response(201, NewEndpointView)
@creates(endpoints)
def register_endpoint(body: dict[str, Any], id: str) -> Endpoint:
    """Register an endpoint; this answer shows its secret, and no other does.

    The secret shown is the stored one, so a repeat with the same Idempotency-Key shows the same again:
    whoever never got the first answer must not be left with an endpoint they cannot verify.
    """
    check_url(body["url"], settings().development)
    sealed = signing.seal(signing.new_secret(), settings().key("webhooks"))
    return Endpoint(id, caller().practice_id, caller().id, sealed_secret=sealed, created_at=now(), **body)


@api.get("/endpoints")
@allows("endpoint.list")
@api.arguments(PageQuery, location="query")
@api.response(200, EndpointPage)
def list_endpoints(query: dict[str, Any]) -> dict[str, Any]:
    """List the app's endpoints, newest first."""
    app_id = caller().id
    return page(query, lambda limit, after: endpoints().of_app(app_id, limit, after))


@api.get("/endpoints/<endpoint_id>")
@allows("endpoint.read", endpoints)
@api.response(200, EndpointView)
def read_endpoint(endpoint: Endpoint) -> Endpoint:
    """Read an endpoint, without its secret."""
    return endpoint


@api.delete("/endpoints/<endpoint_id>")
@allows("endpoint.remove", endpoints)
@api.response(200, EndpointView)
def remove_endpoint(endpoint: Endpoint) -> Endpoint:
    """Remove an endpoint: it stays readable, and nothing is sent there again."""
    endpoint.remove(now())
    return endpoints().save(endpoint)


@api.get("/endpoints/<endpoint_id>/deliveries")
@allows("delivery.list", endpoints)
@api.arguments(PageQuery, location="query")
@api.response(200, DeliveryPage)
def list_deliveries(endpoint: Endpoint, query: dict[str, Any]) -> dict[str, Any]:
    """List an endpoint's deliveries with every attempt, newest first."""
    deliveries = Deliveries(database())
    return page(query, lambda limit, after: deliveries.of_endpoint(endpoint.id, limit, after))
