"""Waiting for several things at once, without threads, so that an interrupt ends it at once."""

import time
from collections.abc import Callable, Mapping

from scripts import trouble

PAUSE = 0.05


def until(checks: Mapping[str, Callable[[], bool]], seconds: float, pause: float = PAUSE) -> list[str]:
    """Look at each until it holds; gives the names of those that do not hold in time."""
    deadline = time.monotonic() + seconds
    left = dict(checks)
    while True:
        trouble.heed()
        left = {name: check for name, check in left.items() if not check()}
        if not left or time.monotonic() > deadline:
            return list(left)
        time.sleep(pause)
