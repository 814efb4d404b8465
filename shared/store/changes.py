"""A wake-up: something was written that somebody waits for. No token is kept; whoever waits polls too.

Who is busy needs no waking: after a while of it the change stream is closed, and opened again for the next
wait. Under load following it would cost as much as all else that the database does for an event.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from shared.store.client import Document

log = logging.getLogger(__name__)
REOPEN_AFTER = 1.0
_BUSY_AFTER = 0.1
"""Seconds without anybody waiting after which the stream is closed."""


class Wakeup:
    """A thread that watches some collections and sets an event when one is written to."""

    def __init__(
        self, database: Database[Document], collections: Sequence[str], fields: Sequence[str] = ("due",)
    ) -> None:
        self._database = database
        self._pipeline = _pipeline(collections, fields)
        self._written = threading.Event()
        self._wanted = threading.Event()
        self._left_at = 0.0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        # A new one each time: a thread that did not end in time must not be called back to life.
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._watch, args=(self._stopping,), name="wakeup", daemon=True
        )
        self._thread.start()

    def wait(self, timeout: float) -> bool:
        """Until something was written since the last wait, or `timeout` seconds passed."""
        self._wanted.set()
        woken = self._written.wait(timeout)
        self._written.clear()
        self._left_at = time.monotonic()
        self._wanted.clear()
        return woken

    def wake(self) -> None:
        self._written.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wanted.set()
        self._written.set()
        if self._thread:
            self._thread.join(timeout=5)
            self._thread = None

    def _watch(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            if not self._wanted.wait(REOPEN_AFTER) or stopping.is_set():
                continue
            try:
                with self._database.watch(self._pipeline, max_await_time_ms=1_000) as stream:
                    # What was written before it was open has to be looked for.
                    self._written.set()
                    self._follow(stream, stopping)
            except PyMongoError as error:
                log.info("Change stream ended", extra={"error": type(error).__name__})
                stopping.wait(REOPEN_AFTER)

    def _follow(self, stream: Any, stopping: threading.Event) -> None:
        while not stopping.is_set() and not self._is_busy():
            if stream.try_next() is not None:
                self._written.set()
            elif not stream.alive:
                return

    def _is_busy(self) -> bool:
        """Whether whoever waits otherwise has had other things to do for a while."""
        return not self._wanted.is_set() and time.monotonic() - self._left_at > _BUSY_AFTER


def _pipeline(collections: Sequence[str], fields: Sequence[str]) -> list[Document]:
    touched = [{f"updateDescription.updatedFields.{name}": {"$exists": True}} for name in fields]
    written = [{"operationType": "insert"}, *touched]
    return [{"$match": {"ns.coll": {"$in": list(collections)}, "$or": written}}, {"$project": {"_id": 1}}]
