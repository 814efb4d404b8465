"""The broker killed, gone, out of memory and disk, full, unbound, slow, cut off and silent, under load."""

import time
from collections.abc import Iterator

import psutil
import pytest

from scripts import platform as scripted
from tests.faults.conftest import LONG
from tests.faults.judge import Row, judge
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.platform import Platform
from tests.faults.proxy import DOWN, UP
from tests.faults.servers import Broker

OUTAGE = 600.0 if LONG else 120.0
WORKERS = ("goals-worker", "notifications-worker")
OVERDUE = 11.0
"""Seconds: more than the relay waits for a confirm."""


@pytest.fixture
def load(platform: Platform, ledger: Ledger, request: pytest.FixtureRequest) -> Iterator[Load]:
    with Load(platform, "".join(filter(str.isalnum, request.node.name)), ledger) as made:
        time.sleep(1.0)
        yield made


def saves_go_on(load: Load, seconds: float) -> None:
    """For as long as this, and all of them are answered with success."""
    before, answers = load.ledger.count(), dict(load.answers)
    time.sleep(seconds)
    assert load.ledger.count() > before, "people could not save"
    refused = {s: n - answers.get(s, 0) for s, n in load.answers.items() if s not in (200, 201)}
    assert not any(refused.values()), refused


def test_the_broker_is_killed_twice(platform: Platform, broker: Broker, load: Load, row: Row) -> None:
    row.times = 2
    for _ in range(2):
        broker.kill()
        saves_go_on(load, 2.0)
        broker.start()
        saves_go_on(load, 3.0)

    judge(platform, load, row)


def test_the_broker_is_away_for_minutes(platform: Platform, broker: Broker, load: Load, row: Row) -> None:
    broker.kill()
    saves_go_on(load, OUTAGE)
    broker.start()

    judge(platform, load, row)
    row.also.append(f"{OUTAGE:.0f} s away")


def test_memory_and_disk_alarms(platform: Platform, broker: Broker, load: Load, row: Row) -> None:
    """Longer than the relay waits for a confirm."""
    row.times = 2
    for alarm in (broker.memory_alarm, broker.disk_alarm):
        alarm()
        saves_go_on(load, OVERDUE)
        broker.clear_alarms()

    judge(platform, load, row)


def test_a_queue_at_its_limit(platform: Platform, broker: Broker, load: Load, row: Row) -> None:
    """Its consumer stands still, so that the queue fills and the broker refuses what is published."""
    consumer = _consumer(platform, "notifications-worker")
    broker.limit("notifications.events", 50)
    consumer.suspend()
    try:
        saves_go_on(load, 8.0)
        assert broker.depth("notifications.events") <= 600
    finally:
        consumer.resume()
        broker.unlimit("notifications.events")

    judge(platform, load, row)


def _consumer(platform: Platform, name: str) -> psutil.Process:
    """The child that has a connection to the broker and relays nothing: the last that was started."""
    return psutil.Process(platform.tree(name)[-1])


@pytest.fixture
def heard_by_one(broker: Broker, platform: Platform) -> None:
    broker.unbind("partners.events", "goal.agreed")


def test_a_binding_is_removed(
    heard_by_one: None, platform: Platform, broker: Broker, load: Load, row: Row
) -> None:
    """What no queue takes is kept; `prepare` binds again.

    The binding of partners goes before there is any load: what one service of two is no longer bound to,
    the broker takes for delivered (docs/operations.md).
    """
    broker.unbind("notifications.events", "goal.agreed")
    saves_go_on(load, 8.0)
    scripted.prepare(platform.place)

    judge(platform, load, row)


def test_latency_above_the_deadline_of_confirms(platform: Platform, load: Load, row: Row) -> None:
    for worker in WORKERS:
        platform.lines[worker, "amqp"].delay(OVERDUE)
    saves_go_on(load, 2.5 * OVERDUE)
    for worker in WORKERS:
        platform.lines[worker, "amqp"].delay(0.0)

    judge(platform, load, row)


def test_connections_are_cut(platform: Platform, load: Load, row: Row) -> None:
    row.times = 10
    for _ in range(row.times):
        for worker in WORKERS:
            platform.lines[worker, "amqp"].cut()
        saves_go_on(load, 0.7)

    judge(platform, load, row)


@pytest.mark.parametrize("direction", [UP, DOWN])
def test_connections_are_silent(platform: Platform, load: Load, row: Row, direction: str) -> None:
    """A network that swallows what is sent one way and tells nobody, for longer than two heartbeats."""
    for worker in WORKERS:
        platform.lines[worker, "amqp"].silence(direction)
    saves_go_on(load, 22.0)
    for worker in WORKERS:
        platform.lines[worker, "amqp"].speak()

    judge(platform, load, row)
