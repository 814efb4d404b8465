"""Processes that outlive the command that starts them, and are only ever ended when they are surely our own.

Rules:
- Each runs in a session of its own; its file in run/ names its pid, its start time and the machine's boot.
- A process is ours when pid, start time and boot agree and its environment names our state folder, so that
  neither a reused pid nor a copied folder ever ends a stranger.
- Signals go through a pidfd, which cannot come to mean another process meanwhile.
"""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from scripts.place import PROJECT, Place, read_json, write_private
from scripts.trouble import Trouble
from scripts.waiting import until

MARK = "TANDEM_STATE_FOLDER"
GRACE = 25.0
FINISH_SECONDS = 60.0
LOG_BYTES = 20_000_000  # a longer log begins anew; one old one is kept


@dataclass(frozen=True)
class Identity:
    """Which process, of all that ever had this pid."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """The process that has this pid now; None where there is none, or only the remains of one."""
        stat = _stat(pid)
        if stat is None or stat[0] in "ZX":
            return None
        return cls(pid, int(stat[19]), Path("/proc/sys/kernel/random/boot_id").read_text().strip())


def start(
    place: Place,
    name: str,
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    cwd: Path = PROJECT,
) -> "subprocess.Popen[bytes]":
    """Start a process that goes on when this command ends; its output goes to logs/<name>.log."""
    log = place.folder("logs") / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    if (before := _known(place, name)) is not None:
        # What it left in its session, as a broker lives on whose wrapper was killed.
        _sweep(place, {before.pid})
    marked = {**environment, MARK: str(place.path)}
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603
            [str(word) for word in command],
            env=marked,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Popen comes back when the descriptors are closed, a moment before the kernel shows the new environment.
    until(
        {name: lambda: _mark(process.pid) is not None or Identity.of(process.pid) is None}, 1.0, pause=0.001
    )
    identity = Identity.of(process.pid) or Identity(process.pid, 0, "")
    place.folder("run")
    write_private(_file(place, name), json.dumps(asdict(identity)))
    return process


def started(place: Place) -> list[str]:
    """Names of all that have a pid file, alive or not."""
    return sorted(file.stem for file in place.run.glob("*.pid"))


def running(place: Place) -> set[str]:
    return {name for name in started(place) if is_running(place, name)}


def is_running(place: Place, name: str) -> bool:
    identity = _known(place, name)
    return identity is not None and is_ours(place, identity)


def is_ours(place: Place, identity: Identity) -> bool:
    return Identity.of(identity.pid) == identity and _mark(identity.pid) == str(place.path)


def stop(place: Place, names: Collection[str], grace: float = GRACE) -> None:
    """End these processes together, first kindly, and whatever they left in their sessions."""
    known = {name: identity for name in names if (identity := _known(place, name))}
    with _handles(place, known) as handles:
        for handle in handles.values():
            _signal(handle, signal.SIGTERM)
        _await(handles, grace)
        for handle in handles.values():
            _signal(handle, signal.SIGKILL)
        _await(handles, 5.0)
    _sweep(place, {identity.pid for identity in known.values()})
    for name in names:
        _file(place, name).unlink(missing_ok=True)


def send(place: Place, name: str, number: signal.Signals) -> None:
    """Send a signal to one of ours and to all that it started in its session, as a broker in its wrapper."""
    if (known := _known(place, name)) is not None:
        for pid in _marked(place, {known.pid}):
            _send(place, pid, number)


def stop_strays(place: Place) -> None:
    """End what carries our mark and has no pid file, as after a command that was killed outright."""
    _sweep(place, None)


def stop_strays_below(folder: Path) -> None:
    """The same for every copy that has its state somewhere in this folder."""
    marks = {_mark(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")}
    for mark in filter(None, marks):
        if Path(mark).is_relative_to(folder):
            stop_strays(Place(Path(mark)))


def finish(
    place: Place, commands: Mapping[str, Sequence[str]], environments: Mapping[str, Mapping[str, str]]
) -> None:
    """Run all of these at the same time until the last has ended; trouble names the first that failed."""
    work = {name: start(place, name, command, environments[name]) for name, command in commands.items()}
    late = until({name: partial(_has_ended, process) for name, process in work.items()}, FINISH_SECONDS)
    stop(place, list(work), grace=1.0)
    for name, process in work.items():
        if name in late:
            raise Trouble(f"{name} took over {FINISH_SECONDS:.0f} s: see {place.logs / name}.log.")
        if process.returncode:
            raise Trouble(f"{name} failed ({last_words(place, name)}): see {place.logs / name}.log.")


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    return process.poll() is not None


def last_words(place: Place, name: str, lines: int = 1) -> str:
    """The end of its log, for a sentence about why it does not run."""
    try:
        text = (place.logs / f"{name}.log").read_text(errors="replace")
    except FileNotFoundError:
        return ""
    said = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(said[-lines:])[-300:]


def _file(place: Place, name: str) -> Path:
    return place.run / f"{name}.pid"


def _known(place: Place, name: str) -> Identity | None:
    content = read_json(_file(place, name))
    return Identity(**content) if content else None


@contextmanager
def _handles(place: Place, known: Mapping[str, Identity]) -> Iterator[dict[str, int]]:
    handles: dict[str, int] = {}
    try:
        for name, identity in known.items():
            try:
                handle = os.pidfd_open(identity.pid)
            except ProcessLookupError:
                continue
            handles[name] = handle
            if not is_ours(place, identity):
                os.close(handles.pop(name))
        yield handles
    finally:
        for handle in handles.values():
            os.close(handle)


def _signal(handle: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, number)


def _await(handles: Mapping[str, int], seconds: float) -> None:
    """Wait until all have ended: a pidfd becomes readable then."""
    poll = select.poll()
    for handle in handles.values():
        poll.register(handle, select.POLLIN)
    left, deadline = len(handles), time.monotonic() + seconds
    while left and (remaining := deadline - time.monotonic()) > 0:
        for handle, _ in poll.poll(remaining * 1000):
            poll.unregister(handle)
            left -= 1


def _sweep(place: Place, sessions: Collection[int] | None) -> None:
    """Kill what carries our mark, in these sessions or in any."""
    for pid in _marked(place, sessions):
        _send(place, pid, signal.SIGKILL)


def _marked(place: Place, sessions: Collection[int] | None) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        stat = _stat(pid)
        if stat is None or stat[0] in "ZX" or pid == os.getpid() or _mark(pid) != str(place.path):
            continue
        if sessions is None or int(stat[3]) in sessions:
            yield pid


def _send(place: Place, pid: int, number: signal.Signals) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if _mark(pid) == str(place.path):
            _signal(handle, number)
            if number == signal.SIGKILL:
                _await({"killed": handle}, 5.0)
    finally:
        os.close(handle)


def _stat(pid: int) -> list[str] | None:
    """proc(5): the fields of /proc/<pid>/stat from the state on (the name before it may hold anything)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _mark(pid: int) -> str | None:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    prefix = f"{MARK}=".encode()
    found = [entry for entry in environment.split(b"\0") if entry.startswith(prefix)]
    return os.fsdecode(found[0][len(prefix) :]) if found else None
