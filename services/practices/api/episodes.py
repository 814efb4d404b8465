"""Requests about episodes of care."""

from collections.abc import Mapping
from typing import Any

from services.practices.api.stores import (
    clients,
    episodes,
    members,
    myself,
)
from services.practices.domain.clients import ClientNotFound
from services.practices.domain.episodes import Episode, EpisodeNotFound, NotYourEpisode
from services.practices.domain.members import MemberNotFound, NotAClinician
from services.practices.schemas import episodes as schemas
from shared.clock import now
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import PageQuery, page_of

PROBLEMS = {
    EpisodeNotFound: 404,
    ClientNotFound: 404,
    MemberNotFound: 404,
    NotYourEpisode: 403,
    NotAClinician: 409,
}

api = Blueprint("episodes", __name__, url_prefix="/v1", description="Episodes", problems=PROBLEMS)


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
