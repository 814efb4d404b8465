"""Cancels what is still to come of care that has ended.

An episode's end is saved with `call_off_at`, which is the plan. It is carried out at once by whoever ended
it, and again by the worker's timer a minute later: by then nobody can still be adding a session to what
they loaded before it ended, and whatever was killed in between is made up for.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from services.practices.domain.episodes import Episode
from services.practices.domain.sessions import OVER, Series
from services.practices.store.episodes import Episodes
from services.practices.store.sessions import AllSeries
from shared.clock import now
from shared.correlation import correlated
from shared.ids import PLATFORM, new_id
from shared.store.aggregates import OutboxFull, StaleVersion
from shared.store.client import StoreUnavailable
from shared.timer import GoOn, Timer

log = logging.getLogger(__name__)

AGAIN_AFTER = timedelta(minutes=1)


def call_off(database: Any, episode: Episode) -> None:
    """Cancel the sessions of an episode that begin after it ended; safe to repeat."""
    if episode.call_off_at is None or episode.status not in OVER:
        return
    for series in AllSeries(database).to_come(episode.practice_id, episode.id, episode.call_off_at):
        _call_off(database, series, episode.call_off_at)


def _call_off(database: Any, series: Series, at: datetime) -> None:
    all_series = AllSeries(database)
    while True:
        series.call_off(by=PLATFORM, at=at)
        try:
            all_series.save(series)
            return
        except StaleVersion:
            series = all_series.get(series.practice_id, series.id)


def call_off_due(database: Any, at: datetime, go_on: GoOn) -> None:
    """An episode that came back to care in the meantime keeps what it has."""
    episodes = Episodes(database)
    for practice_id, id in episodes.to_call_off(at - AGAIN_AFTER):
        if not go_on():
            return
        try:
            with correlated(new_id()):
                episode = episodes.get(practice_id, id)
                call_off(database, episode)
                episodes.called_off(episode)
        except StoreUnavailable:
            raise
        except OutboxFull as error:
            log.info(
                "Sessions left to the next round", extra={"episode_id": id, "error": type(error).__name__}
            )
        except Exception as error:  # noqa: BLE001 - a record that cannot be read holds up no other
            log.error("Sessions not called off", extra={"episode_id": id, "error": type(error).__name__})


calling_off = Timer("calling_off", lambda database, _, go_on: call_off_due(database, now(), go_on), rest=10)
