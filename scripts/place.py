"""Where one copy of the platform keeps everything it makes: a folder that only its owner can read."""

import base64
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.trouble import Trouble

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Place:
    """One state folder; two of them never share a server, a port or a process."""

    path: Path

    @classmethod
    def of_project(cls) -> "Place":
        return cls(PROJECT / ".tandem")

    @property
    def platform(self) -> Path:
        """The one file that every command reads for ports and addresses."""
        return self.path / "platform.json"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def mail(self) -> Path:
        return self.path / "mail"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def sample(self) -> Path:
        """Who is in the sample practice, and how its app signs in."""
        return self.path / "sample.json"

    @property
    def refresh_tokens(self) -> Path:
        return self.path / "refresh_tokens.json"

    @property
    def authenticators(self) -> Path:
        """The secrets of second factors that were enrolled by signing in from here."""
        return self.path / "authenticators.json"

    def folder(self, name: str) -> Path:
        folder = self.path / name
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def read(self) -> dict[str, Any]:
        """What is known of this copy; empty before its first start."""
        return read_json(self.platform)

    def remember(self, **facts: Any) -> None:
        self.folder("run")
        write_private(self.platform, json.dumps(self.read() | facts, indent=2) + "\n")

    def secret(self, name: str, size: int = 32) -> Path:
        """The file of a secret, made once: so many random bytes in base64."""
        file = self.folder("secrets") / name
        if not file.exists():
            write_private(file, base64.b64encode(secrets.token_bytes(size)).decode())
        return file

    def delete(self) -> None:
        """Delete all but the lock, which whoever deletes holds."""
        for entry in self.path.glob("*"):
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != "lock":
                entry.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this copy alone, so that two commands do not start or stop the same processes."""
        self.folder("run")
        with (self.path / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip() or "another command"
                raise Trouble(
                    f"{holder} is at work on this copy: wait for it to end or interrupt it, then try again."
                ) from None
            lock.truncate(0)
            lock.write(f"Process {os.getpid()}")
            lock.flush()
            yield


def read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise Trouble(f"{file} cannot be read as JSON: delete it or run make reset.") from None
    return content if isinstance(content, dict) else {}


def write_private(file: Path, text: str) -> None:
    """Write the whole file or nothing of it, readable by the owner only."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    fresh.replace(file)
