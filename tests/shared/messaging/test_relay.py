import logging
import threading
from collections import Counter
from datetime import timedelta

import pytest

from shared.messaging import publisher, relay
from shared.messaging.link import linked
from shared.messaging.metrics import KEEPING
from shared.messaging.publisher import Publisher
from shared.store.client import StoreUnavailable
from shared.store.lease import Lease
from tests.faults.proxy import Proxy
from tests.figures import Figures
from tests.shared.messaging.rooms import GoalAgreed, GoalMoved, Room, eventually, running


def full_queue(room: Room) -> str:
    """A second queue for the same type that takes one message and refuses the next."""
    name = f"{room.service}.full"
    with linked(room.amqp_url, "test") as link:
        channel = link.channel()
        limits = {"x-max-length": 1, "x-overflow": "reject-publish"}
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=limits)
        channel.queue_bind(name, room.exchange, "goal.agreed")
    return name


def remove(room: Room, queue: str) -> None:
    with linked(room.amqp_url, "test") as link:
        link.channel().queue_delete(queue)


def test_every_recorded_event_is_published_and_then_removed(room: Room) -> None:
    room.declare("goal.agreed")
    ids = room.add_goals(700, GoalAgreed)

    with running(room.relay()):
        events = room.delivered(700)
        eventually(lambda: room.pending() == 0)

    assert {event.subject for event in events} == set(ids)
    assert {event.sequence for event in events} == {1}
    assert all(not goal["outbox"] for goal in room.database["goals"].find())


def test_a_save_wakes_the_relay(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "POLL_EVERY", 60.0)
    room.declare("goal.agreed")

    with running(room.relay()):
        eventually(lambda: room.database["leases"].find_one())

        def saved_and_told() -> bool:
            # Again until the change stream is open, of which nothing can be seen from here.
            room.add_goals(1, GoalAgreed)
            return bool(room.delivered(1, seconds=0.5))

        eventually(saved_and_told)


def test_the_events_of_one_aggregate_are_published_in_order(room: Room) -> None:
    room.declare("goal.agreed")
    ids = room.add_goals(5, *[GoalAgreed] * 150)

    with running(room.relay()):
        events = room.delivered(750)

    for id in ids:
        assert [event.sequence for event in events if event.subject == id] == list(range(1, 151))


def test_an_event_nobody_is_bound_to_waits_and_holds_up_nobody(room: Room) -> None:
    room.declare("goal.agreed")
    lost = room.add_goals(550, GoalMoved)
    fine = room.add_goals(200, GoalAgreed)

    with running(room.relay()):
        events = room.delivered(200)
        assert {event.subject for event in events} == set(fine)
        eventually(lambda: room.pending() == 550)
        room.declare("goal.moved")
        moved = room.delivered(550, seconds=20)
        eventually(lambda: room.pending() == 0)

    assert {event.subject for event in moved} == set(lost)


def test_a_refused_event_keeps_the_later_ones_of_its_aggregate_back(room: Room) -> None:
    room.declare("goal.agreed")
    room.add_goals(1, GoalAgreed, GoalMoved, GoalAgreed)
    before = room.database["goals"].find_one()["due"]

    with running(room.relay()):
        eventually(lambda: room.database["goals"].find_one()["due"] > before + timedelta(milliseconds=1))
        left = [record["sequence"] for record in room.database["goals"].find_one()["outbox"]]
        first = room.delivered(2)
        eventually(lambda: room.database["goals"].find_one()["due"] > before + timedelta(seconds=1))
        room.declare("goal.moved")
        eventually(lambda: room.pending() == 0)
        rest = room.delivered(2)

    assert left == [2, 3]
    # The third was on its way already; it is told again after the second, and not once a try meanwhile.
    assert [event.sequence for event in first] == [1, 3]
    assert [event.sequence for event in rest] == [2, 3]


def test_what_the_broker_refuses_is_told_again_later(room: Room) -> None:
    room.declare("goal.agreed")
    full = full_queue(room)
    room.add_goals(5, GoalAgreed)

    with running(room.relay()):
        eventually(lambda: len(room.delivered(5, seconds=0.3)) >= 4)
        waiting = room.pending()
        remove(room, full)
        eventually(lambda: room.pending() == 0)

    assert waiting >= 4


def test_a_return_is_known_by_its_message_id_and_its_ack_counts_as_a_refusal(room: Room) -> None:
    room.declare("goal.agreed")

    with linked(room.amqp_url, "test") as link:
        confirms = Publisher(link, room.exchange)
        for number in range(1200):
            type = "goal.agreed" if number % 3 else "goal.moved"
            confirms.publish((f"goal-{number}", "p"), f"event-{number}", type, room.event(type))
        confirms.settle()
        outcome = confirms.collect()

    assert set(outcome.refused.values()) == {"returned"}
    assert {key[0] for key in outcome.refused} == {f"goal-{n}" for n in range(0, 1200, 3)}
    assert sum(map(len, outcome.confirmed.values())) == 800


