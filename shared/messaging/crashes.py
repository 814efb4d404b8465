"""The crash journal: which message was being handled when the process died.

Messages that may have killed a process before note themselves here first and take the note back afterwards.
Those that did so for the first time are handled together, and a death then blames the one that was being
handled; one that has a note already is handled alone and counted before, so a count that stays is a death.
Deaths from outside must not add up:

- runs of one message within a second count once, so that a database that was frozen and now applies
  what several killed processes asked for counts one;
- a process killed while it waited for the database takes that count back when it is started again. It
  knows from a few bytes shared with its parent, which outlives it (shared/worker.py forks the children);
- where the parent died too, nobody knows whom to blame: no message that was handled with others is counted,
  and each is handled alone from then on.
"""

import mmap
from collections.abc import Collection as Some
from typing import Any

from shared.ids import new_id
from shared.messaging.envelope import digest
from shared.store.client import Database, Document
from shared.store.operations import write_absent

FATAL = 3
"""Deaths of its own after which a message is parked."""
_APART_MS = 1_000
_UNKNOWN, _HANDLING, _WAITING = b"\0", b"H", b"W"
_RUN = 36
_KEY = 64

# Made at import, before the parent forks: all children of one parent share it, one after the other.
_left_behind = mmap.mmap(-1, 1 + _RUN + _KEY)


class Crashes:
    def __init__(self, database: Database[Document]) -> None:
        self._collection = database["crashes"]

    def acquit(self) -> None:
        """Blame the one message that was being handled, if any, for the death of the process before."""
        state, run, key = _noted()
        if state == _WAITING:
            self._collection.update_one({"run": run, "count": {"$gt": 0}}, {"$inc": {"count": -1}})
        if state == _HANDLING:
            # One that was alone is counted already.
            blamed = {"_id": key, "run": run, "together": True}
            self._collection.update_one(blamed, {"$inc": {"count": 1}, "$unset": {"together": ""}})
        if state != _UNKNOWN:
            self._collection.delete_many({"run": run, "together": True})
        _note(_UNKNOWN, "")

    def noted(self, keys: Some[str]) -> set[str]:
        """Those of them that were being handled, perhaps with others, when a process died."""
        return {found["_id"] for found in self._collection.find({"_id": {"$in": list(keys)}}, {"_id": 1})}

    def begin_together(self, keys: Some[str], run: str) -> None:
        """Note a run of all of these, which counts against none of them."""
        self.waiting(run)
        write_absent(self._collection, keys, {"count": 0, "run": run, "together": True})

    def begin(self, key: str, run: str) -> int | None:
        """Count a run; how many died before it, or None if the last began less than a second ago."""
        self.waiting(run)
        document: Any = self._collection.find_one_and_update(
            {"_id": key}, _counted(run), upsert=True, return_document=True
        )
        return None if document["run"] != run else int(document["count"]) - 1

    def end(self, keys: Some[str]) -> None:
        self._collection.delete_many({"_id": {"$in": list(keys)}})
        _note(_UNKNOWN, "")

    def step(self, run: str, raw: bytes | None) -> None:
        """From here on a death is this message's own doing, or with none of them the database's."""
        if raw is None:
            self.waiting(run)
        else:
            _note(_HANDLING, run, digest(raw))

    def waiting(self, run: str) -> None:
        """From here on a death tells nothing of any message: the database has the word."""
        _note(_WAITING, run)


def new_run() -> str:
    return new_id()


def _note(state: bytes, run: str, key: str = "") -> None:
    _left_behind[:] = state + run.encode("ascii").ljust(_RUN, b"\0") + key.encode("ascii").ljust(_KEY, b"\0")


def _noted() -> tuple[bytes, str, str]:
    run, key = _left_behind[1 : 1 + _RUN], _left_behind[1 + _RUN :]
    return _left_behind[:1], run.rstrip(b"\0").decode("ascii"), key.rstrip(b"\0").decode("ascii")


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
        },
        {"$unset": "together"},
    ]
