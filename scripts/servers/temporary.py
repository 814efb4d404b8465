"""Servers for one run of tests: a folder of their own, ended and deleted with it, or by the next run."""

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts import asked, ports, processes
from scripts.place import PROJECT, Place, write_private
from scripts.servers import choice, contained, containers
from scripts.servers.found import START_SECONDS, Servers

FOLDER = PROJECT / "build" / "test-servers"
_numbers = itertools.count(1)


@contextmanager
def servers() -> Iterator[Servers]:
    """Both servers for as long as the block lasts."""
    with own_place() as ours:
        yield start(ours)


@contextmanager
def own_place() -> Iterator[Place]:
    """A new folder; when the block ends, so does whatever was started there."""
    clear_up(FOLDER)
    ours = Place(FOLDER / f"{os.getpid()}-{next(_numbers)}")
    ours.folder("run")
    _own(ours)
    try:
        yield ours
    finally:
        _end(ours)


def start(place: Place) -> Servers:
    """Both servers, found as `make up` finds them."""
    chosen = choice.choose()
    given = ports.choose(place, choice.ports_needed(chosen), asked.ports([]))
    place.remember(ports=given)
    if chosen.way != "containers":
        return choice.start(place, chosen, given)
    place.remember(contained=True)
    servers = contained.start(place, given)
    choice.await_both(place, servers, START_SECONDS)
    return servers


def clear_up(folder: Path) -> None:
    """End and delete what earlier runs left behind that ended without doing it."""
    for left in folder.glob("*"):
        place = Place(left)
        if not _owned(place):
            _end(place)


def _own(place: Place) -> None:
    write_private(place.path / "owner", f"{processes.Identity.of(os.getpid())}")


def _owned(place: Place) -> bool:
    pid = place.path.name.partition("-")[0]
    living = processes.Identity.of(int(pid)) if pid.isdecimal() else None
    try:
        return (place.path / "owner").read_text() == str(living)
    except FileNotFoundError:
        return living is not None  # it is being made


def _end(place: Place) -> None:
    ports.release(place)
    if place.read().get("servers", {}).get("way") == "containers":
        containers.delete(place)
    else:
        choice.stop(place)
    processes.stop_strays(place)
    if place.read().get("contained"):
        contained.remove(place)
    shutil.rmtree(place.path, ignore_errors=True)
