"""Requests about clients: who they are to the practice, and how they are asked in."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from services.practices.api.stores import (
    address_of,
    clients,
    covers,
    episodes,
    myself,
    own_practice,
)
from services.practices.api.tries import counted, require_room
from services.practices.contacts import reached
from services.practices.domain.addresses import AddressTaken
from services.practices.domain.clients import (
    AdulthoodNotDeclared,
    Client,
    ClientNotFound,
    ClientStatus,
    ForThePractice,
    JoinedAlready,
)
from services.practices.domain.invitations import InvitedTooOften
from services.practices.domain.looks import TooManyLooks
from services.practices.domain.members import Member, Role
from services.practices.domain.practices import CrisisTextMissing, LanguageNotOffered
from services.practices.schemas import clients as schemas
from shared.clock import now
from shared.store.aggregates import StaleVersion
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller, settings
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import page_of

PROBLEMS = {
    ClientNotFound: 404,
    ForThePractice: 403,
    AddressTaken: 409,
    CrisisTextMissing: 409,
    InvitedTooOften: 409,
    JoinedAlready: 409,
    LanguageNotOffered: 409,
    AdulthoodNotDeclared: 422,
    TooManyLooks: 429,
}

api = Blueprint("clients", __name__, url_prefix="/v1", description="Clients", problems=PROBLEMS)

Enrolled = tuple[Client, int, Mapping[str, str]]


def with_warning(view: Callable[..., Any]) -> Callable[..., Enrolled]:
    """Say beside the client what stands in the way of inviting them."""

    @wraps(view)
    def warned(*args: Any, **path: Any) -> Enrolled:
        client, status, headers = view(*args, **path)
        vars(client)["warning"] = own_practice().warning
        return client, status, headers

    return warned


@api.post("/clients")
@allows("client.enrol")
@api.arguments(schemas.ClientBody)
@api.response(201, schemas.EnrolledView)
@with_warning
@counted
@creates(clients, read="client.read")
def enrol_client(body: dict[str, Any], id: str) -> Client:
    require_room()
    practice, at, invite = own_practice(), now(), body.pop("invite")
    address = address_of(body["email"])
    client = Client.enrol(practice, **body, id=id, address=address, enrolled_by=caller().id, at=at)
    if practice.values["invite_at_enrolment"] if invite is None else invite:
        client.invite(practice, at)
    return reached(settings(), client)


@api.get("/clients")
@allows("client.list")
@api.arguments(schemas.ClientQuery, location="query")
@api.response(200, page_of(schemas.ClientView))
def list_clients(query: dict[str, Any]) -> Mapping[str, Any]:
    """The office sees everybody, others the clients of their own, and of whom they cover or supervise."""
    me, where = myself(), {}
    if "status" in query:
        where["status"] = query["status"]
    if "clinician_id" in query:
        asked = {query["clinician_id"]}
        seen = asked if me.in_office else asked & _seen_by(me)
        where["_id"] = {"$in": episodes().caseload(me.practice_id, seen)}
    elif not me.in_office:
        where["_id"] = {"$in": _clients_of(_seen_by(me))}
    return page(query, lambda limit, after: clients().list(me.practice_id, where, limit, after))


def _clients_of(clinicians: set[str]) -> list[str]:
    """In care with these, or enrolled by them and in nobody's care ever."""
    mine = caller().practice_id
    enrolled = clients().enrolled(mine, clinicians)
    untreated = set(enrolled).difference(episodes().treated(mine, enrolled))
    return sorted(untreated.union(episodes().caseload(mine, clinicians)))


def _seen_by(me: Member) -> set[str]:
    """The clinicians whose clients a member may see, as client.read has it."""
    own = {me.id, *covers().current(me.practice_id, me.id, now())} if Role.CLINICIAN in me.roles else set()
    return own | (me.supervises if Role.SUPERVISOR in me.roles else set())


@api.get("/clients/<client_id>")
@allows("client.read", clients)
@api.response(200, schemas.ClientView)
def read_client(client: Client) -> Client:
    return client


@api.patch("/clients/<client_id>")
@allows("client.change", clients)
@api.arguments(schemas.ClientChange)
@api.response(200, schemas.ClientView)
@counted
def change_client(client: Client, body: dict[str, Any]) -> Client:
    email = body.pop("email", None)
    client.change(own_practice(), caller().id, **body)
    if email is not None:
        require_room()
        client.correct_address(email, address_of(email), now())
    if email is not None or "phone" in body:
        reached(settings(), client)
    return clients().save(client)


@api.post("/clients/<client_id>/invitation")
@allows("client.invite", clients)
@api.response(200, schemas.ClientView)
def invite_client(client: Client) -> Client:
    client.invite(own_practice(), now())
    return clients().save(client)


@api.post("/client-invitations")
@allows("client.invite_all", repeatable=True)
@api.arguments(schemas.InvitationsBody)
@api.response(200, schemas.InvitationsView)
def invite_clients(body: dict[str, Any]) -> Mapping[str, int]:
    """At most 100 at once, each for good: who remains is invited by the next request."""
    mine = caller().practice_id
    if body["who"]:
        chosen = clients().not_invited(mine, schemas.MOST_AT_ONCE)
    else:
        chosen = clients().among(mine, body["clients"])
    invited = _invite(one for one in chosen if one.status is ClientStatus.ENROLLED)
    return {"invited": invited, "remaining": clients().count_not_invited(mine)}


def _invite(chosen: Iterable[Client]) -> int:
    """How many were invited: whom somebody else has just changed, or who got many letters today, is left."""
    practice, at, invited = own_practice(), now(), 0
    practice.require_crisis_texts()
    for client in chosen:
        try:
            client.invite(practice, at)
            clients().save(client)
        except (StaleVersion, InvitedTooOften):
            continue
        invited += 1
    return invited
