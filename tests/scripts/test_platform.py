"""make up, down and reset on stand-in services: what is started is all there, and all gone afterwards."""

import os
import signal
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts import processes
from scripts.servers.found import Servers
from scripts.waiting import until
from tests.scripts.copies import Copy, interrupt, make_copy

PROCESSES = 8  # mailbox; web and worker of three services; the sender


@pytest.fixture
def copies(tmp_path: Path, servers: Servers) -> Iterator[Callable[[str], Copy]]:
    """Copies that use the servers of this run, all stopped afterwards."""
    made: list[Copy] = []
    urls = {"TANDEM_MONGO_URL": servers.mongo_url, "TANDEM_AMQP_URL": servers.amqp_url}

    def make(name: str) -> Copy:
        (tmp_path / name).mkdir()
        made.append(make_copy(tmp_path / name, urls))
        return made[-1]

    yield make
    for copy in made:
        copy.make("down")


@pytest.fixture
def copy(copies: Callable[[str], Copy]) -> Copy:
    return copies("copy")


def _one_sentence(errors: str) -> str:
    lines = [line for line in errors.splitlines() if line and not line.startswith("make:")]
    assert len(lines) == 1, errors
    return lines[0]


def brought_up(copy: Copy) -> None:
    up = copy.make("up")
    assert up.returncode == 0, up.stderr


def test_up_starts_everything_and_down_ends_it(copy: Copy) -> None:
    up = copy.make("up")

    assert up.returncode == 0, up.stderr
    assert "make token WHO=clara@example.org" in up.stdout
    assert len(copy.pids()) == PROCESSES
    assert copy.make("down").returncode == 0
    assert copy.pids() == set()


def test_up_on_a_running_platform_tells_the_same_and_changes_nothing(copy: Copy) -> None:
    brought_up(copy)
    before = copy.pids()

    again = copy.make("up")

    assert "make token WHO=clara@example.org" in again.stdout
    assert copy.pids() == before


def test_up_starts_what_died(copy: Copy) -> None:
    brought_up(copy)
    before = copy.pids()
    dead = processes.read_json(copy.place.run / "goals-worker.pid")["pid"]
    os.kill(dead, signal.SIGKILL)

    assert copy.make("up").returncode == 0

    assert len(copy.pids()) == PROCESSES
    assert before - copy.pids() == {dead}


def test_two_copies_do_not_disturb_each_other(copies: Callable[[str], Copy]) -> None:
    one, other = copies("one"), copies("other")
    starts = [copy.begin("up") for copy in (one, other)]
    assert [start.wait(60) for start in starts] == [0, 0]

    assert not set(one.known()["ports"].values()) & set(other.known()["ports"].values())
    one.make("down")

    assert one.pids() == set()
    assert len(other.pids()) == PROCESSES
    for start in starts:
        start.communicate()


def test_a_copied_folder_ends_nothing_of_the_original(copies: Callable[[str], Copy]) -> None:
    original, copied = copies("original"), copies("copied")
    brought_up(original)
    copied.place.folder("run")
    for file in original.place.run.glob("*.pid"):
        (copied.place.run / file.name).write_text(file.read_text())

    copied.make("down")

    assert len(original.pids()) == PROCESSES


def test_a_service_that_ends_while_starting_is_named_and_nothing_stays(copy: Copy) -> None:
    copy.behave("goals", "dying")

    up = copy.make("up")

    sentence = _one_sentence(up.stderr)
    assert up.returncode != 0
    assert sentence.startswith("goals-")
    assert "TANDEM_ISSUER is wrong." in sentence
    assert copy.pids() == set()


def test_a_service_that_cannot_prepare_is_named_and_nothing_stays(copy: Copy) -> None:
    copy.behave("practices", "unprepared")

    up = copy.make("up")

    assert "practices-prepare failed (The collections are locked.)" in _one_sentence(up.stderr)
    assert copy.pids() == set()


