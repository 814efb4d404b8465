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
    clear_up(FOLDER)
    place = Place(FOLDER / str(os.getpid()))
    place.folder("run")
    _own(place)
    try:
        chosen = choice.choose()
        given = ports.choose(place, choice.ports_needed(chosen), asked.ports([]))
        yield choice.start(place, chosen, given)
    finally:
        _end(place)


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
    owner = processes.Identity.of(int(place.path.name))
    try:
        return (place.path / "owner").read_text() == str(owner)
    except FileNotFoundError:
        # Another worker of the same run is just making it.
        return owner is not None


def _end(place: Place) -> None:
    ports.release(place)
    choice.stop(place)
    processes.stop_strays(place)
    if place.read().get("servers", {}).get("way") == "containers":
        containers.delete(place)
    shutil.rmtree(place.path, ignore_errors=True)
