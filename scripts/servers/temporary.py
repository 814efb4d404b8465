"""Servers for one run of tests: a folder of their own, ended and deleted with it, or by the next run."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts import asked, ports, processes
from scripts.place import PROJECT, Place
from scripts.servers import choice, containers
from scripts.servers.found import Servers

FOLDER = PROJECT / "build" / "test-servers"


@contextmanager
def servers() -> Iterator[Servers]:
    """Both servers for as long as the block lasts."""
    with place() as own:
        yield start(own)


@contextmanager
def place() -> Iterator[Place]:
    """A folder of this process's own, deleted when the block ends, as whatever runs in it is ended."""
    clear_up(FOLDER)
    own = Place(FOLDER / str(os.getpid()))
    own.folder("run")
    _own(own)
    try:
        yield own
    finally:
        _end(own)


def start(place: Place) -> Servers:
    """Both servers, found as `make up` finds them."""
    chosen = choice.choose()
    known = ports.choose(place, choice.ports_needed(chosen), asked.ports([]))
    place.remember(ports=known)
    return choice.start(place, chosen, known)


def clear_up(folder: Path) -> None:
    """End and delete what earlier runs left behind that ended without doing it."""
    for left in folder.glob("*"):
        place = Place(left)
        if not _owned(place):
            _end(place)


def _own(place: Place) -> None:
    identity = processes.Identity.of(os.getpid())
    (place.path / "owner").write_text(f"{identity}")


def _owned(place: Place) -> bool:
    if not place.path.name.isdecimal():
        return False
    try:
        return (place.path / "owner").read_text() == str(processes.Identity.of(int(place.path.name)))
    except FileNotFoundError:
        return False


def _end(place: Place) -> None:
    ports.release(place)
    choice.stop(place)
    processes.stop_strays(place)
    if place.read().get("servers", {}).get("way") == "containers":
        containers.delete(place)
    shutil.rmtree(place.path, ignore_errors=True)
