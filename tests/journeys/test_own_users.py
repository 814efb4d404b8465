"""Each service is a user of its own on both servers: all works, and one that is taken over sees no other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import permutations
from typing import Any

import amqp
import pytest
from amqp.exceptions import AccessRefused
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from scripts import parts
from shared.messaging.link import linked
from shared.messaging.topology import EXCHANGE, dead_queue, events_queue
from tests.journeys import test_a_goal_agreed_is_heard_everywhere as story
from tests.journeys.people import Platform

UNAUTHORIZED = 13
SERVICES = parts.services()
PAIRS = list(permutations(SERVICES, 2))
endpoint, listening = story.endpoint, story.listening


@pytest.fixture
def running(with_own_users: Platform) -> Platform:
    return with_own_users


@contextmanager
def database_as(service: str, running: Platform, other: str) -> Iterator[Any]:
    url = parts.environment(running.place, service)["TANDEM_MONGO_URL"]
    with MongoClient[dict[str, Any]](url, timeoutMS=5000) as client:
        yield client[running.databases + other]


def refused_to(service: str, running: Platform, attempt: Callable[[amqp.Channel], object]) -> bool:
    """Whether the broker refuses the service's user this, on a channel of its own."""
    with linked(parts.environment(running.place, service)["TANDEM_AMQP_URL"], "test") as link:
        channel = link.channel()
        try:
            attempt(channel)
            # A refusal of what waits for no answer comes with the next answer.
            channel.confirm_select()
        except AccessRefused:
            return True
    return False


def test_the_story(running: Platform, endpoint: story.Verified) -> None:
    story.test_the_story(running, endpoint)


def test_it_reads_and_writes_its_own_database(running: Platform) -> None:
    for service in SERVICES:
        with database_as(service, running, service) as own:
            own["probe"].insert_one({"_id": service})
            assert own["probe"].find_one_and_delete({}) == {"_id": service}


@pytest.mark.parametrize(("service", "other"), PAIRS)
def test_it_can_neither_read_nor_write_anothers_database(running: Platform, service: str, other: str) -> None:
    attempts: list[Callable[[Any], object]] = [
        lambda database: database["parked"].find_one({}),
        lambda database: database["parked"].insert_one({}),
        lambda database: database["parked"].drop(),
        lambda database: database.list_collection_names(),
        lambda database: database.watch(),
        lambda database: database.client["local"]["oplog.rs"].find_one({}),
        lambda database: database.client["admin"].command("usersInfo"),
    ]
    with database_as(service, running, other) as foreign:
        for attempt in attempts:
            with pytest.raises(OperationFailure) as refusal:
                attempt(foreign)
            assert refusal.value.code == UNAUTHORIZED


def test_it_reads_its_own_queues(running: Platform) -> None:
    for service in SERVICES:
        for queue in (events_queue(service), dead_queue(service)):
            assert not refused_to(service, running, lambda channel, q=queue: channel.basic_get(q))  # type: ignore[misc]


@pytest.mark.parametrize(("service", "other"), PAIRS)
def test_it_can_neither_read_nor_write_anothers_queues(running: Platform, service: str, other: str) -> None:
    for queue in (events_queue(other), dead_queue(other)):
        for attempt in (
            lambda channel, q=queue: channel.basic_get(q),
            lambda channel, q=queue: channel.basic_consume(q),
            lambda channel, q=queue: channel.queue_purge(q),
            lambda channel, q=queue: channel.queue_delete(q),
            lambda channel, q=queue: channel.basic_publish(amqp.Message(b"{}"), "", q),
        ):
            assert refused_to(service, running, attempt)  # type: ignore[arg-type]


@pytest.mark.parametrize("service", SERVICES)
def test_it_can_make_bind_and_delete_nothing(running: Platform, service: str) -> None:
    own = events_queue(service)
    for attempt in (
        lambda channel: channel.queue_declare("another"),
        lambda channel: channel.queue_bind(own, EXCHANGE, "feedback.given"),
        lambda channel: channel.queue_delete(own),
        lambda channel: channel.exchange_declare("another", "topic"),
        lambda channel: channel.exchange_delete(EXCHANGE),
    ):
        assert refused_to(service, running, attempt)


@pytest.mark.parametrize(
    ("service", "says"),
    [("goals", {"goal.agreed", "to.partners.goal.agreed"}), ("practices", {"to.goals.client.snapshot"})],
)
def test_it_says_its_own_types_and_no_others(running: Platform, service: str, says: set[str]) -> None:
    keys = {
        *says,
        "feedback.given",
        "feedback.given.goal.agreed",
        "to.goals.goal.agreedx",
        "to..goal.agreed",
        "x",
    }

    def publish(key: str) -> Callable[[amqp.Channel], object]:
        # Whatever comes to be heard is no event, and parked.
        return lambda channel: channel.basic_publish(amqp.Message(b"{}"), EXCHANGE, key)

    assert {key for key in keys if not refused_to(service, running, publish(key))} == says


def test_who_says_nothing_may_write_nowhere(running: Platform) -> None:
    for service in ("notifications", "partners"):
        assert refused_to(
            service, running, lambda channel: channel.basic_publish(amqp.Message(b"{}"), EXCHANGE, "x")
        )
