"""Cancels what is still to come of care that has ended.

An episode's end is saved with `call_off_at`, which is the plan. It is carried out at once by whoever ended
it, and again by the worker's timer a minute later: by then nobody can still be adding a session to what
they loaded before it ended, and whatever was killed in between is made up for.
"""

import logging
import threading
from datetime import datetime, timedelta
from typing import Any

from services.practices.domain.episodes import Episode
from services.practices.domain.sessions import OVER, Series
from services.practices.store.episodes import Episodes
from services.practices.store.sessions import AllSeries
from shared.clock import now
from shared.correlation import correlated
from shared.ids import PLATFORM, new_id
from shared.settings import Settings
from shared.store.aggregates import OutboxFull, StaleVersion
from shared.store.client import StoreUnavailable
from shared.store.lease import Lease

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


def call_off_due(database: Any, at: datetime) -> None:
    """What the timer does; an episode that came back to care in the meantime keeps what it has."""
    episodes = Episodes(database)
    for episode in episodes.to_call_off(at - AGAIN_AFTER):
        try:
            with correlated(new_id()):
                call_off(database, episode)
        except OutboxFull:
            log.warning("Sessions not called off", extra={"episode_id": episode.id})
        else:
            episodes.called_off(episode)


def keep_calling_off(database: Any, settings: Settings, me: str, stopping: threading.Event) -> None:
    """The worker's timer: one worker at a time looks every few seconds."""
    lease = Lease(database["leases"], "calling_off", timedelta(seconds=90), me)
    while not stopping.is_set():
        try:
            if lease.hold():
                call_off_due(database, now())
        except StoreUnavailable as error:
            log.warning("Sessions to call off not looked for", extra={"error": type(error).__name__})
        stopping.wait(10)
    lease.release()
