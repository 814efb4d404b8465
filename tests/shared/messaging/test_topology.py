import pytest

from shared.messaging import topology
from shared.messaging.link import linked
from shared.store.indexes import NotPrepared
from tests.shared.messaging.rooms import Room


def test_declaring_again_changes_nothing(room: Room) -> None:
    room.declare("goal.agreed")

    room.declare("goal.agreed", "goal.moved")

    topology.require_declared(room.amqp_url, room.service, ["goal.agreed"], room.exchange)


def test_what_is_not_declared_is_told_in_a_sentence(room: Room) -> None:
    with pytest.raises(NotPrepared, match="run `python -m services"):
        topology.require_declared(room.amqp_url, room.service, ["goal.agreed"], room.exchange)


def test_a_queue_with_other_arguments_is_told_in_a_sentence(room: Room) -> None:
    with linked(room.amqp_url, "test") as link:
        link.channel().queue_declare(topology.events_queue(room.service), durable=True, auto_delete=False)

    with pytest.raises(topology.QueueDiffers, match="with other arguments"):
        room.declare("goal.agreed")


def test_a_message_delivered_too_often_goes_to_the_dead_queue(room: Room) -> None:
    room.declare("goal.agreed")
    room.publish(room.event())

    with linked(room.amqp_url, "test") as link:
        channel = link.channel()
        for _ in range(21):
            message = None
            while message is None:
                message = channel.basic_get(topology.events_queue(room.service))
            channel.basic_reject(message.delivery_tag, requeue=True)
        while channel.queue_declare(topology.dead_queue(room.service), passive=True).message_count == 0:
            link.drain(0)

    assert room.ready() == 0
