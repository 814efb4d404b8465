"""What the calendar brings to episodes: both are asked whether to go on, check-ins fall due, aftercare ends.

Each is said in the save that notes it as said: a kill loses nothing, and no other worker says it again.
"""

import logging
import threading
from datetime import datetime, timedelta
from typing import Any

from services.practices.store.episodes import Episodes
from services.practices.store.people import Practices
from shared.clock import now
from shared.settings import Settings
from shared.store.aggregates import OutboxFull, StaleVersion
from shared.store.client import StoreUnavailable
from shared.store.lease import Lease

log = logging.getLogger(__name__)

POLL = 30.0


def keep_time(database: Any, settings: Settings, me: str, stopping: threading.Event) -> None:
    """The worker's timer: one worker at a time looks twice a minute."""
    lease = Lease(database["leases"], "dates", timedelta(seconds=90), me)
    while not stopping.is_set():
        try:
            do_what_is_due(database, now(), lease, stopping)
        except StoreUnavailable as error:
            log.warning("Dates not looked at", extra={"error": type(error).__name__})
        stopping.wait(POLL)
    lease.release()


def do_what_is_due(database: Any, at: datetime, lease: Lease, stopping: threading.Event) -> None:
    """One round; it ends early where another worker took over, or this one is to end."""
    for practice_id, id in Episodes(database).whose_date_came(at):
        if stopping.is_set() or not lease.hold():
            return
        try:
            _keep_time(database, practice_id, id, at)
        except StoreUnavailable:
            raise
        except (StaleVersion, OutboxFull) as error:
            # Somebody was faster, or it says too much at once: the next round sees.
            log.info("Date left to the next round", extra={"episode_id": id, "error": type(error).__name__})
        except Exception as error:  # noqa: BLE001 - a record that cannot be read holds up no other
            log.error("Date not kept", extra={"episode_id": id, "error": type(error).__name__})


def _keep_time(database: Any, practice_id: str, id: str, at: datetime) -> None:
    episode = Episodes(database).get(practice_id, id)
    practice = Practices(database).get(practice_id, practice_id)
    episode.keep_time(at, practice.timezone)
    Episodes(database).save(episode)
