"""Requests about members."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from services.practices.api.stores import (
    address_of,
    episodes,
    members,
    myself,
    sign_ins,
)
from services.practices.contacts import reached
from services.practices.domain.addresses import AddressTaken
from services.practices.domain.invitations import InvitedTooOften
from services.practices.domain.members import (
    CaseloadLeft,
    Member,
    MemberNotFound,
    MemberStatus,
    NotAClinician,
    NotASupervisor,
    NotYourself,
    OnlyOwners,
    StatusForbids,
)
from services.practices.domain.people import Person
from services.practices.domain.removals import HandOverIncomplete, NotTheirEpisode, Removal, SuccessorCares
from services.practices.domain.second_factors import NotYourOwn
from services.practices.removals import hand_over
from services.practices.schemas import members as schemas
from services.practices.sign_in.ending import end_late
from shared.clock import now
from shared.store.client import StoreUnavailable
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller, database, settings
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import page_of

PROBLEMS = {
    MemberNotFound: 404,
    OnlyOwners: 403,
    NotYourself: 409,
    NotYourOwn: 409,
    AddressTaken: 409,
    StatusForbids: 409,
    InvitedTooOften: 409,
    NotAClinician: 409,
    NotASupervisor: 409,
    CaseloadLeft: 409,
    HandOverIncomplete: 409,
    NotTheirEpisode: 409,
    SuccessorCares: 409,
}

api = Blueprint("members", __name__, url_prefix="/v1", description="Members", problems=PROBLEMS)


@api.post("/members")
@allows("member.invite")
@api.arguments(schemas.MemberBody)
@api.response(201, schemas.MemberView)
@creates(members)
def invite_member(body: dict[str, Any], id: str) -> Member:
    address = address_of(body["email"])
    member = myself().invite(**{**body, "roles": set(body["roles"])}, id=id, address=address, at=now())
    return reached(settings(), member)


@api.get("/members")
@allows("member.list")
@api.arguments(schemas.MemberQuery, location="query")
@api.response(200, page_of(schemas.MemberView))
def list_members(query: dict[str, Any]) -> Mapping[str, Any]:
    me = myself()
    where = {"status": query.get("status", {"$ne": MemberStatus.REMOVED})}
    where |= {"roles": query["role"]} if "role" in query else {}
    found = page(query, lambda limit, after: members().list(me.practice_id, where, limit, after))
    return {**found, "items": [member.as_seen_by(me) for member in found["items"]]}


@api.get("/members/<member_id>")
@allows("member.read", members)
@api.response(200, schemas.MemberView)
def read_member(member: Member) -> Member:
    return member.as_seen_by(myself())


@api.patch("/members/<member_id>")
@allows("member.change", members)
@api.arguments(schemas.MemberChangeBody)
@api.response(200, schemas.MemberView)
def change_member(member: Member, body: dict[str, Any]) -> Member:
    about: dict[str, Any] = {}
    if "roles" in body:
        about["roles"] = set(body["roles"])
        about["caseload"] = episodes().open_of(member.practice_id, member.id)
    if "supervises" in body:
        about["supervised"] = members().named(member.practice_id, set(body["supervises"]))
    return _decided(member, lambda me: member.change(me, **about))


@api.post("/members/<member_id>/invitation")
@allows("member.invite", members)
@api.response(200, schemas.MemberView)
def invite_member_again(member: Member) -> Member:
    return _decided(member, lambda me: member.invite_again(me, now()))


@api.post("/members/<member_id>/suspension")
@allows("member.suspend", members)
@api.response(200, schemas.MemberView)
def suspend_member(member: Member) -> Member:
    return _decided(member, member.suspend)


@api.delete("/members/<member_id>/suspension")
@allows("member.reinstate", members)
@api.response(200, schemas.MemberView)
def reinstate_member(member: Member) -> Member:
    return _decided(member, member.reinstate)


@api.post("/members/<member_id>/removal")
@allows("member.remove", members)
@api.arguments(schemas.RemovalBody)
@api.response(200, schemas.MemberView)
def remove_member(member: Member, body: dict[str, Any]) -> Member:
    removal = Removal(by=caller().id, at=now(), **body)
    for clinician in members().named(member.practice_id, removal.named):
        clinician.require_active_clinician()
    caseload = episodes().open_of(member.practice_id, member.id)
    removal.require_complete(caseload)
    if clashing := _clashing(member, removal, caseload):
        raise SuccessorCares(clashing)
    removed = _decided(member, lambda me: member.remove(me, removal, caseload))
    # It is saved, which must not be told as a failure: the timer does what cannot be done now.
    with suppress(StoreUnavailable):
        hand_over(database(), removed, removal.at)
    return removed


def _clashing(member: Member, removal: Removal, caseload: list[str]) -> list[str]:
    """Those whose client has an open episode with the successor too."""
    to = {id: removal.successor(id) for id in caseload}
    care = episodes()
    return [id for id in caseload if to[id] != member.id and care.has_with(member.practice_id, id, to[id])]


def _decided(member: Member, decide: Callable[[Member], None]) -> Member:
    """Save what I decide; about another owner only if I am one still at that moment."""
    me, owner = myself(), member.is_owner
    decide(me)
    if owner and me.id != member.id:
        members().hold(me)
    return members().save(member)


@api.delete("/members/<member_id>/second-factor")
@allows("member.reset_second_factor", members)
@api.response(200, schemas.MemberView)
def reset_second_factor(member: Member) -> Person:
    """They are out within 5 s, and enrol another one at their next sign-in."""
    at = now()
    sign_ins().mark_ended(member, at)
    member.reset_second_factor(myself(), sign_ins().ids_of(member.practice_id, member.id), at)
    return end_late(database(), "member", members().save(member), at)
