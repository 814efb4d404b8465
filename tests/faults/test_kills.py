"""Processes killed at random, and all of them restarted in turn, under load."""

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from scripts import parts, processes
from tests.faults.conftest import LONG
from tests.faults.judge import Row, judge
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.platform import Platform

KILLS = 300 if LONG else 30
ROUNDS = 10


def test_any_process_is_killed_at_random(platform: Platform, ledger: Ledger, row: Row) -> None:
    """Parents and children alike, so that whole parts die as well as what a parent starts again."""
    chance = random.Random(seed := random.randrange(10**6))
    row.times = KILLS
    row.also.append(f"seed {seed}")

    with Load(platform, "random", ledger) as load:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.5, 1.5))
            part = chance.choice(list(parts.parts()))
            with suppress(ProcessLookupError, IndexError):
                os.kill(chance.choice(platform.tree(part.name)), signal.SIGKILL)

        judge(platform, load, row)


def test_a_rolling_restart_of_everything(platform: Platform, ledger: Ledger, row: Row) -> None:
    """No request fails, and each process ends within its grace."""
    row.times = ROUNDS
    restart = {part.name: platform.roll if part.kind == "web" else platform.restart for part in parts.parts()}
    slowest = 0.0

    with Load(platform, "rolling", ledger) as load, ThreadPoolExecutor(3) as pool:
        for _ in range(ROUNDS):
            ends = [pool.submit(work, name) for name, work in restart.items()]
            slowest = max(slowest, *(end.result() for end in ends))

        judge(platform, load, row)

    row.also.append(f"slowest end {slowest:.1f} s")
    assert slowest < processes.GRACE
    assert not [status for status in load.answers if status >= 500]
