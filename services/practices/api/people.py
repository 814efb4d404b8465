"""Requests about people, care between them, apps and grants."""

from collections.abc import Mapping
from typing import Any

from services.practices import schemas
from services.practices.domain import (
    AddressTaken,
    AdulthoodNotDeclared,
    AppNotFound,
    Client,
    ClientNotFound,
    ConsentNotFound,
    CrisisTextMissing,
    Episode,
    EpisodeNotFound,
    Grant,
    GrantNotFound,
    GrantStands,
    LanguageNotOffered,
    Member,
    MemberNotFound,
    NotAClinician,
    NotYourEpisode,
    NotYourself,
    OnlyOwners,
    Practice,
    PracticeNotFound,
)
from services.practices.sign_in import SignIn, grant_id
from services.practices.store import Apps, Clients, Episodes, Grants, Members, Practices
from shared.clock import now
from shared.ids import PLATFORM
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller, database, settings
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import PageQuery, page_of

PROBLEMS = {
    PracticeNotFound: 404,
    MemberNotFound: 404,
    ClientNotFound: 404,
    EpisodeNotFound: 404,
    AppNotFound: 404,
    GrantNotFound: 404,
    ConsentNotFound: 404,
    OnlyOwners: 403,
    NotYourEpisode: 403,
    NotYourself: 409,
    AddressTaken: 409,
    CrisisTextMissing: 409,
    LanguageNotOffered: 409,
    AdulthoodNotDeclared: 422,
    NotAClinician: 409,
    GrantStands: 409,
}

api = Blueprint(
    "practices",
    __name__,
    url_prefix="/v1",
    description="Practices, members, clients, episodes, apps and grants",
    problems=PROBLEMS,
)


def practices() -> Practices:
    return Practices(database())


def members() -> Members:
    return Members(database())


def clients() -> Clients:
    return Clients(database())


def episodes() -> Episodes:
    return Episodes(database())


def apps() -> Apps:
    return Apps(database())


def grants() -> Grants:
    return Grants(database())


def own_practice() -> Practice:
    return practices().get(caller().practice_id, caller().practice_id)


def _address(email: str) -> str:
    return SignIn(database(), settings()).address(email)


def myself() -> Member:
    return members().get(caller().practice_id, caller().id)


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


@api.post("/members")
@allows("member.invite")
@api.arguments(schemas.MemberBody)
@api.response(201, schemas.MemberView)
@creates(members)
def invite_member(body: dict[str, Any], id: str) -> Member:
    address = _address(body["email"])
    return myself().invite(**{**body, "roles": set(body["roles"])}, id=id, address=address)


@api.get("/members")
@allows("member.list")
@api.arguments(PageQuery, location="query")
@api.response(200, page_of(schemas.MemberView))
def list_members(query: dict[str, Any]) -> Mapping[str, Any]:
    me = myself()
    found = page(query, lambda limit, after: members().list(me.practice_id, {}, limit, after))
    return {**found, "items": [member.as_seen_by(me) for member in found["items"]]}


@api.get("/members/<member_id>")
@allows("member.read", members)
@api.response(200, schemas.MemberView)
def read_member(member: Member) -> Member:
    return member.as_seen_by(myself())


@api.post("/members/<member_id>/suspension")
@allows("member.suspend", members)
@api.response(200, schemas.MemberView)
def suspend_member(member: Member) -> Member:
    member.suspend(by=myself())
    return members().save(member)


@api.post("/clients")
@allows("client.enrol")
@api.arguments(schemas.ClientBody)
@api.response(201, schemas.ClientView)
@creates(clients)
def enrol_client(body: dict[str, Any], id: str) -> Client:
    address = _address(body["email"])
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
    caseload = episodes().caseload(me.practice_id, me.id)
    return page(query, lambda limit, after: clients().among(me.practice_id, caseload, limit, after))


@api.get("/clients/<client_id>")
@allows("client.read", clients)
@api.response(200, schemas.ClientView)
def read_client(client: Client) -> Client:
    return client


@api.post("/clients/<client_id>/episodes")
@allows("episode.start")
@api.arguments(schemas.EpisodeBody)
@api.response(201, schemas.EpisodeView)
@creates(episodes)
def start_episode(body: dict[str, Any], client_id: str, id: str) -> Episode:
    me = myself()
    client = clients().get(me.practice_id, client_id)
    clinician = members().get(me.practice_id, body["clinician_id"] or me.id)
    return Episode.start(id=id, client=client, clinician=clinician, by=me, at=now())


@api.get("/clients/<client_id>/episodes")
@allows("episode.list")
@api.arguments(PageQuery, location="query")
@api.response(200, page_of(schemas.EpisodeView))
def list_episodes(query: dict[str, Any], client_id: str) -> Mapping[str, Any]:
    mine = caller().practice_id
    return page(query, lambda limit, after: episodes().of_client(mine, client_id, limit, after))


@api.get("/episodes/<episode_id>")
@allows("episode.read", episodes)
@api.response(200, schemas.EpisodeView)
def read_episode(episode: Episode) -> Episode:
    return episode


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


@api.delete("/grants/<grant_id>")
@allows("grant.revoke", grants)
@api.response(200, schemas.GrantView)
def revoke_grant(grant: Grant) -> Grant:
    grant.revoke(now())
    return grants().save(grant)
