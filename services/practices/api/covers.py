"""Requests about leave cover."""

from collections.abc import Mapping
from typing import Any

from services.practices.api.stores import covers, members
from services.practices.domain.covers import Cover, CoverNotFound, CoverUnclear
from services.practices.domain.members import (
    Member,
    MemberNotFound,
    NotAClinician,
    NotYourself,
    StatusForbids,
)
from services.practices.schemas import covers as schemas
from shared.clock import now
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import PageQuery, page_of

PROBLEMS = {
    CoverNotFound: 404,
    MemberNotFound: 404,
    StatusForbids: 409,
    NotYourself: 409,
    NotAClinician: 409,
    CoverUnclear: 409,
}

api = Blueprint("covers", __name__, url_prefix="/v1", description="Leave cover", problems=PROBLEMS)


@api.post("/members/<member_id>/covers")
@allows("cover.arrange", members)
@api.arguments(schemas.CoverBody)
@api.response(201, schemas.CoverView)
@creates(covers)
def arrange_cover(absent: Member, body: dict[str, Any], id: str) -> Cover:
    by = members().get(absent.practice_id, body.pop("covered_by"))
    return Cover.arrange(id=id, absent=absent, by=by, at=now(), **body)


@api.get("/members/<member_id>/covers")
@allows("cover.list", members)
@api.arguments(PageQuery, location="query")
@api.response(200, page_of(schemas.CoverView))
def list_covers(absent: Member, query: dict[str, Any]) -> Mapping[str, Any]:
    of = (absent.practice_id, absent.id)
    return page(query, lambda limit, after: covers().of_member(*of, limit, after))


@api.delete("/covers/<cover_id>")
@allows("cover.cancel", covers)
@api.response(200, schemas.CoverView)
def cancel_cover(cover: Cover) -> Cover:
    cover.cancel(now())
    return covers().save(cover)
