"""A lease: one holder at a time, by the server's clock; its holder counts by its own."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from shared.ids import new_id
from shared.store.client import Document, StoreUnavailable

log = logging.getLogger(__name__)


class Lease:
    """Whoever reads back its own name holds it, until `ttl` after it asked."""

    def __init__(
        self,
        leases: Collection[Document],
        name: str,
        ttl: timedelta = timedelta(seconds=8),
        me: str | None = None,
    ) -> None:
        """`me` names who asks: what follows a process that is surely dead need not wait for its lease."""
        self._leases = leases
        self._name = name
        self._ttl = ttl
        self._me = me or new_id()
        self._until = 0.0

    @property
    def held(self) -> bool:
        return time.monotonic() < self._until

    def hold(self) -> bool:
        """Take it, or keep it; True while it is held."""
        # Counted from before the call: the server's clock starts later, so ours ends first.
        asked = time.monotonic()
        try:
            document = self._leases.find_one_and_update(
                {"_id": self._name}, self._claim(), upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:
            return False
        if document and document["owner"] == self._me:
            self._until = asked + self._ttl.total_seconds()
        else:
            self._until = 0.0
        return self.held

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Keep what is held, on a thread beside, however long one step of the block takes."""
        done = threading.Event()
        thread = threading.Thread(target=self._renew, args=(done,), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            # Or it might renew what is released next.
            thread.join()

    def _renew(self, done: threading.Event) -> None:
        while not done.wait(self._ttl.total_seconds() / 4) and self.held:
            with suppress(StoreUnavailable):
                self.hold()

    def release(self) -> None:
        """Give it back; while the store is away it is left to expire."""
        self._until = 0.0
        try:
            self._leases.delete_one({"_id": self._name, "owner": self._me})
        except StoreUnavailable as error:
            log.info("Lease left to expire", extra={"lease": self._name, "error": type(error).__name__})

    def _claim(self) -> list[Document]:
        free = {
            "$or": [
                {"$eq": ["$owner", self._me]},
                {"$eq": [{"$type": "$owner"}, "missing"]},
                {"$lt": ["$until", "$$NOW"]},
            ]
        }
        until = {"$add": ["$$NOW", int(self._ttl.total_seconds() * 1000)]}
        return [
            {"$set": {"mine": free}},
            {
                "$set": {
                    "owner": {"$cond": ["$mine", self._me, "$owner"]},
                    "until": {"$cond": ["$mine", until, "$until"]},
                }
            },
            {"$unset": "mine"},
        ]
