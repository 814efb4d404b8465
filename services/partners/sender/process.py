"""What is behind `python -m services.partners sender`: one active sender, chosen by a lease.

Rules kept here:
- Only the holder sends. A lease that could not be renewed stops every attempt that is under way, before
  another sender may take over, so that slow endpoints are not called by two at once.
- At most four attempts are under way to one endpoint, and a hundred in all.
- Nothing is marked before it is sent: a sender that dies leaves its deliveries due, and the next one sends
  them again under the same webhook-id.
"""

import asyncio
import logging
import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import SystemRandom
from typing import Any

from pymongo.database import Database

from services.partners.domain import GONE, Attempt, Delivery, Endpoint, PublicEvent
from services.partners.sender import metrics
from services.partners.sender.attempt import IN_FLIGHT, call, open_session
from services.partners.sender.fanout import FanOut
from services.partners.store import Deliveries, Endpoints, Outgoing
from shared.clock import now
from shared.ids import PLATFORM, new_id
from shared.settings import Settings
from shared.store.aggregates import StaleVersion
from shared.store.changes import Wakeup
from shared.store.client import Document, StoreUnavailable, answers, connect
from shared.store.lease import Lease
from shared.web import health
from shared.web.metrics import exposed
from shared.worker import supervise

log = logging.getLogger(__name__)

PER_ENDPOINT = 4
POLL = 1.0
RENEW_EVERY = 2.0
# Twice, with RENEW_EVERY between, it stays below the lease's 8 s, so that we stop before another may start.
RENEW_WITHIN = 2.5
DRAIN_WITHIN = 16.0
UNRECORDED_PAUSE = 5.0


def run(service: Any, settings: Settings) -> None:
    """Send until SIGTERM, in a child."""
    listener = health.listen(settings.host, settings.sender_metrics_port, "TANDEM_SENDER_METRICS_PORT")
    # The parent starts a child only when the one before is dead, so each may hold the lease of the last.
    me = new_id()
    supervise({"sender": lambda stopping: _send(settings, me, listener, stopping)})


def _send(settings: Settings, me: str, listener: socket.socket, stopping: threading.Event) -> None:
    database = connect(settings)
    health.answer(
        listener,
        {"database": lambda: answers(database)},
        figures=lambda: exposed() + exposed(metrics.SENDING),
    )
    asyncio.run(_until(stopping, Sender(database, settings, me)))


async def _until(stopping: threading.Event, sender: "Sender") -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(16, "store"))
    await sender.run(stopping)


