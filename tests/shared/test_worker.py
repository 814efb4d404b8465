"""Whichever child dies is started again, the other goes on, and nobody outlives the parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAM = """
import os, sys, time
from shared import worker

worker.GRACE = 3.0

def work(name):
    def run(stopping):
        with open(f"{sys.argv[1]}/{name}", "a") as file:
            print(os.getpid(), file=file, flush=True)
            stopping.wait()
            while os.path.exists(f"{sys.argv[1]}/stuck"):
                time.sleep(0.01)
            print("ended", file=file, flush=True)
    return run

worker.supervise({"consumer": work("consumer"), "keeper": work("keeper")})
"""


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Worker:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.stuck = folder / "stuck"
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], cwd=root)
        until(lambda: bool(self.lines("consumer") and self.lines("keeper")))

    def lines(self, name: str) -> list[str]:
        file = self._folder / name
        return file.read_text().split() if file.exists() else []

    def pid(self, name: str) -> int:
        return int([line for line in self.lines(name) if line.isdigit()][-1])


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    started = Worker(tmp_path)
    yield started
    started.process.kill()
    started.process.wait()


def test_a_child_that_is_killed_is_started_again_and_the_other_goes_on(worker: Worker) -> None:
    consumer, keeper = worker.pid("consumer"), worker.pid("keeper")

    for _ in range(3):
        killed = worker.pid("consumer")
        os.kill(killed, signal.SIGKILL)
        until(lambda killed=killed: worker.pid("consumer") != killed)  # type: ignore[misc]

    assert worker.pid("consumer") != consumer
    assert worker.pid("keeper") == keeper
    assert alive(keeper)


def test_sigterm_lets_both_finish(worker: Worker) -> None:
    worker.process.terminate()

    assert worker.process.wait(10) == 0
    assert worker.lines("consumer")[-1] == worker.lines("keeper")[-1] == "ended"


def test_children_do_not_outlive_a_parent_that_is_killed(worker: Worker) -> None:
    worker.process.kill()

    until(lambda: not alive(worker.pid("consumer")) and not alive(worker.pid("keeper")))
    assert worker.lines("keeper")[-1] == "ended"


def test_children_that_are_stuck_outlive_a_killed_parent_by_the_grace_only(worker: Worker) -> None:
    worker.stuck.touch()

    worker.process.kill()

    until(lambda: not alive(worker.pid("consumer")) and not alive(worker.pid("keeper")))
    assert "ended" not in worker.lines("consumer") + worker.lines("keeper")
