"""Ports of this machine: the usual one where it is free, else another, and none given out twice."""

import fcntl
import json
import os
import socket
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from scripts.place import Place
from scripts.trouble import Trouble

SERVERS = {"mongo": 27117, "rabbit": 5772, "epmd": 4469, "dist": 25772, "management": 15772}
STEP = 1000
EPHEMERAL = 32768  # from here Linux takes ports for outgoing connections by itself
CLAIMED_SECONDS = 120.0  # by then what was to listen does, or its start has failed


def is_free(port: int) -> bool:
    # SO_REUSEADDR: connections of a server that has just ended (TIME_WAIT) do not count as taken.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(
    place: Place,
    usual: Mapping[str, int],
    asked: Mapping[str, int],
    held: Collection[str] = (),
    claimed_seconds: float = CLAIMED_SECONDS,
) -> dict[str, int]:
    """A port for each name: the one asked for or trouble, the one of last time, the usual one, a free one.

    Names that are held have a process of ours on their port, and keep it. For `claimed_seconds`, or until
    they are released, nobody else gets one of these, even while nothing listens there.
    """
    known: dict[str, int] = place.read().get("ports", {})
    chosen = {name: known[name] for name in held if name in known}
    with _claims(place) as claims:
        for name in sorted(usual.keys() - chosen.keys(), key=lambda name: (name not in asked, usual[name])):
            if name in asked:
                chosen[name] = _asked(name, asked[name], chosen)
            else:
                avoid = {*chosen.values(), *claims.of_others}
                wanted = [*([known[name]] if name in known else []), *_from(usual[name])]
                chosen[name] = next(port for port in wanted if port not in avoid and is_free(port))
        claims.add(chosen.values(), claimed_seconds)
    return {name: chosen[name] for name in usual}


def release(place: Place) -> None:
    """Give up the claims of a copy: what it started listens by now, or does not run."""
    with _claims(place) as claims:
        claims.drop()


def _asked(name: str, port: int, chosen: Mapping[str, int]) -> int:
    variable = f"TANDEM_{name.upper()}_PORT"
    for other, taken in chosen.items():
        if taken == port:
            raise Trouble(f"{variable} and TANDEM_{other.upper()}_PORT both ask for port {port}: change one.")
    if not is_free(port):
        raise Trouble(
            f"Port {port} is in use{_by(port)}: free it, or set {variable} to another or to nothing."
        )
    return port


def _by(port: int) -> str:
    """Whose port it is, where this can be seen."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr.port == port and connection.status == psutil.CONN_LISTEN and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.Error, OSError):
        pass
    return ""


def _from(usual: int) -> Iterator[int]:
    yield usual
    yield from range(usual + STEP, EPHEMERAL, STEP)
    yield from range(20000, EPHEMERAL)


class _Claims:
    """Ports that copies on this machine have chosen and do not listen on yet."""

    def __init__(self, file: IO[str], place: Place) -> None:
        self._file, self._place = file, str(place.path)
        file.seek(0)
        text = file.read()
        now = time.time()
        self._all = {
            int(port): (owner, until)
            for port, (owner, until) in (json.loads(text) if text else {}).items()
            if now < until
        }

    @property
    def of_others(self) -> set[int]:
        return {port for port, (owner, _) in self._all.items() if owner != self._place}

    def add(self, ports: Collection[int], seconds: float) -> None:
        self._all |= {port: (self._place, time.time() + seconds) for port in ports}
        self._write()

    def drop(self) -> None:
        self._all = {port: one for port, one in self._all.items() if one[0] != self._place}
        self._write()

    def _write(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        json.dump(self._all, self._file)


@contextmanager
def _claims(place: Place) -> Iterator[_Claims]:
    path = Path(tempfile.gettempdir()) / f"tandem-ports-{os.getuid()}.json"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield _Claims(file, place)
