"""Requests about wishes for another clinician, which whom they are about never sees."""

from collections.abc import Mapping
from typing import Any

from services.practices.api.stores import (
    episodes,
    members,
    myself,
    wishes,
)
from services.practices.domain.episodes import Episode, EpisodeNotFound, StateForbids
from services.practices.domain.wishes import Wish, WishNotFound, WishOver, WishStands
from services.practices.schemas import episodes as schemas
from shared.clock import now
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import page_of

PROBLEMS = {WishNotFound: 404, EpisodeNotFound: 404, WishStands: 409, WishOver: 409, StateForbids: 409}

api = Blueprint("wishes", __name__, url_prefix="/v1", description="Another clinician", problems=PROBLEMS)


@api.post("/episodes/<episode_id>/wish")
@allows("wish.say", episodes)
@api.arguments(schemas.WishBody)
@api.response(201, schemas.WishView)
@creates(wishes)
def say_wish(episode: Episode, body: dict[str, Any], id: str) -> Wish:
    told = members().past(episode.practice_id, episode.clinician_id)
    return Wish.say(id=id, episode=episode, told=told, at=now(), **body)


@api.get("/episodes/<episode_id>/wish")
@allows("wish.say", episodes)
@api.response(200, schemas.WishView)
def read_own_wish(episode: Episode) -> Wish:
    """The last that was said about this episode."""
    return wishes().last(episode.practice_id, episode.id)


@api.delete("/episodes/<episode_id>/wish")
@allows("wish.take_back", episodes, repeatable=True)
@api.response(200, schemas.WishView)
def take_wish_back(episode: Episode) -> Wish:
    wish = wishes().last(episode.practice_id, episode.id)
    wish.take_back(members().past(wish.practice_id, wish.clinician_id), now())
    return wishes().save(wish)


@api.get("/wishes")
@allows("wish.list")
@api.arguments(schemas.WishQuery, location="query")
@api.response(200, page_of(schemas.WishView))
def list_wishes(query: dict[str, Any]) -> Mapping[str, Any]:
    """The office sees all but those about oneself, a supervisor those about whom they supervise."""
    me = myself()
    about = {"$ne": me.id} if me.in_office else {"$in": sorted(me.supervises - {me.id})}
    return page(
        query,
        lambda limit, after: wishes().about(me.practice_id, about, query.get("status"), limit, after),
    )


@api.post("/wishes/<wish_id>/settlement")
@allows("wish.settle", wishes)
@api.arguments(schemas.SettlementBody)
@api.response(200, schemas.WishView)
def settle_wish(wish: Wish, body: dict[str, Any]) -> Wish:
    wish.settle(body["outcome"], caller().id, now())
    return wishes().save(wish)
