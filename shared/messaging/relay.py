"""Outbox to broker: reads what aggregates have to say, publishes it, removes what was confirmed.

- One relay per service is active, whoever holds the lease.
- The events of one aggregate go out in order. One that is refused keeps the later ones of its aggregate
  back and puts the aggregate off, so that it holds up nobody else.
- What was confirmed is removed from the outbox even when the round fails; what is in doubt is told again.
"""

import logging
import random
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice, takewhile

from shared.clock import now
from shared.messaging import metrics
from shared.messaging.envelope import encode
from shared.messaging.link import LOST, Link, Outage, linked
from shared.messaging.publisher import Outcome, Publisher
from shared.messaging.topology import EXCHANGE
from shared.store.changes import Wakeup
from shared.store.client import Database, Document, StoreUnavailable
from shared.store.lease import Lease
from shared.store.outbox import PAGE, Key, Pending, pending, settle

log = logging.getLogger(__name__)

POLL_EVERY = 1.0
RENEW_EVERY = 2.0
_NOTICE = 0.25
"""Seconds within which a request to stop is noticed."""
_LONGEST_BACK_OFF = 15.0


class Relay:
    def __init__(
        self,
        service: str,
        database: Database[Document],
        aggregate_collections: Sequence[str],
        amqp_url: str,
        lease: Lease,
        exchange: str = EXCHANGE,
    ) -> None:
        self._service = service
        self._database = database
        self._names = list(aggregate_collections)
        self._amqp_url = amqp_url
        self._lease = lease
        self._exchange = exchange
        self._renewed = 0.0
        self._refusals: dict[Key, int] = {}
        self._broker = Outage("Broker")
        self._store = Outage("Database")

    def run(self, stopping: threading.Event) -> None:
        """Relay until `stopping` is set, then finish the round and give the lease back."""
        # Asked for, not told: while the database is away it ends by itself.
        metrics.LEASE_HELD.set_function(lambda: self._lease.held)
        while not stopping.is_set():
            try:
                if self._holds():
                    self._hold_link(stopping)
                else:
                    stopping.wait(POLL_EVERY)
            except LOST as error:
                stopping.wait(self._broker.met(error))
            except StoreUnavailable as error:
                stopping.wait(self._store.met(error))
        self._lease.release()

    def _hold_link(self, stopping: threading.Event) -> None:
        wakeup = Wakeup(self._database, self._names)
        with linked(self._amqp_url, f"{self._service} relay") as link:
            publisher = Publisher(link, self._exchange)
            self._refusals.clear()
            wakeup.start()
            try:
                while not stopping.is_set() and self._holds():
                    answered = self._round(publisher, stopping)
                    # Only now: a broker under an alarm lets us in, and then confirms nothing.
                    self._broker.over()
                    publisher = publisher.trusted()
                    if not answered:
                        self._rest(wakeup, stopping)
                        self._look_after(link)
            finally:
                wakeup.stop()

    def _rest(self, wakeup: Wakeup, stopping: threading.Event) -> None:
        until = time.monotonic() + POLL_EVERY
        while time.monotonic() < until and not stopping.is_set() and not wakeup.wait(_NOTICE):
            pass

    def _holds(self) -> bool:
        """Whether this process relays; asks the database every other second only."""
        if not self._lease.held or time.monotonic() - self._renewed > RENEW_EVERY:
            asked = time.monotonic()
            self._lease.hold()
            self._renewed = asked
            self._store.over()
        return self._lease.held

    def _look_after(self, link: Link) -> None:
        while link.drain(0):
            pass
        link.beat()

    def _round(self, publisher: Publisher, stopping: threading.Event) -> int:
        """One look at every collection; how many answers the broker gave."""
        return sum(self._relay(publisher, name, stopping) for name in self._names)

    def _relay(self, publisher: Publisher, name: str, stopping: threading.Event) -> int:
        """A page is settled while the broker is busy with the next: each takes about half of the time."""

        def goes_on() -> bool:
            return self._holds() and not stopping.is_set()

        answered = 0
        waiting = pending(self._database[name], now())
        try:
            while goes_on() and (page := list(islice(waiting, PAGE))):
                for aggregate in takewhile(lambda _: goes_on(), page):
                    self._publish(publisher, aggregate)
                publisher.flush()
                answered += self._settle(name, publisher.collect())
            publisher.settle()
        finally:
            answered += self._settle(name, publisher.collect())
        return answered

    def _publish(self, publisher: Publisher, aggregate: Pending) -> None:
        key = aggregate.key
        # After a refusal one event goes ahead alone: the others would pass it again and again.
        events = aggregate.events[:1] if key in self._refusals else aggregate.events
        for record in events:
            if publisher.refuses(key):
                return
            body = encode(record, service=self._service, subject=key[0], practice_id=key[1])
            publisher.publish(key, record["id"], record["type"], body, only=record.get("to"))

    def _settle(self, name: str, outcome: Outcome) -> int:
        at = now()
        for key in outcome.confirmed.keys() - outcome.refused.keys():
            self._refusals.pop(key, None)
        put_off = {key: at + self._back_off(key) for key in outcome.refused}
        settle(self._database[name], outcome.confirmed, put_off)
        confirmed = sum(map(len, outcome.confirmed.values()))
        self._account(name, outcome, confirmed)
        return confirmed + len(put_off)

    def _back_off(self, key: Key) -> timedelta:
        refusals = self._refusals[key] = self._refusals.get(key, 0) + 1
        longest = min(_LONGEST_BACK_OFF, 0.25 * 2 ** min(refusals, 10))
        return timedelta(seconds=longest * random.uniform(0.5, 1.0))  # noqa: S311

    def _account(self, collection: str, outcome: Outcome, confirmed: int) -> None:
        refused = len(outcome.refused)
        metrics.RELAYED.inc(confirmed)
        for how in outcome.refused.values():
            metrics.REFUSED.labels(how).inc()
        if confirmed or refused:
            metrics.ROUND_SIZE.observe(confirmed + refused)
            level = logging.WARNING if refused else logging.INFO
            told = {
                "collection": collection,
                "event_ids": [id for ids in outcome.confirmed.values() for id in ids],
                "aggregates_refused": [id for id, _ in outcome.refused],
            }
            log.log(level, "Events relayed", extra=told)
