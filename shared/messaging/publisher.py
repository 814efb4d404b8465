"""Publishing with pipelined confirms: many messages on their way, each accounted for by its tag.

- An ack means that the broker has it; with `multiple` it speaks for every open tag up to its own.
- A return comes before its ack and carries no tag: it is known by `message_id`, and turns the coming
  ack into a refusal (pitfalls.md, Publishing).
- A channel whose messages were nacked is not trusted for long: RabbitMQ 3.10 goes on nacking what comes
  over one that was opened while a queue had no leader, long after the queue has one.
- The broker lets nobody name another user than the one who is connected: what it delivers, it vouches for.
- What is still open when the link fails was neither confirmed nor refused, and is published again.
"""

import time
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from amqp import Message, spec

from shared.messaging.envelope import CONTENT_TYPE
from shared.messaging.link import Link
from shared.messaging.topology import routing_key
from shared.store.outbox import Key

WINDOW = 1_000
CONFIRM_WITHIN = 10.0
RENEW_AFTER = 1.0
_MANDATORY = True


class ConfirmOverdue(OSError):
    """The broker took a message and has not said for 10 s whether it keeps it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the events published since the last look, by aggregate."""

    confirmed: dict[Key, list[str]]
    refused: dict[Key, str]


class Publisher:
    def __init__(self, link: Link, exchange: str) -> None:
        self._link = link
        self._exchange = exchange
        self._channel = link.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._opened_at = time.monotonic()
        self._nacked = False
        self._last_tag = 0
        self._open: dict[int, tuple[Key, str, float]] = {}
        self._returned: set[str] = set()
        self._confirmed: list[tuple[int, Key, str]] = []
        self._refused: dict[Key, tuple[int, str]] = {}

    def publish(self, key: Key, event_id: str, type: str, body: bytes, only: str | None = None) -> None:
        """Send it on its way to all who listen to the type, or `only` to one service."""
        about = {"message_id": event_id, "type": type, "user_id": self._link.user}
        message = Message(body, content_type=CONTENT_TYPE, delivery_mode=2, **about)
        self._last_tag += 1
        self._open[self._last_tag] = (key, event_id, time.monotonic())
        # Not basic_publish: it looks for an incoming frame before each message, in a way that can spin.
        arguments = (0, self._exchange, routing_key(type, only), _MANDATORY, False)
        self._link.gather()
        self._channel.send_method(spec.Basic.Publish, "Bssbb", arguments, message)
        if len(self._open) >= WINDOW:
            self.settle(WINDOW // 2)

    def settle(self, at_most: int = 0) -> None:
        """Wait until no more than `at_most` are open; raises `ConfirmOverdue`."""
        while len(self._open) > at_most:
            oldest = next(iter(self._open.values()))[2]
            left = oldest + CONFIRM_WITHIN - time.monotonic()
            if not self._link.drain(max(0.0, left)):
                raise ConfirmOverdue(f"{len(self._open)} messages are not confirmed after 10 s.")

    def trusted(self) -> "Publisher":
        """This one, or once all is settled one on a new channel, where this one's has met a nack."""
        if not self._nacked or time.monotonic() - self._opened_at < RENEW_AFTER:
            return self
        self._channel.close()
        return Publisher(self._link, self._exchange)

    def flush(self) -> None:
        """Let the broker begin with what was published, and hear what it has answered so far."""
        self._link.flush()
        while self._link.drain(0):
            pass

    def refuses(self, key: Key) -> bool:
        return key in self._refused

    def collect(self) -> Outcome:
        """What is told of an aggregate begins with its first event: none is removed before an earlier one.

        What follows a refused event is not told as confirmed: it stays, behind it. What follows an open
        one is told later, and so is a refusal, until nothing of its aggregate is open.
        """
        first_open: dict[Key, int] = {}
        for tag, (key, _, _) in self._open.items():
            first_open.setdefault(key, tag)
        confirmed: dict[Key, list[str]] = {}
        later = []
        for one in self._confirmed:
            tag, key, event_id = one
            if tag > first_open.get(key, tag):
                later.append(one)
            elif key not in self._refused or tag < self._refused[key][0]:
                confirmed.setdefault(key, []).append(event_id)
        refused = {key: how for key, (_, how) in self._refused.items() if key not in first_open}
        self._confirmed = later
        self._refused = {key: one for key, one in self._refused.items() if key in first_open}
        return Outcome(confirmed, refused)

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for one in self._answered(tag, multiple):
            if one[2] in self._returned:
                self._refuse(one, "returned")
            else:
                self._confirmed.append(one)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._nacked = True
        for one in self._answered(tag, multiple):
            self._refuse(one, "nacked")

    def _on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        self._returned.add(message.properties["message_id"])

    def _refuse(self, answered: tuple[int, Key, str], how: str) -> None:
        tag, key, event_id = answered
        self._returned.discard(event_id)
        # Answers come in any order: an event that nobody takes is refused before an earlier one is kept.
        if key not in self._refused or tag < self._refused[key][0]:
            self._refused[key] = (tag, how)

    def _answered(self, tag: int, multiple: bool) -> list[tuple[int, Key, str]]:
        tags = [tag] if tag in self._open else []
        if multiple:
            # In order of publishing, so the first later tag ends the search.
            tags = list(takewhile(lambda open_tag: open_tag <= tag, self._open))
        return [(one, *self._open.pop(one)[:2]) for one in tags]
