"""Broker to handlers: takes whatever has arrived, has it handled as one batch, acks what is done.

- Acks go out only for what is written or parked, and only on the channel that delivered it.
- Messages that were delivered before are handled behind the crash journal, which finds the one that kills.
- While MongoDB is away the batch is held on the open channel and run again in place: closing would count
  against the delivery limit.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import amqp

from shared.clock import now
from shared.messaging import metrics
from shared.messaging.crashes import FATAL, Crashes, new_run
from shared.messaging.envelope import digest
from shared.messaging.handling import Handling, Work
from shared.messaging.link import LOST, Link, Outage, linked
from shared.messaging.parked import Parked
from shared.messaging.subscriber import Subscriber
from shared.messaging.topology import dead_queue, events_queue
from shared.settings.urls import prefix_of_user
from shared.store.client import Database, Document, StoreUnavailable
from shared.store.indexes import Collection

log = logging.getLogger(__name__)

BATCH = 200
PREFETCH = 400
LOOK_EVERY = 1.0
_HOLD = 0.5
_NOTICE = 0.25
"""Seconds within which a request to stop is noticed."""
_HOLD_WHEN_STOPPING = 10.0
_STUCK = 120.0
_QUIET = 0.1
"""Seconds without a frame after which nothing more is on its way."""

_LARGEST, _SHOWN = 2**18, 2**9

T = TypeVar("T")


class GivenUp(OSError):
    """The process has to end and the database is still away; the broker will deliver again."""


class Consumer:
    """Handles the events of one service's queue, on one connection, in the thread that calls `run`."""

    def __init__(
        self,
        subscriber: Subscriber,
        database: Database[Document],
        amqp_url: str,
        collections: Sequence[Collection] = (),
    ) -> None:
        self._service = subscriber.service
        self._amqp_url = amqp_url
        users = prefix_of_user(amqp_url, subscriber.service)
        self._handling = Handling(subscriber, database, collections, users)
        self._parked = Parked(database)
        self._crashes = Crashes(database)
        self._broker = Outage("Broker")
        self._store = Outage("Database")
        self._early = True
        self._look_at = 0.0
        self._moved_at = time.monotonic()

    @property
    def stuck(self) -> bool:
        """Whether its loop has not turned for so long that only a new process may help."""
        return time.monotonic() - self._moved_at > _STUCK

    def run(self, stopping: threading.Event) -> None:
        """Handle until `stopping` is set, then finish what was delivered."""
        while not stopping.is_set():
            try:
                with linked(self._amqp_url, f"{self._service} consumer") as link:
                    self._consume(link, stopping)
            except LOST as error:
                self._moved_at = time.monotonic()
                if not stopping.is_set():
                    stopping.wait(self._broker.met(error))

    def _consume(self, link: Link, stopping: threading.Event) -> None:
        self._link, self._stopping = link, stopping
        self._safely(self._crashes.acquit)
        events = Inbox(link, events_queue(self._service), PREFETCH)
        dead = Inbox(link, dead_queue(self._service), PREFETCH)
        self._broker.over()
        while not stopping.is_set():
            self._wait(events, dead)
            self._take(events)
            self._import(dead)
            self._look()
        # Not sent back but finished: what is sent back counts against the delivery limit.
        events.cancel()
        dead.cancel()
        while events.messages or dead.messages or self._link.drain(_QUIET):
            self._take(events)
            self._import(dead)

    def _wait(self, events: "Inbox", dead: "Inbox") -> None:
        """Until something is there, or it is time to look at `parked`; then take in what has arrived."""
        self._moved_at = time.monotonic()
        arrived = bool(events.messages or dead.messages)
        pause = 0.0 if arrived else min(_NOTICE, max(0.0, self._look_at - time.monotonic()))
        # All that has arrived, which prefetch bounds: `beat` judges the silence by what was drained.
        while self._link.drain(pause):
            pause = 0.0
        self._link.beat()

    def _take(self, events: "Inbox") -> None:
        """Handle one batch: messages in the order of their tags, so that one ack speaks for all."""
        batch = events.take(BATCH)
        if not batch:
            return
        self._handle([_work(message) for message in batch], careful=events.is_repeat(batch[0]))
        events.ack(batch[-1])

    def _handle(self, works: Sequence[Work], careful: bool) -> None:
        written = self._survive(works) if careful else self._safely(lambda: self._handling.run(works))
        self._safely(lambda: self._park(works))
        self._wake(written)
        self._account(works)

    def _survive(self, works: Sequence[Work]) -> set[str]:
        """Run those of which one may have killed a process before: all together, suspects alone."""
        keys = {digest(work.raw) for work in works}
        noted = keys if len(keys) == 1 else self._safely(lambda: self._crashes.noted(keys))
        written = self._survive_together([work for work in works if digest(work.raw) not in noted])
        for work in works:
            if digest(work.raw) in noted:
                written |= self._survive_alone(work)
        return written

    def _survive_together(self, works: Sequence[Work]) -> set[str]:
        if not works:
            return set()
        keys, run = {digest(work.raw) for work in works}, new_run()
        self._safely(lambda: self._crashes.begin_together(keys, run))
        written = self._safely(lambda: self._handling.run(works, partial(self._crashes.step, run)))
        self._safely(lambda: self._crashes.end(keys))
        return written

    def _survive_alone(self, work: Work) -> set[str]:
        """Run one that may have killed a process before; after three deaths of its own, do not."""
        key, run = digest(work.raw), new_run()
        died = self._begin(key, run)
        if died >= FATAL:
            self._handling.identify(work)
            work.fail(f"Crashed: the process died {died} times while it handled this.", hopeless=True)
            written: set[str] = set()
        else:
            written = self._safely(lambda: self._handling.run([work], partial(self._crashes.step, run)))
        self._safely(lambda: self._crashes.end([key]))
        return written

    def _begin(self, key: str, run: str) -> int:
        while True:
            died = self._safely(lambda: self._crashes.begin(key, run))
            if died is not None:
                return died
            self._hold(_HOLD)

    def _import(self, dead: "Inbox") -> None:
        """What was delivered too often is not lost: it is parked, and tried again with care."""
        batch = dead.take(BATCH)
        for message in batch:
            work = _work(message)
            self._handling.identify(work)
            if work.error is None:
                work.fail("DeliveryLimit: delivered too often without being handled.")
            self._safely(partial(self._parked.park, work, careful=True))
            dead.ack(message)

    def _park(self, works: Sequence[Work]) -> None:
        for work in works:
            if not work.done:
                self._parked.park(work)
                self._early = self._early or bool(work.waits_for)

    def _wake(self, written: set[str]) -> None:
        """What came early is handled as soon as what it waited for is written."""
        if self._early and written and self._safely(lambda: self._parked.wake(written)):
            self._look_at = 0.0

    def _look(self) -> None:
        """Try parked events again whose time has come, at most one batch between two of the queue's."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_EVERY
        found = self._safely(lambda: self._parked.due(BATCH))
        self._retry([one for one in found if not one.get("careful")], careful=False)
        self._retry([one for one in found if one.get("careful")], careful=True)
        self._early = self._safely(self._parked.any_early)

    def _retry(self, documents: Sequence[Document], careful: bool) -> None:
        if not documents:
            return
        works = [Work(document["raw"], document.get("sender")) for document in documents]
        written = self._survive(works) if careful else self._safely(lambda: self._handling.run(works))
        self._safely(lambda: self._parked.settle(list(zip(documents, works, strict=True))))
        self._wake(written)
        if any(work.done for work in works):
            # There may be more, and they can be handled: do not wait for the next second.
            self._look_at = 0.0
        self._account(works)

    def _safely(self, step: Callable[[], T]) -> T:
        """Do it; while the database is away, hold everything where it is and do it again."""
        give_up_at: float | None = None
        while True:
            try:
                done = step()
                self._store.over()
                return done
            except StoreUnavailable as error:
                self._store.met(error)
                if self._stopping.is_set():
                    give_up_at = give_up_at or time.monotonic() + _HOLD_WHEN_STOPPING
                    if time.monotonic() > give_up_at:
                        raise GivenUp("The database is away.") from error
                self._hold(_HOLD)

    def _hold(self, seconds: float) -> None:
        """Keep the connection, with what was delivered on it, for a while."""
        self._moved_at = time.monotonic()
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._link.drain(left)
        self._link.beat()

    def _account(self, works: Sequence[Work]) -> None:
        handled = [work.event for work in works if work.done and work.event]
        metrics.BATCH_SIZE.observe(len(works))
        metrics.HANDLED.inc(len(handled))
        if not handled:
            return
        oldest = min(event.time for event in handled)
        metrics.EFFECT_SECONDS.observe(max(0.0, (now() - oldest).total_seconds()))
        # One line a batch: a line an event would cost a fifth of the throughput.
        told = {
            "event_ids": [event.id for event in handled],
            "correlation_ids": sorted({event.correlation_id or "" for event in handled}),
            "parked": len(works) - len(handled),
        }
        log.info("Events handled", extra=told)


def _work(message: amqp.Message) -> Work:
    raw = message.body or b""  # py-amqp makes an empty text of an empty one
    if len(raw) > _LARGEST:
        # No event of ours, and what parks it must not choke on it.
        raw = b"%d bytes with the SHA-256 %s: %s" % (len(raw), digest(raw).encode(), raw[:_SHOWN])
    return Work(raw, message.properties.get("user_id"))


class Inbox:
    """What one queue delivered and nobody has taken yet. One channel, one consumer."""

    def __init__(self, link: Link, queue: str, prefetch: int) -> None:
        self.messages: deque[amqp.Message] = deque()
        self._channel = link.channel()
        self._channel.basic_qos(0, prefetch, False)
        self._tag = self._channel.basic_consume(queue, callback=self.messages.append)

    @staticmethod
    def is_repeat(message: amqp.Message) -> bool:
        headers = message.headers or {}
        return bool(message.delivery_info["redelivered"] or headers.get("x-delivery-count"))

    def take(self, most: int) -> list[amqp.Message]:
        """The next in order: only ones that were delivered before, or only others."""
        taken: list[amqp.Message] = []
        while self.messages and len(taken) < most:
            if taken and self.is_repeat(self.messages[0]) != self.is_repeat(taken[0]):
                break
            taken.append(self.messages.popleft())
        return taken

    def ack(self, last: amqp.Message) -> None:
        """Every message up to this one: messages are taken in the order of their tags."""
        self._channel.basic_ack(last.delivery_tag, multiple=True)

    def cancel(self) -> None:
        """Take no more."""
        self._channel.basic_cancel(self._tag)
        # What a quorum queue had on its way still comes, after the broker's consent; py-amqp would send it
        # back, which counts against the delivery limit.
        self._channel.callbacks[self._tag] = self.messages.append
