import threading
import time
from collections import Counter
from typing import Any

import pytest

from shared.correlation import causation_id, correlation_id
from shared.messaging import link
from shared.messaging.consumer import Consumer
from shared.messaging.crashes import Crashes, new_run
from shared.messaging.envelope import digest
from shared.messaging.handling import Handling, Work
from shared.messaging.subscriber import Subscriber
from shared.store.operations import create, project
from tests.faults.proxy import Proxy
from tests.shared.messaging.rooms import PRACTICE, GoalSchema, Room, eventually, running, telling


def events(room: Room, count: int, **rest: Any) -> tuple[list[bytes], set[str]]:
    ids = [f"goal-{number}" for number in range(count)]
    return [room.event(subject=id, **rest) for id in ids], set(ids)


def left(room: Room) -> list[Any]:
    return room.parked.list(state="left")


def test_every_event_takes_effect_once_and_is_acked(room: Room) -> None:
    consumer = room.consumer(telling(room.service))
    bodies, ids = events(room, 1000)
    room.publish(*bodies, *bodies[:300])

    with running(consumer):
        eventually(lambda: room.notes() == ids)
        eventually(lambda: room.ready() == 0)

    assert room.database["notes"].count_documents({}) == 1000
    assert room.ready() == 0
    assert room.parked.list() == []


def test_an_event_that_leads_to_nothing_is_handled(room: Room) -> None:
    subscriber = Subscriber(room.service)
    seen = threading.Event()

    @subscriber.on("goal.agreed", GoalSchema, source="goals")
    def ignore(event: Any) -> None:
        seen.set()

    consumer = room.consumer(subscriber)
    room.publish(room.event())

    with running(consumer):
        assert seen.wait(10)

    assert room.ready() == 0
    assert room.parked.list() == []


def test_a_handler_runs_in_the_correlation_of_its_event(room: Room) -> None:
    subscriber = Subscriber(room.service)
    seen: list[Any] = []

    @subscriber.on("goal.agreed", GoalSchema, source="goals")
    def look(event: Any) -> None:
        seen.append((correlation_id(), causation_id(), event.id, event.scope))

    consumer = room.consumer(subscriber)
    room.publish(room.event(correlationid="request-1"))

    with running(consumer):
        eventually(lambda: seen)

    assert seen == [("request-1", seen[0][2], seen[0][2], f"{room.service}.look")]


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda room: b"{not json", "Undecodable"),
        (lambda room: b"\xff\x00", "Undecodable"),
        (lambda room: room.event("goal.unheard_of"), "UnknownType"),
        (lambda room: room.event(service="partners"), "WrongSource"),
        (lambda room: room.event(data={"goal_id": {"secret": "words"}}), "ValidationError: goal_id"),
    ],
)
def test_what_can_never_be_handled_is_left_for_a_person(room: Room, spoil: Any, error: str) -> None:
    consumer = room.consumer(telling(room.service))
    bodies, ids = events(room, 20)
    spoilt = spoil(room)
    room.publish(*bodies[:10], spoilt, *bodies[10:])

    with running(consumer):
        eventually(lambda: room.notes() == ids)
        (parked,) = eventually(lambda: left(room))

    assert parked["error"].startswith(error)
    assert "words" not in parked["error"]
    assert room.parked.show(parked["_id"])["raw"] == spoilt
    assert room.ready() == 0


def test_what_is_too_large_for_an_event_is_parked_in_part_and_holds_up_nobody(room: Room) -> None:
    consumer = room.consumer(telling(room.service))
    bodies, ids = events(room, 20)
    huge = [b"%d" % number + b" " * 17_000_000 for number in range(2)]
    room.publish(*bodies[:10], *huge, *bodies[10:])

    with running(consumer):
        eventually(lambda: room.notes() == ids)
        parked = eventually(lambda: len(left(room)) == 2 and left(room))

    assert {one["error"].partition(":")[0] for one in parked} == {"Undecodable"}
    for one in parked:
        raw = room.parked.show(one["_id"])["raw"]
        assert raw.startswith(b"17000001 bytes with the SHA-256 ")
        assert len(raw) < 1_000


