"""Cancels what was still to come of care that has ended: the sessions that begin after the end.

An episode's end is saved with `call_off_at`, which is the plan. It is carried out at once by whoever ended
it, and again by the worker's timer a minute later: by then nobody can still be adding a session to what
they loaded before it ended, and whatever was killed in between is made up for. Aftercare that was arranged
in the meantime changes nothing in this: it has the sessions that are made in it, and those are kept until it
is over.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from services.practices.domain.episodes import Episode
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


def call_off(database: Any, episode: Episode) -> bool:
    """Cancel what was to come; whether nothing is left to the next round. Safe to repeat."""
    if episode.call_off_at is None:
        return True
    left = set(AllSeries(database).to_come(episode.practice_id, episode.id, episode.call_off_at))
    for id in sorted(left):
        with _left_over(series_id=id):
            _call_off(database, id, episode, episode.call_off_at)
            left.remove(id)
    return not left


def _call_off(database: Any, series_id: str, episode: Episode, at: datetime) -> None:
    all_series = AllSeries(database)
    while True:
        series = all_series.get(episode.practice_id, series_id)
        series.call_off(episode, by=PLATFORM, at=at)
        with suppress(StaleVersion):
            all_series.save(series)
            return


@contextmanager
def _left_over(**about: str) -> Iterator[None]:
    """What cannot be done now holds up no other, and is done in a later round."""
    try:
        yield
    except StoreUnavailable:
        raise
    except OutboxFull as error:
        log.info("Sessions left to the next round", extra={**about, "error": type(error).__name__})
    except Exception as error:  # noqa: BLE001 - a record that cannot be read holds up no other
        log.error("Sessions not called off", extra={**about, "error": type(error).__name__})


def call_off_due(database: Any, at: datetime, go_on: GoOn) -> None:
    episodes = Episodes(database)
    for practice_id, id in episodes.to_call_off(at - AGAIN_AFTER):
        if not go_on():
            return
        with correlated(new_id()), _left_over(episode_id=id):
            episode = episodes.get(practice_id, id)
            if call_off(database, episode):
                episodes.called_off(episode)


calling_off = Timer("calling_off", lambda database, _, go_on: call_off_due(database, now(), go_on), rest=10)
