"""One process answers for another; what a process that died left half-done is never taken for an answer."""

import os
import signal
import time

from shared.report import Report


def fork_answering(report: Report, text: bytes) -> int:
    pid = os.fork()
    if pid == 0:
        report.answer(lambda: text)
        time.sleep(60)
        os._exit(0)
    return pid


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_the_next_process_answers_after_one_that_died() -> None:
    report = Report()
    first = fork_answering(report, b"first")
    assert report.ask() == b"first"
    end(first)

    assert report.ask() is None

    second = fork_answering(report, b"second")
    try:
        # It meets the question of the dead one's time first, whose answer nobody waits for any more.
        assert report.ask() == b"second"
        assert report.ask() == b"second"
    finally:
        end(second)