def test_an_event_that_fails_is_parked_alone_and_handled_when_it_can_be(room: Room) -> None:
    subscriber = Subscriber(room.service)
    mended = threading.Event()

    @subscriber.on("goal.agreed", GoalSchema, source="goals")
    def tell(event: Any) -> Any:
        if event.data["goal_id"] == "goal-7" and not mended.is_set():
            raise OSError("what a person wrote")
        yield create("notes", event.id, {"goal_id": event.data["goal_id"]})

    consumer = room.consumer(subscriber)
    bodies, ids = events(room, 20)
    room.publish(*bodies)

    with running(consumer):
        eventually(lambda: room.notes() == ids - {"goal-7"})
        (parked,) = eventually(lambda: room.parked.list(state="retrying"))
        eventually(lambda: room.parked.show(parked["_id"])["attempts"] >= 2)
        mended.set()
        eventually(lambda: room.notes() == ids)
        eventually(lambda: room.parked.list() == [])

    assert parked["error"].startswith("OSError")
    assert "person" not in parked["error"]


def test_an_operation_that_cannot_be_written_fails_its_event_alone(room: Room) -> None:
    subscriber = Subscriber(room.service)

    @subscriber.on("goal.agreed", GoalSchema, source="goals")
    def tell(event: Any) -> Any:
        odd = {1, 2} if event.data["goal_id"] == "goal-3" else 1
        yield create("notes", event.id, {"goal_id": event.data["goal_id"], "odd": odd})

    consumer = room.consumer(subscriber)
    bodies, ids = events(room, 10)
    room.publish(*bodies)

    with running(consumer):
        eventually(lambda: room.notes() == ids - {"goal-3"})
        (parked,) = eventually(lambda: room.parked.list())

    assert parked["error"].startswith("InvalidDocument")


def test_a_collection_is_not_written_in_two_ways(room: Room) -> None:
    subscriber = Subscriber(room.service)

    @subscriber.on("goal.agreed", GoalSchema, source="goals")
    def tell(event: Any) -> Any:
        yield project("notes", event.id, {"goal_id": event.data["goal_id"]})

    consumer = room.consumer(subscriber)
    room.publish(room.event())

    with running(consumer):
        (parked,) = eventually(lambda: room.parked.list())

    assert parked["error"].startswith("KindsMixed")
    assert room.database["notes"].count_documents({}) == 0


def early_subscriber(service: str, database: Any) -> Subscriber:
    subscriber = Subscriber(service)

    def member(event: Any) -> list[tuple[str, str]]:
        return [("members", f"member of {event.subject}")]

    @subscriber.on("member.joined", GoalSchema, source="practices")
    def know(event: Any) -> Any:
        yield project("members", f"member of {event.subject}", {"name": "A"})

    @subscriber.on("goal.agreed", GoalSchema, source="goals", after=member)
    def tell(event: Any) -> Any:
        assert database["members"].find_one({"_id": f"member of {event.subject}"})
        yield create("notes", event.id, {"goal_id": event.data["goal_id"]})

    return subscriber


def joined(room: Room, subject: str) -> bytes:
    return room.event("member.joined", service="practices", subject=subject)


def test_an_early_event_waits_and_is_handled_soon_after_what_it_waits_for(room: Room) -> None:
    consumer = room.consumer(early_subscriber(room.service, room.database))
    bodies, ids = events(room, 30)
    room.publish(*bodies)

    with running(consumer):
        eventually(lambda: len(room.parked.list(state="early")) == 30)
        parked = room.parked.list()[0]
        room.database["parked"].update_many({}, {"$set": {"next_at": parked["parked_at"].replace(year=2100)}})
        started = time.monotonic()
        room.publish(*[joined(room, id) for id in ids])
        eventually(lambda: room.notes() == ids)
        took = time.monotonic() - started
        eventually(lambda: room.parked.list() == [])

    assert parked["attempts"] == 0
    assert parked["waits_for"] == [f"members/member of {parked['subject']}"]
    assert took < 1


def test_an_early_event_is_found_without_a_wake_up_too(room: Room) -> None:
    consumer = room.consumer(early_subscriber(room.service, room.database))
    room.publish(room.event(subject="goal-1"))

    with running(consumer):
        eventually(lambda: room.parked.list(state="early"))
        room.database["members"].insert_one({"_id": "member of goal-1", "practice_id": PRACTICE})
        eventually(lambda: room.notes() == {"goal-1"}, seconds=3)


def test_what_an_event_waits_for_may_come_in_the_same_batch(room: Room) -> None:
    handling = Handling(early_subscriber(room.service, room.database), room.database)
    bodies, ids = events(room, 50)
    works = [Work(body) for body in (*bodies, *[joined(room, id) for id in ids])]

    handling.run(works)

    assert all(work.done for work in works)
    assert room.notes() == ids


