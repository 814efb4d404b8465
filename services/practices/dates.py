"""What the calendar brings to episodes: both are asked whether to go on, check-ins fall due, aftercare ends.

Each is said in the save that notes it as said: a kill loses nothing, and no other worker says it again.
"""

import logging
from datetime import datetime
from typing import Any

from services.practices.store.episodes import Episodes
from services.practices.store.people import Practices
from shared.clock import now
from shared.correlation import correlated
from shared.ids import new_id
from shared.store.aggregates import OutboxFull, StaleVersion
from shared.store.client import StoreUnavailable
from shared.timer import GoOn, Timer

log = logging.getLogger(__name__)


def do_what_is_due(database: Any, at: datetime, go_on: GoOn) -> None:
    for practice_id, id in Episodes(database).whose_date_came(at):
        if not go_on():
            return
        try:
            with correlated(new_id()):
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


keeping_time = Timer("dates", lambda database, _, go_on: do_what_is_due(database, now(), go_on), rest=30)
