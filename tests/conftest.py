"""Real servers for whatever asks for them, found as `make up` finds them and started once a run.

A test that uses one of these fixtures gets the mark `servers`; `make test-fast` runs the others.
"""

import os
import signal
import uuid
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from pymongo import MongoClient

from scripts import images, manifests, processes
from scripts.servers import choice, containers, temporary
from scripts.servers.found import Servers
from scripts.trouble import Trouble
from shared.store.lock.database import OwnDatabase
from shared.store.lock.master import Master
from tests.dealing import Dealing
from tests.queries import hooks
from tests.requests import MASTER_KEY

FIXTURES = {"servers", "mongo_url", "amqp_url", "database"}
WITHOUT = "not servers"  # in the marks that make test-fast asks for


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(hooks)
    # So that a run that is told to end takes its servers with it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def pytest_report_header(config: pytest.Config) -> list[str]:
    if WITHOUT in config.getoption("markexpr"):
        return ["servers: none, only tests that need no server"]
    return [f"servers: {_servers()}", *_left_out()]


def _servers() -> str:
    try:
        return str(choice.choose())
    except Trouble as trouble:
        return str(trouble)


def _left_out() -> Iterator[str]:
    """What is missing on this machine, in one line each; with REQUIRE_ALL_TOOLS=1 the tests fail instead."""
    if why := images.missing() or containers.missing():
        yield f"left out: tests of images and Compose, because {why}"
    if not manifests.renderer():
        yield "left out: rendered manifests, because neither kubectl nor kustomize is there"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.servers)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Faults run where they are asked for (`make faults`)."""
    everything = config.args_source is config.ArgsSource.TESTPATHS
    return True if everything and collection_path == config.rootpath / "tests" / "faults" else None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End what workers left behind: pytest-xdist gives one that is interrupted a few seconds only."""
    if not hasattr(session.config, "workerinput"):
        temporary.clear_up(temporary.FOLDER)
        processes.stop_strays_below(session.config._tmp_path_factory.getbasetemp())


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Dealing:
    return Dealing(config, log)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with temporary.servers() as started:
        hooks.WATCH.url = started.mongo_url
        yield started


@pytest.fixture(scope="session")
def mongo_url(servers: Servers) -> str:
    return servers.mongo_url


@pytest.fixture(scope="session")
def amqp_url(servers: Servers) -> str:
    return servers.amqp_url


@pytest.fixture
def database(mongo_url: str) -> Iterator[OwnDatabase]:
    """A database of this test's own, empty and dropped at its end."""
    client = MongoClient[dict[str, Any]](mongo_url, tz_aware=True, tzinfo=UTC, timeoutMS=5000, w="majority")
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:12]}"
    with client:
        yield OwnDatabase(client, name, Master(MASTER_KEY))
        hooks.WATCH.judge(name)
        client.drop_database(name)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
