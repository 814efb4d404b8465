"""Requests about members."""

from collections.abc import Mapping
from typing import Any

from services.practices.api.stores import (
    address_of,
    members,
    myself,
    sign_ins,
)
from services.practices.domain.addresses import AddressTaken
from services.practices.domain.members import Member, MemberNotFound, NotYourself, OnlyOwners
from services.practices.domain.second_factors import NotYourOwn
from services.practices.schemas import members as schemas
from shared.clock import now
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import PageQuery, page_of

PROBLEMS = {MemberNotFound: 404, OnlyOwners: 403, NotYourself: 409, NotYourOwn: 409, AddressTaken: 409}

api = Blueprint("members", __name__, url_prefix="/v1", description="Members", problems=PROBLEMS)


@api.post("/members")
@allows("member.invite")
@api.arguments(schemas.MemberBody)
@api.response(201, schemas.MemberView)
@creates(members)
def invite_member(body: dict[str, Any], id: str) -> Member:
    address = address_of(body["email"])
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


@api.delete("/members/<member_id>/second-factor")
@allows("member.reset_second_factor", members)
@api.response(200, schemas.MemberView)
def reset_second_factor(member: Member) -> Member:
    """They are out within 5 s, and enrol another one at their next sign-in."""
    at = now()
    sign_ins().mark_ended(member, at)
    member.reset_second_factor(myself(), sign_ins().ids_of(member.practice_id, member.id), at)
    members().save(member)
    sign_ins().mark_ended(member, at)
    return member
