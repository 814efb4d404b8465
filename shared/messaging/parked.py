"""Events that could not be handled: visible, tried again, retried or skipped by a person.

States: "retrying" (a handler failed; tried again with back-off), "early" (came before what it depends on;
tried again when that is there, no attempt counted), "left" (for a person).
An event that is being tried again is marked `careful` meanwhile: one found with the mark was being tried
when its process died, and is handled behind the crash journal.
"""

import logging
import random
from collections.abc import Collection as Some
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.clock import now
from shared.ids import PLATFORM
from shared.messaging import metrics
from shared.messaging.envelope import digest
from shared.messaging.handling import Work
from shared.store.client import Database, Document

log = logging.getLogger(__name__)

ATTEMPTS = 8
_LONGEST_BACK_OFF = 300.0
_CLAIM = timedelta(seconds=10)
"""How long others leave alone what one worker tries; two that try the same do no harm."""
_EARLY_EACH = timedelta(seconds=1)
_EARLY_LATER = timedelta(seconds=30)
_EARLY_YOUNG = timedelta(minutes=1)
_AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
_WAITING = {"$in": ["retrying", "early"]}


class NotParked(Exception):
    """There is no parked event of this id."""


class Parked:
    def __init__(self, database: Database[Document]) -> None:
        self._collection = database["parked"]

    # For the consumer

    def park(self, work: Work, careful: bool = False) -> None:
        """Keep what could not be handled; one that is there already is not doubled."""
        document = _document(work, careful)
        key = work.event.id if work.event else digest(work.raw)
        if not self._keep(key, document):
            # Another message claims the id of a parked event, or another user sent a copy of it: neither may
            # hide the other.
            self._keep(digest(work.raw + (work.sender or "").encode()), document)
        metrics.PARKED.labels(document["state"]).inc()
        told = {"event_id": key, "state": document["state"], "error": document["error"]}
        log.log(logging.INFO if work.waits_for else logging.WARNING, "Event parked", extra=told)

    def _keep(self, key: str, document: Document) -> bool:
        kept: Any = self._collection.find_one_and_update(
            {"_id": key},
            {"$setOnInsert": document},
            upsert=True,
            return_document=True,
            projection={"raw": 1, "sender": 1},
        )
        return bool(kept["raw"] == document["raw"] and kept.get("sender") == document["sender"])

    def due(self, limit: int) -> list[Document]:
        """Those whose time has come, longest due first, marked as being tried."""
        where = {"state": _WAITING, "next_at": {"$lte": now()}}
        found = list(self._collection.find(where).sort("next_at", 1).limit(limit))
        if found:
            mark = {"$set": {"careful": True, "next_at": now() + _CLAIM}}
            self._collection.update_many({"_id": {"$in": [one["_id"] for one in found]}}, mark)
        return found

    def settle(self, tried: Sequence[tuple[Document, Work]]) -> None:
        """Write down what came of trying: gone, put off, or left."""
        done = [document["_id"] for document, work in tried if work.done]
        if done:
            self._collection.delete_many({"_id": {"$in": done}})
        still = [(document, work) for document, work in tried if work.waits_for]
        self._put_off_early(still)
        for document, work in tried:
            if work.error is not None:
                self._put_off_failed(document, work)

    def _put_off_early(self, still: Sequence[tuple[Document, Work]]) -> None:
        at = now()
        young = [one for one in still if at - one[0]["parked_at"] < _EARLY_YOUNG]
        old = [one for one in still if at - one[0]["parked_at"] >= _EARLY_YOUNG]
        for group, pause in ((young, _EARLY_EACH), (old, _EARLY_LATER)):
            if group:
                ids = [document["_id"] for document, _ in group]
                self._collection.update_many(
                    {"_id": {"$in": ids}},
                    {"$set": {"state": "early", "next_at": at + pause}, "$unset": {"careful": ""}},
                )
        for document, work in still:
            if work.waits_for != document.get("waits_for"):
                change = {"$set": {"waits_for": work.waits_for, "error": _early(work)}}
                self._collection.update_one({"_id": document["_id"]}, change)

    def _put_off_failed(self, document: Document, work: Work) -> None:
        attempts = document["attempts"] + 1
        state = "left" if work.hopeless or attempts >= ATTEMPTS else "retrying"
        change: Document = {"state": state, "error": work.error, "attempts": attempts}
        gone = {"careful": "", "waits_for": ""}
        if state == "left":
            gone["next_at"] = ""
            metrics.PARKED.labels(state).inc()
            log.warning("Parked event left", extra={"event_id": document["_id"], "error": work.error})
        else:
            change["next_at"] = now() + _back_off(attempts)
        self._collection.update_one({"_id": document["_id"]}, {"$set": change, "$unset": gone})

    def any_early(self) -> bool:
        return self._collection.find_one({"state": "early"}, {"_id": 1}) is not None

    def wake(self, written: Some[str]) -> bool:
        """Make due what waits for one of these documents; whether anything did."""
        woken = self._collection.update_many(
            {"waits_for": {"$in": list(written)}, "state": "early"}, {"$set": {"next_at": _AT_ONCE}}
        )
        return woken.modified_count > 0

    # For people

    def list(self, limit: int = 50, after: str | None = None, state: str | None = None) -> "list[Document]":
        """A page without the messages themselves, by id; `after` is the last id seen."""
        where: Document = {} if after is None else {"_id": {"$gt": after}}
        if state is not None:
            where["state"] = state
        return [*self._collection.find(where, {"raw": 0}).sort("_id", 1).limit(limit)]

    def count(self, state: str) -> int:
        return self._collection.count_documents({"state": state})

    def show(self, id: str) -> Document:
        found = self._collection.find_one({"_id": id})
        if found is None:
            raise NotParked(f"No event {id} is parked here; list what is.")
        return found

    def retry(self, ids: Iterable[str]) -> int:
        """Have the worker try these again at once, alone, with all their attempts; how many there are."""
        change = {"state": "retrying", "attempts": 0, "careful": True, "next_at": _AT_ONCE}
        tried = self._collection.update_many(
            {"_id": {"$in": [*ids]}}, {"$set": change, "$unset": {"waits_for": ""}}
        )
        return tried.matched_count

    def skip(self, id: str) -> None:
        """Give an event up for good; the log keeps who it was."""
        gone = self._collection.find_one_and_delete({"_id": id}, projection={"raw": 0})
        if gone is None:
            raise NotParked(f"No event {id} is parked here; list what is.")
        told = {"event_id": id, "type": gone["type"], "subject": gone["subject"], "error": gone["error"]}
        log.warning("Parked event skipped", extra=told)


def _document(work: Work, careful: bool) -> Document:
    event, at = work.event, now()
    document: Document = {
        "practice_id": event.practice_id if event else PLATFORM,
        "type": event.type if event else None,
        "source": event.source if event else None,
        "subject": event.subject if event else None,
        "raw": work.raw,
        "sender": work.sender,
        "error": work.error or _early(work),
        "attempts": 0 if work.waits_for else 1,
        "state": "early" if work.waits_for else "left" if work.hopeless else "retrying",
        "parked_at": at,
    }
    if work.waits_for:
        document |= {"waits_for": work.waits_for, "next_at": at + _EARLY_EACH}
    elif not work.hopeless:
        document["next_at"] = at + _back_off(1)
    return document | ({"careful": True} if careful else {})


def _early(work: Work) -> str:
    return "Early: waits for " + ", ".join(work.waits_for)


def _back_off(attempts: int) -> timedelta:
    longest = min(_LONGEST_BACK_OFF, float(2 ** min(attempts, 10)) / 2)
    return timedelta(seconds=longest * random.uniform(0.5, 1.0))  # noqa: S311
