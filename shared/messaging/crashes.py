"""The crash journal: which message was being handled when the process died.

A message that may have killed a process before is handled alone: it counts itself here first and takes
the count back afterwards, so a count that stays is a death. Deaths from outside must not add up:

- runs of one message within a second count once, so that a database that was frozen and now applies
  what several killed processes asked for counts one;
- a process killed while it waited for the database takes that count back when it is started again. It
  knows from a byte shared with its parent, which outlives it (shared/worker.py forks the children).
"""

import mmap
from typing import Any

from shared.ids import new_id
from shared.store.client import Database, Document

FATAL = 3
"""Deaths of its own after which a message is parked."""
_APART_MS = 1_000
_UNKNOWN, _HANDLING, _WAITING = b"\0", b"H", b"W"
_RUN = 36

# Made at import, before the parent forks: all children of one parent share it, one after the other.
_left_behind = mmap.mmap(-1, 1 + _RUN)


class Crashes:
    def __init__(self, database: Database[Document]) -> None:
        self._collection = database["crashes"]

    def acquit(self) -> None:
        """Take back the count of a run that was only waiting for the database when its process died."""
        state, run = _left_behind[:1], _left_behind[1:].decode("ascii", "replace")
        if state == _WAITING:
            self._collection.update_one({"run": run, "count": {"$gt": 0}}, {"$inc": {"count": -1}})
        _note(_UNKNOWN, "")

    def begin(self, key: str, run: str) -> int | None:
        """Count a run; how many died before it, or None if the last began less than a second ago."""
        self.waiting(run)
        document: Any = self._collection.find_one_and_update(
            {"_id": key}, _counted(run), upsert=True, return_document=True
        )
        return None if document["run"] != run else int(document["count"]) - 1

    def end(self, key: str) -> None:
        self._collection.delete_one({"_id": key})
        _note(_UNKNOWN, "")

    def handling(self, run: str) -> None:
        """From here on a death is the message's own doing."""
        _note(_HANDLING, run)

    def waiting(self, run: str) -> None:
        """From here on a death tells nothing of the message: the database has the word."""
        _note(_WAITING, run)


def new_run() -> str:
    return new_id()


def _note(state: bytes, run: str) -> None:
    _left_behind[:] = state + run.encode("ascii").ljust(_RUN, b"\0")


def _counted(run: str) -> list[Document]:
    again = {"$eq": ["$run", run]}
    lately = {"$and": [{"$ne": ["$run", run]}, {"$gt": ["$at", {"$subtract": ["$$NOW", _APART_MS]}]}]}
    stays = {"$or": [again, lately]}
    return [
        {
            "$set": {
                "count": {"$cond": [stays, "$count", {"$add": [{"$ifNull": ["$count", 0]}, 1]}]},
                "at": {"$cond": [stays, "$at", "$$NOW"]},
                "run": {"$cond": [lately, "$run", run]},
            }
        }
    ]
