"""Relay and consumer as processes of their own, to be killed: python -m tests.shared.messaging.processes."""

import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from shared import worker
from shared.messaging import handling, parked
from shared.messaging.consumer import Consumer
from shared.messaging.envelope import derived_id
from shared.messaging.relay import Relay
from shared.messaging.subscriber import Subscriber
from shared.store.lease import Lease
from shared.store.operations import create
from tests.shared.messaging.rooms import GoalSchema


def subscriber(service: str) -> Subscriber:
    made = Subscriber(service)

    @made.on("goal.agreed", GoalSchema, source="goals")
    def tell(event: Any) -> Any:
        if event.data["goal_id"] == "poison":
            os.kill(os.getpid(), signal.SIGKILL)
        yield create("notes", derived_id(event, "inbox"), {"goal_id": event.data["goal_id"]})

    return made


def relay(database: Any, amqp_url: str, exchange: str, stopping: threading.Event) -> None:
    lease = Lease(database["leases"], "relay", ttl=timedelta(seconds=1))
    Relay("goals", database, ["goals"], amqp_url, lease, exchange).run(stopping)


def stall_writes(folder: Path) -> None:
    """As long as the file `stall` is there, the database takes writes and does not answer."""
    write = handling.write

    def stalled(*arguments: Any) -> Any:
        while (folder / "stall").exists():
            (folder / "stalled").write_text(str(os.getpid()))
            threading.Event().wait(0.01)
        return write(*arguments)

    handling.write = stalled


def main(
    part: str, mongo_url: str, name: str, amqp_url: str, service: str, exchange: str, folder: str
) -> None:
    worker._PAUSES, parked._CLAIM = (0.1,), timedelta(seconds=0.5)
    stall_writes(Path(folder))

    def work(stopping: threading.Event) -> None:
        client: Any = MongoClient(mongo_url, appname=part, tz_aware=True, timeoutMS=5000, w="majority")
        if part == "relay":
            relay(client[name], amqp_url, exchange, stopping)
        else:
            Consumer(subscriber(service), client[name], amqp_url).run(stopping)

    worker.supervise({part: work})


if __name__ == "__main__":
    main(*sys.argv[1:])
