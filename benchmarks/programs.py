"""Child programs of a measurement: each in a session of its own, paused and ended by its pid."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scripts import asked
from scripts.place import PROJECT
from scripts.trouble import Trouble

GRACE = 10.0
LIFE = 900
"""Seconds after which a program ends by itself, should whoever started it be gone."""
LOGS = PROJECT / "build" / "bench-logs"


class Late(Trouble):
    """It did not come about in time."""


class Program:
    """One running program with all that it forked, which is the same session."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    def pause(self) -> None:
        """Halt it where it is, so that work can pile up in front of it."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    def require_alive(self) -> None:
        if self._process.poll() is not None:
            raise Late(f"{self._process.args!r} ended with {self._process.returncode}: see {self._log}.")

    def end(self) -> None:
        with suppress(ProcessLookupError):
            self.resume()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        # Our child is not reaped before this, or is just now: the number of its session is still ours.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def program(name: str, *words: str, **settings: str) -> Iterator[Program]:
    """Run `python -m words…` for as long as the block lasts; what it prints goes to build/bench-logs."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            ["/usr/bin/timeout", str(LIFE), sys.executable, "-m", *words],
            cwd=PROJECT,
            env=asked.plain() | settings,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Program(process, log)
    try:
        yield running
    finally:
        running.end()


def until(claim: Callable[[], Any], program: Program, seconds: float, pause: float = 0.02) -> None:
    """Wait for the claim; raises `Late` when it does not come true in time, or the program has ended."""
    deadline = time.monotonic() + seconds
    while not claim():
        program.require_alive()
        if time.monotonic() > deadline:
            raise Late(f"Nothing came of it in {seconds:.0f} s: see {LOGS}.")
        time.sleep(pause)


def rounds(contenders: Sequence[Callable[[], float]], count: int) -> list[list[float]]:
    """What each measured, in turn, so that all meet the same moods of the machine."""
    found: list[list[float]] = [[] for _ in contenders]
    for _ in range(count):
        for values, measure in zip(found, contenders, strict=True):
            values.append(measure())
    return found
