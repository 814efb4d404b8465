"""make check: every look at the code that needs no server, one line each; all run even where one fails."""

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

from scripts import asked, trouble
from scripts.place import PROJECT
from scripts.telling import console

PYTHON = sys.executable


@dataclass(frozen=True)
class Look:
    """One look at the code; its tool may be missing on this machine."""

    title: str
    command: tuple[str, ...]

    @property
    def is_there(self) -> bool:
        return shutil.which(self.command[0]) is not None


LOOKS = (
    Look("format", ("ruff", "format", "--check", ".")),
    Look("lint", ("ruff", "check", ".")),
    Look("types", ("mypy",)),
    Look("imports", ("lint-imports", "--no-logo")),
    Look("rooms", (PYTHON, "-m", "scripts.rooms")),
    Look("contracts", (PYTHON, "-m", "scripts.contracts", "--check")),
    Look("manifests", (PYTHON, "-m", "scripts.manifests")),
    Look("lock", ("build/uv/bin/uv", "lock", "--check", "--offline", "--system-certs")),
    Look("shell", ("shellcheck", "scripts/run", "scripts/environment", ".ci/run")),
)


def main() -> int:
    return 1 if [look for look in LOOKS if not _passes(look)] else 0


def _passes(look: Look) -> bool:
    if not look.is_there:
        _tell("[yellow]-[/]", f"{look.title}: left out, {look.command[0]} is not there")
        return not asked.all_tools()
    began = time.monotonic()
    done = subprocess.run(look.command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    took = f"[dim]({time.monotonic() - began:.1f} s)[/]"
    if done.returncode:
        _tell("[red]✗[/]", f"{look.title} {took}")
        sys.stdout.write(done.stdout + done.stderr)
        sys.stdout.flush()
        return False
    _tell("[green]✓[/]", f"{look.title} {took}")
    for said in done.stdout.splitlines():
        if said.startswith("- "):  # what a look left out itself
            _tell("[yellow]-[/]", said[2:])
    return True


def _tell(mark: str, text: str) -> None:
    console.print(f"{mark} {text}")


if __name__ == "__main__":
    trouble.run(main)
