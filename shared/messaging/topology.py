"""Exchange, queues and bindings, made once by `prepare`.

The arguments are valid on RabbitMQ 3.10 to 4.x and never change under one queue name; a binding is
never removed here.
"""

from collections.abc import Iterable
from typing import Any

import amqp
from amqp.exceptions import NotFound, PreconditionFailed

from shared.messaging.link import linked
from shared.store.indexes import NotPrepared

EXCHANGE = "tandem.events"
_EVENTS: dict[str, Any] = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 20,
    "x-dead-letter-exchange": "",
    # Dead-lettering is at most once unless both of these are set (pitfalls.md, Queues).
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}
# 4.0 gives every quorum queue a limit of 20, and here is no further place for what exceeds it.
_DEAD: dict[str, Any] = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}


class QueueDiffers(Exception):
    """A queue is there already, with other arguments."""


def events_queue(service: str) -> str:
    return f"{service}.events"


def dead_queue(service: str) -> str:
    return f"{service}.dead"


def routing_key(type: str, only: str | None = None) -> str:
    """What all who listen to the type are bound to, or what reaches `only` one service.

    Not by the default exchange, which would let whoever may use it write into every queue there is.
    """
    return type if only is None else f"to.{only}.{type}"


def declare(amqp_url: str, service: str, types: Iterable[str], exchange: str = EXCHANGE) -> None:
    """Make what `service` needs to hear these types; safe to run again."""
    with linked(amqp_url, f"{service} prepare") as link:
        channel = link.channel()
        channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
        try:
            _declare_queues(channel, service)
        except PreconditionFailed as error:
            raise QueueDiffers(
                f"The queues of {service} exist with other arguments: empty and delete "
                f"{events_queue(service)} and {dead_queue(service)}, then run prepare again."
            ) from error
        for key in (*types, routing_key("#", service)):
            channel.queue_bind(events_queue(service), exchange, routing_key=key)


def _declare_queues(channel: amqp.Channel, service: str) -> None:
    dead = dead_queue(service)
    channel.queue_declare(dead, durable=True, auto_delete=False, arguments=_DEAD)
    arguments = _EVENTS | {"x-dead-letter-routing-key": dead}
    channel.queue_declare(events_queue(service), durable=True, auto_delete=False, arguments=arguments)


def require_declared(
    amqp_url: str, service: str, types: Iterable[str] = (), exchange: str = EXCHANGE
) -> None:
    """Raise `NotPrepared` unless exchange and queues are there (a client cannot see the bindings)."""
    with linked(amqp_url, f"{service} check") as link:
        channel = link.channel()
        try:
            channel.exchange_declare(exchange, "topic", passive=True)
            if list(types):
                channel.queue_declare(events_queue(service), passive=True)
                channel.queue_declare(dead_queue(service), passive=True)
        except NotFound as error:
            raise NotPrepared(
                f"The broker lacks the exchange or the queues of {service}: "
                f"run `python -m services.{service} prepare` first."
            ) from error