def test_bodies_stay_bytes_whatever_encoding_a_sender_claims(room: Room) -> None:
    consumer = room.consumer(telling(room.service))
    with link.linked(room.amqp_url, "test") as sender:
        message = link.amqp.Message(b"\xe9", content_encoding="latin-1")
        sender.channel().basic_publish(message, "", f"{room.service}.events")

    with running(consumer):
        (parked,) = eventually(lambda: left(room))

    assert room.parked.show(parked["_id"])["raw"] == b"\xe9"


def test_a_lost_connection_is_opened_again_and_old_tags_are_forgotten(room: Room, proxy: Proxy) -> None:
    subscriber = Subscriber(room.service)
    runs: Counter[str] = Counter()

    @subscriber.on("goal.agreed", GoalSchema, source="goals")
    def tell(event: Any) -> Any:
        runs[event.subject] += 1
        if sum(runs.values()) in (5, 40):
            proxy.cut()
        yield create("notes", event.id, {"goal_id": event.data["goal_id"]})

    consumer = room.consumer(subscriber, proxy.url)
    bodies, ids = events(room, 100)
    room.publish(*bodies)

    with running(consumer):
        eventually(lambda: room.notes() == ids)
        eventually(lambda: room.ready() == 0 and proxy.connections >= 2)

    assert room.database["notes"].count_documents({}) == 100
    assert room.parked.list() == []
    assert room.database["crashes"].count_documents({}) == 0


def test_a_slow_handler_does_not_cost_the_connection(
    room: Room, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "HEARTBEAT", 1)
    subscriber = Subscriber(room.service)
    runs: list[str] = []

    @subscriber.on("goal.agreed", GoalSchema, source="goals")
    def tell(event: Any) -> Any:
        runs.append(event.id)
        # Three heartbeats and more: the broker would have closed the connection.
        threading.Event().wait(4)
        yield create("notes", event.id, {"goal_id": event.data["goal_id"]})

    consumer = room.consumer(subscriber, proxy.url)
    room.publish(room.event())

    with running(consumer):
        eventually(lambda: room.notes() == {"goal-1"})

    assert len(runs) == 1
    assert proxy.connections == 1
    assert room.ready() == 0


def test_stopping_finishes_what_was_delivered_and_sends_nothing_back(room: Room) -> None:
    subscriber = Subscriber(room.service)
    gate = threading.Event()

    @subscriber.on("goal.agreed", GoalSchema, source="goals")
    def tell(event: Any) -> Any:
        gate.wait(10)
        yield create("notes", event.id, {"goal_id": event.data["goal_id"]})

    consumer = room.consumer(subscriber)
    bodies, ids = events(room, 350)
    room.publish(*bodies)

    with running(consumer) as stopping:
        # All of them are with the consumer before it is told to stop.
        eventually(lambda: room.ready() == 0)
        stopping.set()
        gate.set()

    assert room.notes() == ids
    assert room.ready() == 0


def test_redelivered_messages_are_handled_and_what_was_noted_of_them_is_taken_back(room: Room) -> None:
    consumer = room.consumer(telling(room.service))
    bodies, ids = events(room, 50)
    room.publish(*bodies)
    with link.linked(room.amqp_url, "test") as held:
        channel = held.channel()
        for _ in bodies:
            eventually(lambda: channel.basic_get(f"{room.service}.events"))

    with running(consumer):
        eventually(lambda: room.notes() == ids)

    assert room.ready() == 0
    assert room.database["crashes"].count_documents({}) == 0


def test_what_was_delivered_too_often_is_parked_and_tried_again(room: Room) -> None:
    consumer = room.consumer(telling(room.service))
    with link.linked(room.amqp_url, "test") as held:
        message = link.amqp.Message(room.event(), delivery_mode=2)
        held.channel().basic_publish(message, "", f"{room.service}.dead")

    with running(consumer):
        eventually(lambda: room.notes() == {"goal-1"})
        eventually(lambda: room.parked.list() == [])

    assert room.ready(f"{room.service}.dead") == 0


