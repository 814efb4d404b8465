"""Only what is surely our own is ever ended."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from scripts import processes
from scripts.place import Place, write_private
from scripts.processes import Identity
from scripts.waiting import until

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(60)",
]
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print('born', flush=True); time.sleep(60)",
]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "state")
    yield place
    processes.stop_strays(place)


def _said(place: Place, name: str) -> None:
    assert not until({"said": lambda: processes.last_words(place, name) != ""}, 10)


def test_a_process_is_known_until_it_is_stopped(place: Place) -> None:
    processes.start(place, "one", SLEEP, {})
    assert processes.running(place) == {"one"}

    processes.stop(place, ["one"])

    assert processes.running(place) == set()
    assert processes.started(place) == []


def test_a_reused_pid_is_left_alone(place: Place) -> None:
    with subprocess.Popen(SLEEP) as stranger:
        identity = Identity.of(stranger.pid)
        assert identity is not None
        place.folder("run")
        write_private(
            place.run / "one.pid", json.dumps(asdict(replace(identity, started=identity.started - 1)))
        )

        processes.stop(place, ["one"])

        assert stranger.poll() is None
        stranger.kill()


def test_a_process_without_our_mark_is_left_alone(place: Place) -> None:
    with subprocess.Popen(SLEEP) as stranger:
        place.folder("run")
        write_private(place.run / "one.pid", json.dumps(asdict(Identity.of(stranger.pid))))  # type: ignore[arg-type]

        processes.stop(place, ["one"])
        processes.stop_strays(place)

        assert stranger.poll() is None
        stranger.kill()


def test_a_process_of_another_boot_is_not_ours(place: Place) -> None:
    processes.start(place, "one", SLEEP, {})
    identity = Identity(**json.loads((place.run / "one.pid").read_text()))

    assert processes.is_ours(place, identity)
    assert not processes.is_ours(place, replace(identity, boot="before"))


def test_what_does_not_hear_sigterm_is_killed_after_its_grace(place: Place) -> None:
    processes.start(place, "deaf", DEAF, {})
    _said(place, "deaf")
    began = time.monotonic()

    processes.stop(place, ["deaf"], grace=0.3)

    assert processes.running(place) == set()
    assert 0.3 <= time.monotonic() - began < 5


def test_children_end_with_their_parent(place: Place) -> None:
    process = processes.start(place, "parent", PARENT, {})
    _said(place, "parent")

    processes.stop(place, ["parent"])

    assert not _session(process.pid)


def test_strays_below_a_folder_are_ended_and_no_others(place: Place) -> None:
    other = Place(place.path.with_name("state of another"))
    for one in (place, other):
        processes.start(one, "one", SLEEP, {})

    processes.stop_strays_below(place.path)

    assert (processes.running(place), processes.running(other)) == (set(), {"one"})
    processes.stop_strays(other)


def test_the_remains_of_a_process_are_not_running(place: Place) -> None:
    process = processes.start(place, "one", [sys.executable, "-c", ""], {})

    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert Identity.of(process.pid) is None
    process.wait()


def test_a_process_outlives_an_interrupt_of_its_starter(place: Place) -> None:
    process = processes.start(place, "one", SLEEP, {})

    assert os.getsid(process.pid) == process.pid
    os.kill(process.pid, signal.SIGTERM)
    process.wait()


def _session(leader: int) -> list[str]:
    """What still runs in this session; remains that nobody has reaped yet do not run."""
    command = ["ps", "-o", "stat=", "-s", str(leader)]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return [state for state in found if not state.startswith("Z")]


def test_a_signal_reaches_all_that_a_process_started_in_its_session(place: Place) -> None:
    parent = processes.start(place, "parent", PARENT, {})
    _said(place, "parent")
    (child,) = psutil.Process(parent.pid).children()

    processes.send(place, "parent", signal.SIGSTOP)
    assert not until({"stopped": lambda: child.status() == psutil.STATUS_STOPPED}, 5)
    processes.send(place, "parent", signal.SIGKILL)

    assert Identity.of(child.pid) is None
    assert processes.running(place) == set()
