"""Frames that go out together, and none that stays behind."""

from typing import Any

import pytest

from shared.messaging import link
from shared.messaging.link import _Outgoing, linked
from shared.messaging.publisher import Publisher
from tests.shared.messaging.rooms import Room


class Transport:
    """What py-amqp writes to; notes what went out at once."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def _write(self, frames: Any) -> None:
        self.sent.append(bytes(frames))


def test_frames_are_gathered_only_between_asking_for_it_and_sending_them() -> None:
    wire = Transport()
    out = _Outgoing(wire)

    wire._write(b"1")
    out.gathering = True
    wire._write(b"2")
    wire._write(b"3")
    before = list(wire.sent)
    out.flush()
    wire._write(b"4")

    assert before == [b"1"]
    assert wire.sent == [b"1", b"23", b"4"]


def test_enough_frames_go_out_by_themselves() -> None:
    wire = Transport()
    _Outgoing(wire).gathering = True

    for _ in range(5):
        wire._write(bytes(link._TOGETHER // 4))

    assert [len(piece) for piece in wire.sent] == [link._TOGETHER]


def test_what_was_gathered_goes_out_before_the_link_is_closed(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No heartbeat shall send it.
    monkeypatch.setattr(link, "HEARTBEAT", 60)
    room.declare("goal.agreed")

    with linked(room.amqp_url, "test") as opened:
        Publisher(opened, room.exchange).publish(("goal", "p"), "1", "goal.agreed", room.event())

    assert len(room.delivered(1)) == 1


def test_nothing_follows_what_could_not_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the broker counts one message less than we do, and its confirms are taken for others'."""
    wire = Transport()
    send, full = wire._write, [True]

    def stuck_once(frames: Any) -> None:
        if full.pop():
            raise TimeoutError
        send(frames)

    monkeypatch.setattr(wire, "_write", stuck_once)
    full.insert(0, False)
    out = _Outgoing(wire)
    out.gathering = True
    wire._write(b"1")

    with pytest.raises(TimeoutError):
        out.flush()  # the heartbeat, on its own thread
    with pytest.raises(ConnectionError):
        wire._write(b"2")

    assert wire.sent == []
