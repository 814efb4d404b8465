"""What one worker at a time does again and again: by lease, through outages, until it is to stop."""

import threading
from typing import Any

import pytest

from shared.store.client import StoreUnavailable
from shared.store.lease import Lease
from shared.timer import Timer
from tests.requests import settings_of


class Rounds:
    """Work that is told when its last round is over, and stops the timer by itself."""

    def __init__(self, last: int) -> None:
        self.done, self.last, self.stopping = 0, last, threading.Event()
        self.went_on: list[bool] = []
        self.fails: type[Exception] | None = None

    def __call__(self, database: Any, settings: Any, go_on: Any) -> None:
        self.done += 1
        self.went_on.append(go_on())
        if self.done == self.last:
            self.stopping.set()
        self.went_on.append(go_on())
        if self.fails:
            raise self.fails

    def run(self, database: Any) -> threading.Thread:
        timer = Timer("toy", self, rest=0.01)
        about = (database, settings_of("goals"), "me", self.stopping)
        thread = threading.Thread(target=timer, args=about, daemon=True)
        thread.start()
        return thread


@pytest.mark.parametrize("fails", [None, StoreUnavailable])
def test_rounds_follow_each_other_until_it_is_to_stop_whether_or_not_the_store_answers(
    database: Any, fails: type[Exception] | None
) -> None:
    rounds = Rounds(last=3)
    rounds.fails = fails

    rounds.run(database).join(10)

    assert rounds.done == 3
    assert rounds.went_on == [True, True, True, True, True, False]
    assert Lease(database["leases"], "toy").hold()


def test_nothing_is_done_while_another_worker_does_it(database: Any) -> None:
    rounds, other = Rounds(last=1), Lease(database["leases"], "toy")
    assert other.hold()
    before = []

    class Stopping(threading.Event):
        """At the third rest the other worker ends."""

        rests = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.rests += 1
            if self.rests == 3:
                before.append(rounds.done)
                other.release()
            return super().wait(timeout)

    rounds.stopping = Stopping()
    rounds.run(database).join(10)

    assert (before, rounds.done) == ([0], 1)


def test_what_is_an_error_of_ours_is_not_hidden(database: Any) -> None:
    rounds = Rounds(last=9)
    rounds.fails = KeyError

    with pytest.raises(KeyError):
        Timer("toy", rounds, rest=0.01)(database, settings_of("goals"), "me", rounds.stopping)
