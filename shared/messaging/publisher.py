"""Publishing with pipelined confirms: many messages on their way, each accounted for by its tag.

- An ack means that the broker has it; with `multiple` it speaks for every open tag up to its own.
- A return comes before its ack and carries no tag: it is known by `message_id`, and turns the coming
  ack into a refusal (pitfalls.md, Publishing).
- What is still open when the link fails was neither confirmed nor refused, and is published again.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from amqp import Message, spec

from shared.messaging.envelope import CONTENT_TYPE
from shared.messaging.link import Link
from shared.messaging.topology import events_queue
from shared.store.outbox import Key

WINDOW = 500
CONFIRM_WITHIN = 10.0
_MANDATORY = True


class ConfirmOverdue(OSError):
    """The broker took a message and has not said for 10 s whether it keeps it."""


@dataclass(slots=True)
class Outcome:
    """What became of the events published since the last look, by aggregate."""

    confirmed: dict[Key, list[str]] = field(default_factory=dict)
    refused: dict[Key, str] = field(default_factory=dict)

    def confirm(self, key: Key, event_id: str) -> None:
        # What follows a refused event stays as well: it is told again, after it.
        if key not in self.refused:
            self.confirmed.setdefault(key, []).append(event_id)


class Publisher:
    def __init__(self, link: Link, exchange: str) -> None:
        self._link = link
        self._exchange = exchange
        self._channel = link.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._last_tag = 0
        self._open: dict[int, tuple[Key, str, float]] = {}
        self._returned: set[str] = set()
        self.outcome = Outcome()

    def publish(self, key: Key, event_id: str, type: str, body: bytes, only: str | None = None) -> None:
        """Send it on its way to all who listen to the type, or `only` to one service."""
        message = Message(body, content_type=CONTENT_TYPE, delivery_mode=2, message_id=event_id, type=type)
        self._last_tag += 1
        self._open[self._last_tag] = (key, event_id, time.monotonic())
        exchange, routing_key = (self._exchange, type) if only is None else ("", events_queue(only))
        # Not basic_publish: it looks for an incoming frame before each message, in a way that can spin.
        arguments = (0, exchange, routing_key, _MANDATORY, False)
        self._channel.send_method(spec.Basic.Publish, "Bssbb", arguments, message)
        if len(self._open) >= WINDOW:
            self.settle(WINDOW // 2)

    def settle(self, at_most: int = 0) -> None:
        """Wait until no more than `at_most` are open; raises `ConfirmOverdue`."""
        while len(self._open) > at_most:
            oldest = next(iter(self._open.values()))[2]
            left = oldest + CONFIRM_WITHIN - time.monotonic()
            if left <= 0 or not self._link.drain(left):
                raise ConfirmOverdue(f"{len(self._open)} messages are not confirmed after 10 s.")

    def collect(self) -> Outcome:
        collected, self.outcome = self.outcome, Outcome()
        return collected

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for key, event_id in self._answered(tag, multiple):
            if event_id in self._returned:
                self._returned.discard(event_id)
                self._refuse(key, "returned")
            else:
                self.outcome.confirm(key, event_id)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        for key, event_id in self._answered(tag, multiple):
            self._returned.discard(event_id)
            self._refuse(key, "nacked")

    def _on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        self._returned.add(message.properties["message_id"])

    def _refuse(self, key: Key, how: str) -> None:
        self.outcome.refused.setdefault(key, how)

    def _answered(self, tag: int, multiple: bool) -> list[tuple[Key, str]]:
        if multiple:
            tags = []
            # In order of publishing, so the first later tag ends the search.
            for open_tag in self._open:
                if open_tag > tag:
                    break
                tags.append(open_tag)
        else:
            tags = [tag] if tag in self._open else []
        return [self._open.pop(one)[:2] for one in tags]
