"""Requests about episodes of care."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from typing import Any

from services.practices.api.stores import (
    clients,
    episodes,
    members,
    myself,
    own_practice,
)
from services.practices.calling_off import call_off
from services.practices.domain.aftercare import CheckInsUnclear
from services.practices.domain.clients import ClientNotFound
from services.practices.domain.days import NotAhead
from services.practices.domain.episodes import (
    Episode,
    EpisodeNotFound,
    EpisodeOpen,
    NotYourEpisode,
    SameClinician,
    StateForbids,
    TooManySteps,
)
from services.practices.domain.members import MemberNotFound, NotAClinician
from services.practices.schemas import episodes as schemas
from shared.clock import now
from shared.security.policy import permits
from shared.store.client import StoreUnavailable
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller, database, standings
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import PageQuery, page_of

PROBLEMS = {
    EpisodeNotFound: 404,
    ClientNotFound: 404,
    MemberNotFound: 404,
    NotYourEpisode: 403,
    NotAClinician: 409,
    EpisodeOpen: 409,
    StateForbids: 409,
    TooManySteps: 409,
    SameClinician: 409,
    NotAhead: 409,
    CheckInsUnclear: 409,
}

api = Blueprint("episodes", __name__, url_prefix="/v1", description="Episodes", problems=PROBLEMS)


def _as_seen(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer with what the caller sees of it today, whether it was made now or by the request before."""

    @wraps(view)
    def answer(*args: Any, **path: Any) -> Any:
        episode, *rest = view(*args, **path)
        return _seen(episode), *rest

    return answer


@api.post("/clients/<client_id>/episodes")
@allows("episode.start")
@api.arguments(schemas.EpisodeBody)
@api.response(201, schemas.EpisodeView)
@_as_seen
@creates(episodes)
def start_episode(body: dict[str, Any], client_id: str, id: str) -> Episode:
    me, at = myself(), now()
    client = clients().get(me.practice_id, client_id)
    clinician = members().get(me.practice_id, body["clinician_id"] or me.id)
    if body["starts_on"] is None:
        return Episode.start(id=id, client=client, clinician=clinician, by=me, at=at)
    planned = {"starts_on": body["starts_on"], "timezone": own_practice().timezone}
    return Episode.plan(id=id, client=client, clinician=clinician, by=me, at=at, **planned)


@api.get("/clients/<client_id>/episodes")
@allows("episode.list")
@api.arguments(PageQuery, location="query")
@api.response(200, page_of(schemas.EpisodeView))
def list_episodes(query: dict[str, Any], client_id: str) -> Mapping[str, Any]:
    mine = caller().practice_id
    found = page(query, lambda limit, after: episodes().of_client(mine, client_id, limit, after))
    return {**found, "items": [_seen(episode) for episode in found["items"]]}


@api.get("/episodes/<episode_id>")
@allows("episode.read", episodes)
@api.response(200, schemas.EpisodeView)
def read_episode(episode: Episode) -> Episode:
    return _seen(episode)


@api.post("/episodes/<episode_id>/activation")
@allows("episode.activate", episodes)
@api.response(200, schemas.EpisodeView)
def activate_episode(episode: Episode) -> Episode:
    episode.activate(caller().id, now())
    return _saved(episode)


@api.post("/episodes/<episode_id>/pause")
@allows("episode.pause", episodes)
@api.arguments(schemas.PauseBody)
@api.response(200, schemas.EpisodeView)
def pause_episode(episode: Episode, body: dict[str, Any]) -> Episode:
    episode.pause(caller().id, now(), own_practice().timezone, **body)
    return _saved(episode)


@api.put("/episodes/<episode_id>/resume-date")
@allows("episode.pause", episodes)
@api.arguments(schemas.ResumeDateBody)
@api.response(200, schemas.EpisodeView)
def change_resume_date(episode: Episode, body: dict[str, Any]) -> Episode:
    episode.change_resume_date(caller().id, now(), own_practice().timezone, **body)
    return _saved(episode)


@api.post("/episodes/<episode_id>/resumption")
@allows("episode.resume", episodes)
@api.response(200, schemas.EpisodeView)
def resume_episode(episode: Episode) -> Episode:
    episode.resume(caller().id, now())
    return _saved(episode)


@api.post("/episodes/<episode_id>/end")
@allows("episode.end", episodes)
@api.arguments(schemas.EndBody)
@api.response(200, schemas.EpisodeView)
def end_episode(episode: Episode, body: dict[str, Any]) -> Episode:
    episode.end(caller().id, now(), **body)
    return _saved(episode)


@api.post("/episodes/<episode_id>/aftercare")
@allows("episode.arrange_aftercare", episodes)
@api.arguments(schemas.AftercareBody)
@api.response(200, schemas.EpisodeView)
def arrange_aftercare(episode: Episode, body: dict[str, Any]) -> Episode:
    clinician = members().get(caller().practice_id, body.pop("clinician_id") or episode.clinician_id)
    episode.arrange_aftercare(clinician, caller().id, now(), own_practice().timezone, **body)
    return _saved(episode)


@api.post("/episodes/<episode_id>/closure")
@allows("episode.close", episodes)
@api.response(200, schemas.EpisodeView)
def close_episode(episode: Episode) -> Episode:
    episode.close(caller().id, now())
    return _saved(episode)


@api.post("/episodes/<episode_id>/transfer")
@allows("episode.transfer", episodes)
@api.arguments(schemas.TransferBody)
@api.response(200, schemas.EpisodeView)
def transfer_episode(episode: Episode, body: dict[str, Any]) -> Episode:
    to = members().get(caller().practice_id, body["clinician_id"])
    episode.transfer(to, caller().id, now())
    return _saved(episode)


def _saved(episode: Episode) -> Episode:
    saved = episodes().save(episode)
    # It is saved, which must not be told as a failure: the timer does what cannot be done now.
    with suppress(StoreUnavailable):
        call_off(database(), saved)
    return _seen(saved)


def _seen(episode: Episode) -> Episode:
    """The office sees that something was done, and not what was written about it."""
    reads = permits("episode.read_reasons", standings())
    return episode if reads else episode.without_reasons()
