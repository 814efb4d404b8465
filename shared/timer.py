"""What one worker of a service at a time does again and again."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.settings import Settings
from shared.store.client import StoreUnavailable
from shared.store.lease import Lease

log = logging.getLogger(__name__)

GoOn = Callable[[], bool]
"""Whether a round may take its next step: not where another worker took over, or this one is to end."""
LONGEST_STEP = 30.0
"""Seconds."""


@dataclass(frozen=True)
class Timer:
    """Does rounds of `work` on the keeper's database, and rests between them."""

    name: str
    work: Callable[[Any, Settings, GoOn], None]
    rest: float
    """Seconds."""

    def __call__(self, database: Any, settings: Settings, me: str, stopping: threading.Event) -> None:
        lease = Lease(database["leases"], self.name, timedelta(seconds=self.rest + LONGEST_STEP), me)

        def go_on() -> bool:
            return not stopping.is_set() and lease.hold()

        while not stopping.is_set():
            try:
                if go_on():
                    self.work(database, settings, go_on)
            except StoreUnavailable as error:
                log.warning("Round missed", extra={"timer": self.name, "error": type(error).__name__})
            stopping.wait(self.rest)
        lease.release()
