"""Each service is a user of its own on both servers: all works, and one that is taken over sees no other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import permutations
from typing import Any

import amqp
import pytest
from amqp.exceptions import AccessRefused, PreconditionFailed
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from scripts import parts
from shared.clock import now
from shared.ids import new_id
from shared.messaging.envelope import encode
from shared.messaging.link import linked
from shared.messaging.topology import EXCHANGE, dead_queue, events_queue
from tests.journeys import test_a_goal_agreed_is_heard_everywhere as story
from tests.journeys.people import Platform, until

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
def test_it_says_what_is_of_its_own_nouns_and_nothing_else(
    running: Platform, service: str, says: set[str]
) -> None:
    keys = {
        *says,
        "feedback.given",
        "feedback.given.goal.agreed",
        "to.goals.feedback.given",
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


class Forgery:
    """What goals says once somebody took it over: that Daniel is Maya's clinician, as practices would."""

    def __init__(self, running: Platform) -> None:
        self._running, self.id, self.subject = running, new_id(), new_id()
        about = {
            "episode_id": self.subject,
            "client_id": running.id("maya"),
            "clinician_id": running.id("daniel"),
            "started_at": now(),
        }
        record = {"id": self.id, "type": "episode.started", "time": now(), "sequence": 1, "data": about}
        self.body = encode(record, service="practices", subject=self.subject, practice_id=running.practice_id)

    def send(self, key: str, **about: Any) -> None:
        with linked(parts.environment(self._running.place, "goals")["TANDEM_AMQP_URL"], "test") as link:
            channel = link.channel()
            channel.confirm_select()
            channel.basic_publish_confirm(amqp.Message(self.body, **about), EXCHANGE, key)

    def parked(self) -> str:
        """Why feedback would not hear it, as soon as it has come there."""
        url = self._running.place.read()["servers"]["mongo_url"]
        with MongoClient[dict[str, Any]](url, timeoutMS=5000) as client:
            database = client[self._running.databases + "feedback"]
            found = until(lambda: database["parked"].find_one({"_id": self.id}))
            assert not database["episodes"].count_documents({"_id": self.subject})
        return f"{found['state']}, {found['error'].partition(':')[0]}"


@pytest.mark.parametrize(
    ("key", "about"),
    [
        ("to.feedback.goal.agreed", {}),
        ("to.feedback.goal.agreed", {"user_id": "goals"}),
        ("goal.agreed", {"application_headers": {"CC": ["to.feedback.x", "episode.started"]}}),
        ("goal.agreed", {"application_headers": {"BCC": ["to.feedback.x"]}}),
        ("to.feedback.goal.agreed", {"expiration": "0"}),
    ],
)
def test_it_can_say_nothing_in_anothers_name(running: Platform, key: str, about: dict[str, Any]) -> None:
    forgery = Forgery(running)

    forgery.send(key, **about)

    assert forgery.parked() == "left, WrongSender"
    assert running.ask("daniel", "GET", "feedback", f"/clients/{running.id('maya')}/feedback").status == 404


def test_what_was_forged_is_not_believed_when_a_person_tries_it_again(running: Platform) -> None:
    forgery = Forgery(running)
    forgery.send("to.feedback.goal.agreed")
    forgery.parked()

    running.command("feedback", "parked", "retry", forgery.id)

    until(lambda: "retrying" not in forgery.parked())
    assert forgery.parked() == "left, WrongSender"


def test_it_cannot_send_as_another_user(running: Platform) -> None:
    message = amqp.Message(b"{}", user_id="practices")

    with linked(parts.environment(running.place, "goals")["TANDEM_AMQP_URL"], "test") as link:
        channel = link.channel()
        channel.confirm_select()
        with pytest.raises(PreconditionFailed):
            channel.basic_publish_confirm(message, EXCHANGE, "goal.agreed")