def test_three_deaths_of_its_own_leave_a_message_for_a_person(room: Room) -> None:
    consumer = room.consumer(telling(room.service))
    body = room.event()
    room.database["crashes"].insert_one({"_id": digest(body), "count": 3, "run": "before"})
    room.publish(body)
    with link.linked(room.amqp_url, "test") as held:
        channel = held.channel()
        eventually(lambda: channel.basic_get(f"{room.service}.events"))

    with running(consumer):
        (parked,) = eventually(lambda: left(room))

    assert parked["error"].startswith("Crashed")
    assert room.notes() == set()
    assert room.database["crashes"].count_documents({}) == 0


class Frozen:
    """A database that is away until it is told to come back."""

    def __init__(self, consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.away = True
        self.asked = 0
        run = consumer._handling.run

        def handle(*arguments: Any) -> Any:
            if self.away:
                from pymongo.errors import ServerSelectionTimeoutError

                self.asked += 1
                raise ServerSelectionTimeoutError("away")
            return run(*arguments)

        monkeypatch.setattr(consumer._handling, "run", handle)


def test_while_the_database_is_away_the_batch_is_held(
    room: Room, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = room.consumer(telling(room.service), proxy.url)
    frozen = Frozen(consumer, monkeypatch)
    bodies, ids = events(room, 30)
    room.publish(*bodies)

    with running(consumer):
        eventually(lambda: frozen.asked > 2)
        frozen.away = False
        eventually(lambda: room.notes() == ids)

    assert proxy.connections == 1
    assert room.ready() == 0
    assert room.parked.list() == []


def test_runs_within_a_second_count_as_one(room: Room) -> None:
    crashes = Crashes(room.database)

    first = crashes.begin("message", new_run())
    again = crashes.begin("message", run := new_run())

    assert first == 0
    assert again is None
    assert eventually(lambda: crashes.begin("message", run)) == 1
    assert crashes.begin("message", run) == 1


def test_a_death_among_many_blames_the_one_that_was_being_handled(room: Room) -> None:
    crashes, run = Crashes(room.database), new_run()
    bodies = [b"one", b"two", b"three"]
    crashes.begin_together(list(map(digest, bodies)), run)

    crashes.step(run, bodies[1])
    crashes.acquit()

    assert [*room.database["crashes"].find({}, {"count": 1})] == [{"_id": digest(b"two"), "count": 1}]
    assert crashes.begin(digest(b"two"), new_run()) == 1


def test_a_death_among_many_that_waited_for_the_database_blames_nobody(room: Room) -> None:
    crashes, run = Crashes(room.database), new_run()
    bodies = [b"one", b"two", b"three"]
    crashes.begin_together(list(map(digest, bodies)), run)

    crashes.step(run, bodies[1])
    crashes.step(run, None)
    crashes.acquit()

    assert room.database["crashes"].count_documents({}) == 0


def test_a_death_of_all_processes_among_many_counts_against_none_but_each_is_alone_next(room: Room) -> None:
    crashes, keys = Crashes(room.database), ["one", "two"]
    crashes.begin_together(keys, new_run())
    crashes.waiting("")

    assert crashes.noted([*keys, "three"]) == set(keys)
    assert crashes.begin("one", new_run()) == 0


def test_a_death_while_waiting_for_the_database_is_taken_back(room: Room) -> None:
    crashes, run = Crashes(room.database), new_run()
    crashes.begin("message", run)

    crashes.step(run, b"message")
    crashes.acquit()
    blamed = room.database["crashes"].find_one()["count"]
    crashes.waiting(run)
    crashes.acquit()

    assert blamed == 1
    assert room.database["crashes"].find_one()["count"] == 0


@pytest.mark.parametrize("properties", [{}, {"content_encoding": "utf-8"}, {"content_encoding": "no-such"}])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe"])
def test_whatever_the_bytes_and_their_headers_one_message_is_parked_and_the_next_handled(
    room: Room, body: bytes, properties: dict[str, str]
) -> None:
    consumer = room.consumer(telling(room.service))
    good, ids = events(room, 1)
    with link.linked(room.amqp_url, "test") as held:
        channel = held.channel()
        for queue in ("events", "dead"):
            message = link.amqp.Message(body, delivery_mode=2, **properties)
            channel.basic_publish(message, "", f"{room.service}.{queue}")
    room.publish(*good)

    with running(consumer):
        eventually(lambda: room.notes() == ids)
        eventually(lambda: [one["state"] for one in room.parked.list()] == ["left"])

    assert room.ready() == 0


def test_an_outage_of_days_still_has_a_next_try() -> None:
    outage = link.Outage("Broker")

    pauses = [outage.met(OSError()) for _ in range(3_000)]

    assert max(pauses) <= 5.0
