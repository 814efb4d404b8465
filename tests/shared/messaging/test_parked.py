import logging

import pytest

from shared.messaging.envelope import decode, digest
from shared.messaging.handling import Work
from shared.messaging.parked import ATTEMPTS, NotParked
from tests.shared.messaging.rooms import Room, eventually, running, telling


def failed(raw: bytes, hopeless: bool = False) -> Work:
    work = Work(raw)
    work.event = decode(raw)
    work.fail("ValueError in tell, line 1", hopeless)
    return work


def test_what_is_parked_already_is_not_doubled(room: Room) -> None:
    raw = room.event()

    room.parked.park(failed(raw))
    room.parked.park(failed(raw))

    assert len(room.parked.list()) == 1


def test_a_copy_that_another_user_sent_hides_nothing(room: Room) -> None:
    raw = room.event(id="event-1")
    forged, real = failed(raw, hopeless=True), failed(raw)
    forged.sender, real.sender = "partners", "goals"

    for work in (forged, real, forged, real):
        room.parked.park(work)

    assert sorted((one["sender"], one["state"]) for one in room.parked.list()) == [
        ("goals", "retrying"),
        ("partners", "left"),
    ]


def test_another_message_of_the_same_id_hides_nothing(room: Room) -> None:
    forged, real = room.event(id="event-1", service="partners"), room.event(id="event-1")

    room.parked.park(failed(forged, hopeless=True))
    room.parked.park(failed(real))

    assert {one["_id"] for one in room.parked.list()} == {"event-1", digest(real)}


def test_after_the_last_attempt_it_is_left(room: Room) -> None:
    raw = room.event()
    room.parked.park(failed(raw))

    for _ in range(ATTEMPTS - 1):
        (document,) = room.parked.list()
        room.parked.settle([(document, failed(raw))])

    (document,) = room.parked.list(state="left")
    assert document["attempts"] == ATTEMPTS
    assert "next_at" not in document


def test_what_is_due_is_marked_until_its_end_is_known(room: Room) -> None:
    room.parked.park(failed(room.event()))
    (document,) = eventually(lambda: room.parked.due(10))

    assert not document.get("careful")
    assert room.parked.due(10) == []
    assert room.parked.list()[0]["careful"]


def test_a_page_follows_the_last_id_seen(room: Room) -> None:
    for number in range(5):
        room.parked.park(failed(room.event(id=f"event-{number}")))

    first = room.parked.list(limit=2)
    second = room.parked.list(limit=2, after=first[-1]["_id"])

    assert [one["_id"] for one in first + second] == ["event-0", "event-1", "event-2", "event-3"]
    assert "raw" not in first[0]


def test_a_person_can_have_it_tried_again(room: Room) -> None:
    consumer = room.consumer(telling(room.service))
    room.parked.park(failed(room.event(id="event-1"), hopeless=True))
    assert [room.parked.count(state) for state in ("retrying", "early", "left")] == [0, 0, 1]

    with running(consumer):
        assert room.parked.retry(["event-1"]) == 1
        eventually(lambda: room.notes() == {"goal-1"})
        eventually(lambda: room.parked.list() == [])


def test_a_person_can_skip_it_and_the_log_keeps_which(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    room.parked.park(failed(room.event(id="event-1"), hopeless=True))

    room.parked.skip("event-1")

    assert room.parked.list() == []
    assert "Parked event skipped" in caplog.messages
    with pytest.raises(NotParked):
        room.parked.skip("event-1")
