"""A parent that does nothing but keep its children alive.

Of a worker's two, one consumes; the other, the keeper, runs the relay and the timers, so that a handler
that kills its process stops neither. A sender has one. The parent has no threads, which makes forking again
safe at any time, and the children share what it imported, which keeps the memory of all near that of one.
"""

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

GRACE = 25.0
"""Seconds that children get to finish what they are doing."""
_PAUSES = (0.0, 0.2, 0.5, 1.0, 2.0)
_STEADY_AFTER = 30.0
_WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}

Work = Callable[[threading.Event], None]


@dataclass
class _Child:
    name: str
    work: Work
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    due: float = field(default=0.0)


def supervise(works: dict[str, Work]) -> None:
    """Run each work in a child of its own, start again what dies, until SIGTERM or SIGINT."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    _await_single_thread()
    children = [_Child(name, work) for name, work in works.items()]
    # Frozen, or a collection in a child would touch, and so copy, every page it shares with the parent.
    gc.collect()
    gc.freeze()
    lifeline = os.pipe()
    while True:
        for child in children:
            if not child.pid and time.monotonic() >= child.due:
                _start(child, lifeline)
        waiting = [child.due for child in children if not child.pid]
        pause = max(0.0, min(waiting) - time.monotonic()) if waiting else 3_600.0
        received = signal.sigtimedwait(_WATCHED, pause)
        if received and received.si_signo != signal.SIGCHLD:
            _end(children)
            return
        _reap(children)


def _await_single_thread() -> None:
    """Threads of connections that were closed end a moment later; a fork must not copy their locks."""
    deadline = time.monotonic() + 5.0
    while threading.active_count() > 1 and time.monotonic() < deadline:
        time.sleep(0.01)


def _start(child: _Child, lifeline: tuple[int, int]) -> None:
    child.started = time.monotonic()
    child.pid = os.fork()
    if child.pid == 0:
        code = 1
        try:
            _run(child, lifeline)
            code = 0
        except BaseException:
            log.exception("Part failed", extra={"child": child.name})
        finally:
            os._exit(code)
    log.info("Part started", extra={"child": child.name, "pid": child.pid})


def _run(child: _Child, lifeline: tuple[int, int]) -> None:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
    os.close(lifeline[1])
    threading.Thread(target=_follow_parent, args=(lifeline[0], stopping), daemon=True).start()
    child.work(stopping)


def _follow_parent(lifeline: int, stopping: threading.Event) -> None:
    """The parent alone holds the pipe's other end: when it is gone, reading ends, and so does the child."""
    os.read(lifeline, 1)
    stopping.set()
    # As the parent would: until it ends, its port is taken and its leases are held.
    time.sleep(GRACE)
    os._exit(1)


def _reap(children: list[_Child]) -> None:
    for child in children:
        if not child.pid or os.waitpid(child.pid, os.WNOHANG)[0] == 0:
            continue
        lived = time.monotonic() - child.started
        child.failures = 0 if lived > _STEADY_AFTER else child.failures + 1
        child.due = time.monotonic() + _PAUSES[min(child.failures, len(_PAUSES) - 1)]
        log.warning("Part ended, starting it again", extra={"child": child.name, "pid": child.pid})
        child.pid = 0


def _end(children: list[_Child]) -> None:
    for child in children:
        if child.pid:
            os.kill(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while any(child.pid for child in children) and time.monotonic() < deadline:
        signal.sigtimedwait({signal.SIGCHLD}, 0.5)
        for child in children:
            if child.pid and os.waitpid(child.pid, os.WNOHANG)[0]:
                child.pid = 0
    for child in children:
        if child.pid:
            log.error("Part did not end in time, killing it", extra={"child": child.name})
            os.kill(child.pid, signal.SIGKILL)