class Sender:
    """The endpoints are called on the event loop; the store, which blocks, on threads beside it."""

    def __init__(self, database: Database[Document], settings: Settings, me: str) -> None:
        self._settings = settings
        self._lease = Lease(database["leases"], "sender", me=me)
        self._renewed = False
        self._wakeup = Wakeup(database, ["outgoing", "fanouts"])
        self._fanout = FanOut(database)
        self._outgoing = Outgoing(database)
        self._endpoints = Endpoints(database)
        self._deliveries = Deliveries(database)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._busy: Counter[str] = Counter()
        self._look = asyncio.Event()
        self._news = asyncio.Event()
        self._jitter = SystemRandom().random
        metrics.follow(self._deliveries, self._outgoing, lambda: self._sends)

    async def run(self, stopping: threading.Event) -> None:
        """Send until `stopping` is set, which is noticed within POLL."""
        async with open_session(self._settings.development) as self._session, asyncio.TaskGroup() as group:
            background = [
                group.create_task(work()) for work in (self._keep_lease, self._watch, self._keep_deciding)
            ]
            while not stopping.is_set():
                self._look.clear()
                await self._round()
                await self._look.wait()
            await self._drain()
            for task in background:
                task.cancel()
        await asyncio.to_thread(self._wakeup.stop)
        await asyncio.to_thread(self._lease.release)
        log.info("Stopped")

    async def _keep_lease(self) -> None:
        while True:
            before, self._renewed = self._renewed, await self._hold()
            if self._renewed and not before:
                log.info("Sending")
                self._wakeup.start()
                self._news.set()
            elif before and not self._renewed:
                log.warning("Lease lost, sending stopped", extra={"under_way": len(self._under_way)})
                for task in self._under_way.values():
                    task.cancel()
                await asyncio.to_thread(self._wakeup.stop)
            await asyncio.sleep(RENEW_EVERY)

    async def _hold(self) -> bool:
        try:
            async with asyncio.timeout(RENEW_WITHIN):
                return await asyncio.to_thread(self._lease.hold)
        except (TimeoutError, StoreUnavailable):
            return False

    @property
    def _sends(self) -> bool:
        """A renewal that failed stops us, though the lease still has a while."""
        return self._renewed and self._lease.held

    async def _watch(self) -> None:
        """Look at least each second, and whenever something new is written."""
        while True:
            await asyncio.to_thread(self._wakeup.wait, POLL)
            self._news.set()
            self._look.set()

    async def _keep_deciding(self) -> None:
        """Beside the sending, which waits for no decision about other events."""
        while True:
            self._news.clear()
            try:
                if self._sends and await asyncio.to_thread(self._decide):
                    self._news.set()
            except StoreUnavailable as error:
                log.warning("Store did not answer", extra={"error": type(error).__name__})
            self._look.set()
            await self._news.wait()

    async def _round(self) -> None:
        try:
            while self._sends and (room := IN_FLIGHT - len(self._under_way)):
                due = await asyncio.to_thread(self._due, room, list(self._under_way), self._full())
                if not [self._start(one) for one in due if self._busy[one.endpoint_id] < PER_ENDPOINT]:
                    return
        except StoreUnavailable as error:
            log.warning("Store did not answer", extra={"error": type(error).__name__})

    def _decide(self) -> bool:
        more = self._fanout.decide_new()
        return self._fanout.look_back(now()) or more

    def _due(self, room: int, under_way: list[str], full: list[str]) -> list[Delivery]:
        return self._deliveries.due(now(), room, under_way, full)

    def _full(self) -> list[str]:
        return [endpoint_id for endpoint_id, count in self._busy.items() if count >= PER_ENDPOINT]

    def _start(self, delivery: Delivery) -> bool:
        self._busy[delivery.endpoint_id] += 1
        task = asyncio.create_task(self._send(delivery))
        self._under_way[delivery.id] = task
        task.add_done_callback(lambda _: self._ended(delivery))
        return True

    def _ended(self, delivery: Delivery) -> None:
        del self._under_way[delivery.id]
        self._busy[delivery.endpoint_id] -= 1
        self._busy += Counter()  # forgets the idle ones
        self._look.set()

    async def _send(self, delivery: Delivery) -> None:
        try:
            await self._try(delivery)
        except Exception as error:  # noqa: BLE001 - whatever it was, it comes again
            told = _ids(delivery) | {"error": type(error).__name__}
            log.warning("Delivery was not recorded and comes again", extra=told)
            # Not at once: the endpoint may have been called already.
            await asyncio.sleep(UNRECORDED_PAUSE)

    async def _try(self, delivery: Delivery) -> None:
        try:
            await self._deliver(delivery)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("Attempt broke", extra=_ids(delivery))
            broken = Attempt(now(), 0, error="internal")
            await asyncio.to_thread(self._conclude, delivery, broken, None)

    async def _deliver(self, delivery: Delivery) -> None:
        subject = await asyncio.to_thread(self._subject, delivery)
        if subject and self._sends:
            attempt, retry_after = await call(self._session, *subject, self._settings)
            await asyncio.to_thread(self._conclude, delivery, attempt, retry_after)

    def _subject(self, delivery: Delivery) -> tuple[Endpoint, PublicEvent] | None:
        """What to send where; none, and the delivery cancelled, where the app is no longer entitled to it."""
        endpoint = self._endpoints.find(PLATFORM, delivery.endpoint_id)
        event = self._outgoing.get(delivery.practice_id, delivery.event_id)
        if endpoint and event and self._fanout.entitles(event, endpoint):
            return endpoint, event
        self._deliveries.record(delivery.cancelled())
        metrics.CANCELLED.inc()
        log.info("Delivery cancelled", extra=_ids(delivery))
        return None

    def _conclude(self, delivery: Delivery, attempt: Attempt, retry_after: timedelta | None) -> None:
        after = delivery.after(attempt, self._jitter(), retry_after)
        self._deliveries.record(after)
        outcome = {"status": attempt.status, "error": attempt.error, "ms": attempt.ms, "state": after.state}
        metrics.TRIED.labels(after.state.value).inc()
        log.info("Delivery tried", extra=_ids(delivery) | outcome)
        if attempt.status == GONE:
            self._disable(delivery.endpoint_id)

    def _disable(self, endpoint_id: str) -> None:
        endpoint = self._endpoints.get(PLATFORM, endpoint_id)
        endpoint.disable(now())
        try:
            self._endpoints.save(endpoint)
        except StaleVersion:
            return  # its app is changing it; the next delivery will be told 410 again
        log.info("Endpoint disabled", extra={"endpoint_id": endpoint_id})

    async def _drain(self) -> None:
        if self._under_way:
            await asyncio.wait(list(self._under_way.values()), timeout=DRAIN_WITHIN)
        for task in list(self._under_way.values()):
            task.cancel()


def _ids(delivery: Delivery) -> dict[str, Any]:
    return {
        "delivery_id": delivery.id,
        "event_id": delivery.event_id,
        "endpoint_id": delivery.endpoint_id,
        "practice_id": delivery.practice_id,
    }