def test_a_channel_that_met_a_nack_is_replaced_by_one_that_works(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "RENEW_AFTER", 0.0)
    room.declare("goal.agreed")
    full = full_queue(room)

    with linked(room.amqp_url, "test") as link:
        first = Publisher(link, room.exchange)
        assert first.trusted() is first
        for number in range(20):
            first.publish((f"goal-{number}", "p"), f"event-{number}", "goal.agreed", room.event())
        first.settle()
        remove(room, full)
        second = first.trusted()
        second.publish(("goal-1", "p"), "event-1", "goal.agreed", room.event())
        second.settle()

    assert set(first.collect().refused.values()) == {"nacked"}
    assert second is not first
    assert second.collect().confirmed == {("goal-1", "p"): ["event-1"]}


def test_nothing_is_told_of_an_aggregate_behind_what_is_open(room: Room) -> None:
    room.declare("goal.agreed")
    goal, other = ("goal", "p"), ("other", "p")

    with linked(room.amqp_url, "test") as link:
        # Not sent before somebody waits, so the broker answers as this test says.
        confirms = Publisher(link, room.exchange)
        for number, key in enumerate((goal, goal, goal, other), start=1):
            confirms.publish(key, f"event-{number}", "goal.agreed", room.event())
        for tag in (1, 3, 4):
            confirms._on_ack(tag, False)
        first = confirms.collect()
        confirms._on_nack(2, False)
        second = confirms.collect()

    assert first.confirmed == {goal: ["event-1"], other: ["event-4"]}
    assert (first.refused, second.refused) == ({}, {goal: "nacked"})
    assert second.confirmed == {}


def test_a_republished_event_goes_to_one_service_only(room: Room) -> None:
    room.declare("goal.agreed")
    other = full_queue(room)
    (id,) = room.add_goals(1, GoalAgreed)
    room.database["goals"].update_one({"_id": id}, {"$set": {"outbox.0.to": room.service}})

    with running(room.relay()):
        events = room.delivered(1)
        eventually(lambda: room.pending() == 0)

    assert [event.subject for event in events] == [id]
    assert room.ready(other) == 0
    remove(room, other)


def test_only_the_holder_of_the_lease_relays(room: Room) -> None:
    room.declare("goal.agreed")
    other = Lease(room.database["leases"], "relay")
    assert other.hold()
    room.add_goals(1, GoalAgreed)

    with running(room.relay()):
        assert room.delivered(1, seconds=1.5) == []
        other.release()
        assert len(room.delivered(1)) == 1

    assert room.database["leases"].find_one() is None


def test_a_relay_that_cannot_renew_its_lease_does_not_say_that_it_holds_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held() -> float:
        return Figures.of(KEEPING)("tandem_relay_lease_held")

    monkeypatch.setattr(relay, "RENEW_EVERY", 0.1)
    lease = Lease(room.database["leases"], "relay", timedelta(seconds=1))

    with running(room.relay(lease=lease)) as stopping:
        eventually(lambda: held() == 1)
        with monkeypatch.context() as away:
            away.setattr(Lease, "hold", lambda _: raises(StoreUnavailable()))
            eventually(lambda: held() == 0)
        eventually(lambda: held() == 1)
        stopping.set()

    assert held() == 0


def raises(error: Exception) -> None:
    raise error


def test_without_a_broker_events_wait_and_one_line_says_so(
    room: Room, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    room.declare("goal.agreed")
    proxy.accepts = False
    caplog.set_level(logging.INFO)
    refused = threading.Event()

    with running(room.relay(proxy.url)) as stopping:
        eventually(lambda: [one for one in caplog.messages if "Broker is away" in one])
        room.add_goals(3, GoalAgreed)
        refused.wait(1)
        proxy.accepts = True
        assert len(room.delivered(3)) == 3
        eventually(lambda: room.pending() == 0)
        stopping.set()

    said = Counter(message for message in caplog.messages if message.startswith("Broker"))
    assert said == {"Broker is away": 1, "Broker is back": 1}


def test_cut_connections_lose_nothing(room: Room, proxy: Proxy) -> None:
    room.declare("goal.agreed")
    ids = room.add_goals(2000, GoalAgreed)

    with running(room.relay(proxy.url)):
        for left in (1500, 500):
            eventually(lambda left=left: room.pending() <= left)
            proxy.cut()
        eventually(lambda: room.pending() == 0)
    events = room.delivered(room.ready())

    assert {event.subject for event in events} == set(ids)
    assert proxy.connections > 1


def test_a_confirm_that_does_not_come_closes_the_connection(
    room: Room, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "CONFIRM_WITHIN", 0.5)
    room.declare("goal.agreed")

    with running(room.relay(proxy.url)):
        eventually(lambda: proxy.connections == 1)
        room.add_goals(1, GoalAgreed)
        eventually(lambda: room.pending() == 0)
        proxy.silence()
        room.add_goals(1, GoalAgreed)
        eventually(lambda: proxy.connections > 1)
        proxy.speak()
        eventually(lambda: room.pending() == 0)

    assert len({event.subject for event in room.delivered(2)}) == 2
