"""Requests about readiness: importance and confidence, rated by the client."""

from collections.abc import Mapping
from typing import Any

from services.practices.api.stores import episodes, own_practice, ratings
from services.practices.domain.episodes import Episode, EpisodeNotFound, StateForbids
from services.practices.domain.readiness import Readiness, ReadinessNotFound
from services.practices.schemas import episodes as schemas
from shared.clock import now
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import PageQuery, page_of

PROBLEMS = {EpisodeNotFound: 404, ReadinessNotFound: 404, StateForbids: 409}

api = Blueprint("readiness", __name__, url_prefix="/v1", description="Readiness", problems=PROBLEMS)


@api.post("/episodes/<episode_id>/readiness")
@allows("episode.rate_readiness", episodes)
@api.arguments(schemas.ReadinessBody)
@api.response(201, schemas.RatedView)
@creates(ratings)
def rate_readiness(episode: Episode, body: dict[str, Any], id: str) -> Readiness:
    threshold = own_practice().values["readiness_threshold"]
    return Readiness.rate(id=id, episode=episode, threshold=threshold, at=now(), **body)


@api.get("/episodes/<episode_id>/readiness")
@allows("episode.read_readiness", episodes)
@api.arguments(PageQuery, location="query")
@api.response(200, page_of(schemas.ReadinessView))
def list_readiness(episode: Episode, query: dict[str, Any]) -> Mapping[str, Any]:
    about = episode.practice_id, episode.id
    return page(query, lambda limit, after: ratings().of_episode(*about, limit, after))
