"""make mistakes: make each of the mistakes of the table, and fail where the tests do not see one of them."""

import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TypeVar

from rich.markup import escape

from scripts import trouble
from scripts.mistakes.table import MISTAKES
from scripts.mistakes.trying import CAUGHT, MISSED, Copy, Mistake, Outcome, require_fit
from scripts.place import PROJECT
from scripts.servers import temporary
from scripts.telling import console, line, step
from scripts.trouble import Trouble

T = TypeVar("T")
FOLDER = PROJECT / "build" / "mistakes"
AT_ONCE = 2
"""Each run keeps about one processor busy."""


def main() -> int:
    asked = " ".join(sys.argv[1:])
    chosen = [one for one in MISTAKES if asked in one.what]
    if not chosen:
        raise Trouble(f"No mistake is called “{asked}”: see scripts/mistakes.")
    require_fit(chosen, PROJECT)
    with temporary.servers() as servers:
        settings = {"SERVERS": "urls", "MONGO_URL": servers.mongo_url, "AMQP_URL": servers.amqp_url}
        with _copies({f"TANDEM_{name}": value for name, value in settings.items()}) as copies:
            _require_right(copies, chosen)
            return 1 if _unseen(chosen, copies) else 0


@contextmanager
def _copies(settings: dict[str, str]) -> Iterator[list[Copy]]:
    shutil.rmtree(FOLDER, ignore_errors=True)
    copies = [Copy(FOLDER / str(number), settings) for number in range(AT_ONCE)]
    try:
        for copy in copies:
            copy.fill(PROJECT)
        yield copies
    finally:
        for copy in copies:
            copy.stop()
        shutil.rmtree(FOLDER, ignore_errors=True)


def _require_right(copies: Sequence[Copy], mistakes: Sequence[Mistake]) -> None:
    """Without a mistake all these tests pass; otherwise that they fail would say nothing."""
    parts = {one.seen_by for one in mistakes}
    files = {shlex.split(tests)[0] for tests in parts}
    chosen = sorted(files if len(files) < len(parts) else parts)
    with step("The same tests without a mistake"):
        for tests, outcome in zip(chosen, _each(chosen, Copy.run, copies), strict=True):
            if outcome.result != MISSED:
                raise Trouble(f"pytest {tests} does not pass without any mistake: {outcome.said}")


def _unseen(mistakes: Sequence[Mistake], copies: Sequence[Copy]) -> int:
    """How many the tests did not see; one line for each mistake."""
    outcomes = [*map(_told, mistakes, _each(mistakes, Copy.try_out, copies))]
    unseen = sum(outcome.result != CAUGHT for outcome in outcomes)
    line(f"{len(outcomes) - unseen} of {len(outcomes)} mistakes are seen.")
    return unseen


def _each(
    things: Sequence[T], run: Callable[[Copy, T], Outcome], copies: Sequence[Copy]
) -> Iterator[Outcome]:
    """In their order, each in a copy that is free."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def run_one(thing: T) -> Outcome:
        copy = free.get()
        try:
            return run(copy, thing)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        try:
            yield from pool.map(run_one, things)
        except BaseException:
            # Whoever waits for what is begun would wait for the rest as well.
            pool.shutdown(wait=False, cancel_futures=True)
            for copy in copies:
                copy.stop()
            raise


def _told(mistake: Mistake, outcome: Outcome) -> Outcome:
    mark = "[green]✓[/]" if outcome.result == CAUGHT else "[red]✗[/]"
    said = f"[dim]{escape(outcome.said)}[/]"
    console.print(f"{mark} {outcome.result}: {escape(mistake.what)}", said, soft_wrap=True)
    return outcome


if __name__ == "__main__":
    trouble.run(main)