def test_an_interrupt_undoes_the_start(copy: Copy) -> None:
    copy.behave("goals", "slow")
    start = copy.begin("up")
    assert not until({"started": lambda: len(copy.pids()) >= PROCESSES}, 30)

    said = interrupt(start)

    assert start.returncode != 0
    assert "Traceback" not in said
    assert copy.pids() == set()


def test_two_starts_of_one_copy_do_not_race(copy: Copy) -> None:
    copy.behave("goals", "slow")
    first = copy.begin("up")
    assert not until({"started": lambda: len(copy.pids()) >= PROCESSES}, 30)

    second = copy.make("up")

    assert "is at work on this copy" in _one_sentence(second.stderr)
    interrupt(first)


def test_what_a_killed_start_left_is_ended_by_down(copy: Copy) -> None:
    copy.behave("goals", "slow")
    start = copy.begin("up")
    assert not until({"started": lambda: len(copy.pids()) >= PROCESSES}, 30)
    os.killpg(start.pid, signal.SIGKILL)
    start.communicate()
    for file in copy.place.run.glob("goals-*.pid"):
        file.unlink()

    assert copy.make("down").returncode == 0

    assert copy.pids() == set()


def test_a_port_in_use_is_named_with_its_holder(copy: Copy) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        up = copy.make("up", TANDEM_GOALS_PORT=str(port))

    sentence = _one_sentence(up.stderr)
    assert f"Port {port} is in use" in sentence
    assert f"process {os.getpid()}" in sentence
    assert copy.pids() == set()


def test_half_of_the_servers_named_is_told(copy: Copy) -> None:
    up = copy.make("up", TANDEM_AMQP_URL="")

    assert "TANDEM_MONGO_URL is set and TANDEM_AMQP_URL is not" in _one_sentence(up.stderr)


def test_servers_that_cannot_be_reached_are_not_replaced_by_empty_ones(copy: Copy) -> None:
    copy.place.remember(servers={"way": "containers"})

    up = copy.make("up", TANDEM_MONGO_URL="", TANDEM_AMQP_URL="", DOCKER_HOST="tcp://127.0.0.1:1")

    assert "The data of this copy is in containers and" in _one_sentence(up.stderr)
    assert copy.known()["servers"] == {"way": "containers"}


def test_on_other_servers_the_sample_is_loaded_again(copy: Copy) -> None:
    brought_up(copy)
    copy.make("down")
    copy.place.remember(servers={"way": "local"})
    copy.place.sample.write_text("of the old servers")
    copy.place.refresh_tokens.touch()

    brought_up(copy)

    assert copy.place.sample.read_text() != "of the old servers"
    assert not copy.place.refresh_tokens.exists()


def test_reset_leaves_servers_of_others_alone(copy: Copy) -> None:
    brought_up(copy)

    reset = copy.make("reset")

    assert "drop the databases tandem_* yourself" in _one_sentence(reset.stderr)
    assert len(copy.pids()) == PROCESSES


def test_what_is_kept_is_readable_by_its_owner_only(copy: Copy) -> None:
    brought_up(copy)

    kept = [copy.place.path, copy.place.platform, copy.place.sample, *copy.place.folder("secrets").iterdir()]

    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in kept)


def test_settings_of_the_caller_change_nothing(copy: Copy) -> None:
    hostile = dict.fromkeys(("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "SSL_CERT_FILE"), "/nowhere")

    up = copy.make(
        "up", **hostile, LANG="de_DE", UV_INDEX_URL="http://nowhere", PIP_INDEX_URL="http://nowhere"
    )

    assert up.returncode == 0, up.stderr


def test_a_named_server_that_is_away_is_told_soon(copy: Copy) -> None:
    began = time.monotonic()

    up = copy.make("up", TANDEM_MONGO_URL="mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200")

    assert "MongoDB does not answer at its URL: check TANDEM_MONGO_URL." in _one_sentence(up.stderr)
    assert time.monotonic() - began < 20
