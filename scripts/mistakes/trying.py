"""One mistake made in a copy of the project, the tests run there, and the copy put right again.

The project itself is never touched, whatever ends this: copies are below build/ and deleted by the next run.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.trouble import Trouble

SECONDS = 900
CAUGHT, MISSED, UNCLEAR = "caught", "MISSED", "UNCLEAR"
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S.*?)(?: - |$)", re.MULTILINE)
# -B: nothing of one mistake may be left to the next, not even what Python compiled of it.
_PYTEST = (sys.executable, "-B", "-m", "pytest", "-x", "-q", "-rfE")


@dataclass(frozen=True)
class Mistake:
    """What somebody did, where, in which words, and which tests have to see it (pytest's arguments)."""

    what: str
    file: str
    old: str
    new: str
    seen_by: str

    def unfit(self, project: Path) -> str | None:
        """Why it cannot be made here."""
        path = project / self.file
        found = path.read_text().count(self.old) if path.exists() else 0
        if found == 1 and self.old != self.new:
            return None
        return (
            f"“{self.what}” cannot be made: its old text is {found} times in {self.file}, not once. "
            "Write it again in scripts/mistakes as the source is now."
        )


def routes(service: str, which: str) -> str:
    """The generated test, of those routes of a service that hold this text."""
    return f"tests/access/test_access.py -k '{service} and whom' --routes '{which}'"


def require_fit(mistakes: Iterable[Mistake], project: Path) -> None:
    """Trouble that names all which the source has left behind."""
    unfit = [why for mistake in mistakes if (why := mistake.unfit(project))]
    if unfit:
        raise Trouble("\n".join(unfit))


@dataclass(frozen=True)
class Outcome:
    result: str
    said: str


class Copy:
    """A copy of the project, in which tests run on servers that are there already."""

    def __init__(self, path: Path, settings: Mapping[str, str]) -> None:
        self.path = path
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._environment = kept | {"LANG": "C.UTF-8"} | dict(settings)
        self._running: subprocess.Popen[str] | None = None

    def fill(self, project: Path) -> None:
        """With what git knows or would know, as it is now."""
        listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        names = subprocess.run(listed, cwd=project, capture_output=True, text=True, check=True).stdout  # noqa: S603
        for name in filter(None, names.split("\0")):
            if (project / name).is_file():
                (self.path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(project / name, self.path / name)

    def try_out(self, mistake: Mistake) -> Outcome:
        with self._made(mistake):
            return self.run(mistake.seen_by)

    @contextmanager
    def _made(self, mistake: Mistake) -> Iterator[None]:
        path = self.path / mistake.file
        right = path.read_text()
        path.write_text(right.replace(mistake.old, mistake.new))
        yield
        path.write_text(right)

    def run(self, tests: str) -> Outcome:
        """pytest ends with 1 where a test failed; whatever else it ends with says nothing of the mistake."""
        self._running = subprocess.Popen(  # noqa: S603
            (*_PYTEST, *shlex.split(tests)),
            cwd=self.path,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            said, _ = self._running.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.stop()
            return Outcome(UNCLEAR, f"no end within {SECONDS} s")
        failed = _FAILED.search(said)
        if self._running.returncode == 1 and failed:
            return Outcome(CAUGHT, failed[1])
        if self._running.returncode == 0:
            return Outcome(MISSED, "")
        return Outcome(UNCLEAR, said[-2_000:])

    def stop(self) -> None:
        if self._running is not None and self._running.poll() is None:
            self._running.kill()
            self._running.wait()
