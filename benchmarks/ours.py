"""The product's own relay and consumer as a worker runs them: python -m benchmarks.ours relay | consumer."""

import sys
import threading
from collections.abc import Iterator

from marshmallow import fields

from benchmarks.scene import TYPE, database
from shared import logs, worker
from shared.messaging.consumer import Consumer
from shared.messaging.envelope import Event, derived_id
from shared.messaging.relay import Relay
from shared.messaging.subscriber import EventSchema, Subscriber
from shared.store.indexes import created
from shared.store.lease import Lease
from shared.store.operations import Operation, create

COLLECTIONS = (created("effects"),)


class GoalAgreed(EventSchema):
    goal_id = fields.String(required=True)
    client_id = fields.String(required=True)
    agreed_by = fields.String(required=True)


def subscriber(name: str) -> Subscriber:
    made = Subscriber(name)

    @made.on(TYPE, GoalAgreed, source="goals")
    def tell(event: Event) -> Iterator[Operation]:
        yield create(
            "effects", derived_id(event, "inbox"), {**event.data, "kind": event.type, "at": event.time}
        )

    return made


def relay(name: str, mongo_url: str, amqp_url: str, stopping: threading.Event) -> None:
    own = database(name, mongo_url, amqp_url)
    lease = Lease(own["leases"], "relay")
    Relay("goals", own, ["goals"], amqp_url, lease, f"{name}.exchange").run(stopping)


def consumer(name: str, mongo_url: str, amqp_url: str, stopping: threading.Event) -> None:
    Consumer(subscriber(name), database(name, mongo_url, amqp_url), amqp_url, COLLECTIONS).run(stopping)


def main(part: str, name: str, mongo_url: str, amqp_url: str) -> None:
    logs.set_up(name, part)
    work = {"relay": relay, "consumer": consumer}[part]
    worker.supervise({part: lambda stopping: work(name, mongo_url, amqp_url, stopping)})


if __name__ == "__main__":
    main(*sys.argv[1:])
