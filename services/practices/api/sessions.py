"""Requests about sessions."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from services.practices.api.showing import Shown, ShownSeries, shown, warnings
from services.practices.api.stores import all_series, episodes, own_practice, sessions
from services.practices.domain.clients import ClientNotFound
from services.practices.domain.episodes import Episode, EpisodeNotFound
from services.practices.domain.practices import PracticeNotFound
from services.practices.domain.recurrence import OutOfReach, RuleRefused, starts
from services.practices.domain.sessions import (
    EpisodeOver,
    Occurrence,
    Series,
    SeriesNotFound,
    SessionBegun,
    SessionNotBegun,
    SessionNotScheduled,
    SessionStatus,
    TooManyChanges,
)
from services.practices.schemas import sessions as schemas
from services.practices.store.sessions import place
from shared.clock import now
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import page_of

PROBLEMS = {
    ClientNotFound: 404,
    EpisodeNotFound: 404,
    PracticeNotFound: 404,
    SeriesNotFound: 404,
    EpisodeOver: 409,
    OutOfReach: 409,
    SessionBegun: 409,
    SessionNotBegun: 409,
    SessionNotScheduled: 409,
    TooManyChanges: 409,
    RuleRefused: 422,
}

api = Blueprint("sessions", __name__, url_prefix="/v1", description="Sessions", problems=PROBLEMS)


def _as_series(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer with what is known of the series today, whether it was made now or by the request before."""

    @wraps(view)
    def answer(*args: Any, **path: Any) -> Any:
        series, *rest = view(*args, **path)
        return _shown_series(series), *rest

    return answer


@api.post("/episodes/<episode_id>/sessions")
@allows("session.schedule", episodes)
@api.arguments(schemas.SeriesBody)
@api.response(201, schemas.SeriesView)
@_as_series
@creates(all_series, read_at="series")
def schedule_sessions(episode: Episode, body: dict[str, Any], id: str) -> Series:
    timezone, rrule = own_practice().timezone, body["rrule"]
    found = starts(body["starts"], rrule, timezone, now())
    return Series.schedule(episode, found, body["minutes"], id=id, timezone=timezone, rrule=rrule)


@api.get("/series/<series_id>")
@allows("session.read", all_series)
@api.response(200, schemas.SeriesView)
def read_series(series: Series) -> ShownSeries:
    return _shown_series(series)


@api.get("/clients/<client_id>/sessions")
@allows("session.list")
@api.arguments(schemas.SessionQuery, location="query")
@api.response(200, page_of(schemas.SessionView))
def list_sessions(query: dict[str, Any], client_id: str) -> Mapping[str, Any]:
    """In order of their starts, those of every episode."""
    mine = caller().practice_id
    asked = {name: query.get(name) for name in ("since", "until", "status")}
    found = page(
        query, lambda limit, after: all_series().sessions_of(mine, client_id, limit, after, **asked), place
    )
    # After them, so that each has its episode here.
    care = episodes().of(mine, client_id)
    return {**found, "items": [shown(one, care[one.series.episode_id]) for one in found["items"]]}


@api.get("/sessions/<session_id>")
@allows("session.read", sessions)
@api.response(200, schemas.SessionView)
def read_session(one: Occurrence) -> Shown:
    return shown(one, _episode_of(one.series))


@api.post("/sessions/<session_id>/move")
@allows("session.move", sessions)
@api.arguments(schemas.MoveBody)
@api.response(200, schemas.ChangedView)
def move_session(one: Occurrence, body: dict[str, Any]) -> Shown:
    episode, at = _episode_of(one.series), now()
    (to,) = starts(body["starts"], None, own_practice().timezone, at).values()
    one.series.move(one.session, episode, to, body["minutes"], caller().id, at)
    # Before it is saved: what is saved must not be told as a failure.
    found = warnings(episode, [one.session])
    all_series().save(one.series)
    return shown(one, episode, found)


@api.post("/sessions/<session_id>/held")
@allows("session.settle", sessions)
@api.response(200, schemas.SessionView)
def hold_session(one: Occurrence) -> Shown:
    return _settled(one, SessionStatus.HELD)


@api.post("/sessions/<session_id>/missed")
@allows("session.settle", sessions)
@api.response(200, schemas.SessionView)
def miss_session(one: Occurrence) -> Shown:
    return _settled(one, SessionStatus.MISSED)


@api.post("/sessions/<session_id>/cancellation")
@allows("session.cancel", sessions)
@api.arguments(schemas.CancellationBody)
@api.response(200, schemas.ChangedView)
def cancel_session(one: Occurrence, body: dict[str, Any]) -> Shown:
    by, episode = caller(), _episode_of(one.series)
    one.series.cancel(one.session, episode, by=by.id, at=now(), by_client=by.kind == "client", **body)
    all_series().save(one.series)
    return shown(one, episode)


def _settled(one: Occurrence, outcome: SessionStatus) -> Shown:
    episode = _episode_of(one.series)
    one.series.settle(one.session, episode, outcome, caller().id, now())
    all_series().save(one.series)
    return shown(one, episode)


def _episode_of(series: Series) -> Episode:
    return episodes().get(series.practice_id, series.episode_id)


def _shown_series(series: Series) -> ShownSeries:
    episode = _episode_of(series)
    each = [shown(Occurrence(series, session), episode) for session in series.sessions]
    return ShownSeries(series, each, warnings(episode, series.sessions))
