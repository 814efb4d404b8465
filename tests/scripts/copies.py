"""Copies of the project with stand-ins for services, to start and stop as a person does: by make."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.place import PROJECT, Place

SERVICES = ("practices", "goals", "partners")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Copy:
    """One copy, whose make gets nothing from the environment but what is given here."""

    path: Path
    settings: Mapping[str, str]

    @property
    def place(self) -> Place:
        return Place(self.path / ".tandem")

    def make(self, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["make", *words],
            cwd=self.path,
            env=self._environment(settings),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def begin(self, *words: str, **settings: str) -> "subprocess.Popen[str]":
        """Start make in a process group of its own, as a terminal does, to interrupt it."""
        return subprocess.Popen(
            ["make", *words],
            cwd=self.path,
            env=self._environment(settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def behave(self, service: str, how: str) -> None:
        (self.path / "services" / service / "behaviour").write_text(how)

    def pids(self) -> set[int]:
        """All processes that carry this copy's mark."""
        mark = f"TANDEM_STATE_FOLDER={self.place.path}".encode()
        return {int(file.parent.name) for file in Path("/proc").glob("[0-9]*/environ") if mark in _read(file)}

    def known(self) -> dict[str, Any]:
        return self.place.read()

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        return {"PATH": PATH, "HOME": str(self.path), **self.settings, **settings}


def make_copy(path: Path, settings: Mapping[str, str]) -> Copy:
    for part in ("scripts", "shared", "deploy", "Makefile", "uv.lock"):
        source = PROJECT / part
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, path / part)
    (path / ".venv").symlink_to(PROJECT / ".venv")
    (path / "build").mkdir()
    shutil.copy2(PROJECT / "build" / "groups", path / "build")
    for service in SERVICES:
        folder = path / "services" / service
        folder.mkdir(parents=True)
        (folder / "app.py").touch()
        shutil.copy2(Path(__file__).with_name("stand_in.py"), folder / "__main__.py")
    (path / "services" / "partners" / "sender.py").touch()
    return Copy(path, settings)


def interrupt(process: "subprocess.Popen[str]") -> str:
    """Ctrl-C, as the terminal gives it to the whole group; gives all that was said."""
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=120)
    return out + errors


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
