"""People who write letters through the product's own store, and the judgement of what became of them."""

import itertools
import threading
import time
from typing import Any

from scripts.waiting import until
from shared.ids import new_id
from shared.store.aggregates import OutboxFull, StaleVersion
from shared.store.client import StoreUnavailable
from tests.faults.judge import Row, drain
from tests.faults.ledger import Ledger
from tests.faults.toy.app import Letter, Written
from tests.faults.toy.running import DEAD, Toy

THREADS = 8
RATE = 100.0
LETTERS_EACH = 10
UNACKED = 10.0


class Writers:
    """Threads that save so many entries a second; one whose outcome they do not learn is not tried again."""

    def __init__(self, toy: Toy, ledger: Ledger, rate: float = RATE) -> None:
        self._toy, self._ledger = toy, ledger
        self._every = THREADS / rate
        self._stopping = threading.Event()
        self._failed: list[BaseException] = []
        self._threads = [threading.Thread(target=self._guarded, args=(one,)) for one in range(THREADS)]

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        assert not self._failed, self._failed

    def _guarded(self, number: int) -> None:
        try:
            self._work(number)
        except BaseException as error:  # noqa: BLE001 - told by stop, in the thread of the test
            self._failed.append(error)

    def _work(self, number: int) -> None:
        letters: dict[str, Any] = {new_id(): None for _ in range(LETTERS_EACH)}
        at = time.monotonic() + self._every * number / THREADS
        for count, id in enumerate(itertools.cycle(letters)):
            if self._stopping.wait(max(0.0, at - time.monotonic())):
                return
            # Who was held up does not hurry afterwards.
            at = max(at + self._every, time.monotonic())
            letters[id] = self._write(letters[id], id, f"{number}-{count}")

    def _write(self, letter: Letter | None, id: str, entry: str) -> Letter | None:
        """Save one line more; the letter as it is now, or None where that has to be looked up."""
        store = self._toy.letters
        self._ledger.attempted(entry)
        try:
            if letter is None:
                letter = store.find(Letter.practice_id, id)
            if letter is None:
                letter, _ = store.add(Letter(id).say(Written(entry)))
            else:
                letter = store.save(letter.say(Written(entry)))
        except (StoreUnavailable, StaleVersion, OutboxFull):
            return None
        self._ledger.acknowledged(entry)
        return letter


def judge(toy: Toy, ledger: Ledger, row: Row, ended: float) -> None:
    """Wait for the backlog to drain since the fault's end, and fail unless all is well."""
    left = {
        "outbox": toy.pending,
        "queue": toy.ready,
        "dead": lambda: toy.ready(DEAD),
        "parked": lambda: len(toy.parked()),
    }
    _, row.left = drain(ended, left)
    # What a consumer has and has not acked is in no queue that can be seen; what is not there then is lost.
    until({"effects": lambda: ledger.open(toy.entries()) == 0}, UNACKED)
    row.drained = time.monotonic() - ended
    row.verdicts = {"effects": ledger.judge(toy.entries())}
    row.parked = len(toy.parked())
    row.holds()
