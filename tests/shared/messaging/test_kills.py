"""What survives SIGKILL, judged from outside by what was said and what became of it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.queries.hooks import WATCH
from tests.shared.messaging.rooms import GoalAgreed, Room, eventually


@pytest.fixture
def start(room: Room, mongo_url: str, tmp_path: Path) -> Any:
    WATCH.follow(room.database.name)

    @contextmanager
    def starting(part: str) -> Iterator[psutil.Process]:
        about = [
            part,
            mongo_url,
            room.database.name,
            room.amqp_url,
            room.service,
            room.exchange,
            str(tmp_path),
        ]
        command = [sys.executable, "-m", "tests.shared.messaging.processes", *about]
        with subprocess.Popen(command) as parent:
            try:
                yield psutil.Process(parent.pid)
                parent.terminate()
                assert parent.wait(20) == 0
            finally:
                parent.kill()

    return starting


def kill_child(parent: psutil.Process) -> None:
    child = eventually(parent.children)[0]
    child.kill()
    eventually(lambda: [other for other in parent.children() if other.pid != child.pid])


def test_a_relay_that_is_killed_loses_nothing(room: Room, start: Any) -> None:
    room.declare("goal.agreed")
    ids = room.add_goals(2500, GoalAgreed)

    with start("relay") as parent:
        for left in (2400, 1000):
            eventually(lambda left=left: room.pending() <= left)
            kill_child(parent)
        eventually(lambda: room.pending() == 0)
    events = room.delivered(room.ready())

    assert {event.subject for event in events} == set(ids)


def test_a_consumer_that_is_killed_loses_nothing_and_repeats_no_effect(room: Room, start: Any) -> None:
    room.declare("goal.agreed")
    ids = {f"goal-{number}" for number in range(3000)}
    room.publish(*[room.event(subject=id) for id in ids])

    with start("consumer") as parent:
        for handled in (1, 1500):
            eventually(lambda n=handled: room.database["notes"].count_documents({}) >= n)
            kill_child(parent)
        eventually(lambda: room.notes() == ids)
        eventually(lambda: room.ready() == 0)

    assert room.database["notes"].count_documents({}) == 3000
    assert room.parked.list() == []
    assert room.database["crashes"].count_documents({}) == 0


def test_a_message_that_kills_is_parked_after_three_deaths_and_no_innocent_is(room: Room, start: Any) -> None:
    room.declare("goal.agreed")
    ids = {f"goal-{number}" for number in range(300)}
    bodies = [room.event(subject=id) for id in ids]
    room.publish(*bodies[:150], room.event(id="killer", subject="poison"), *bodies[150:])

    with start("consumer"):
        (parked,) = eventually(lambda: room.parked.list())
        eventually(lambda: room.notes() == ids)
        eventually(lambda: room.ready() == 0)
        # A person who has it tried again gets it back, and the worker lives on.
        room.parked.retry(["killer"])
        eventually(lambda: room.parked.list(state="left"))

    assert (parked["_id"], parked["state"]) == ("killer", "left")
    assert "3 times" in parked["error"]
    assert len(room.parked.list()) == 1


def test_kills_from_outside_while_the_database_is_slow_blame_nobody(
    room: Room, start: Any, tmp_path: Path
) -> None:
    room.declare("goal.agreed")
    ids = {f"goal-{number}" for number in range(50)}
    room.publish(*[room.event(subject=id) for id in ids])
    (tmp_path / "stall").touch()

    with start("consumer") as parent:
        for _ in range(5):
            child = int(
                eventually(lambda: (tmp_path / "stalled").exists() and (tmp_path / "stalled").read_text())
            )
            assert child == parent.children()[0].pid
            kill_child(parent)
            (tmp_path / "stalled").unlink()
        (tmp_path / "stall").unlink()
        eventually(lambda: room.notes() == ids)
        eventually(lambda: room.database["crashes"].count_documents({}) == 0)

    assert room.parked.list() == []
