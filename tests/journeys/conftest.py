"""The whole platform as `make up` starts it, every process real, in a folder and databases of its own."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pymongo import MongoClient

from scripts import parts, platform
from scripts.place import Place, read_json
from scripts.servers.found import Servers
from tests.guarded import guarded
from tests.journeys.people import Platform
from tests.queries.hooks import WATCH
from tests.queries.watch import UNWATCHED


@pytest.fixture(scope="session")
def running(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    prefix = f"test_{os.getpid()}_{uuid.uuid4().hex[:6]}_"
    for service in parts.services():
        WATCH.follow(prefix + service)
    with _started(servers, Place(tmp_path_factory.mktemp("platform") / "state"), prefix) as started:
        yield started
    _drop(servers.mongo_url, prefix)


@pytest.fixture(scope="module")
def with_own_users(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Where each service has a user of its own on both servers, and no more rights than it needs."""
    place = Place(tmp_path_factory.mktemp("guarded") / "state")
    with guarded(servers.way) as theirs, _started(theirs, place, UNWATCHED) as started:
        yield started


@contextmanager
def _started(servers: Servers, place: Place, prefix: str) -> Iterator[Platform]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_SERVERS", "urls")
        patch.setenv("TANDEM_MONGO_URL", servers.mongo_url)
        patch.setenv("TANDEM_AMQP_URL", servers.amqp_url)
        patch.setenv("TANDEM_ADMIN_RABBITMQ_URL", servers.management_url)
        patch.setenv("TANDEM_DATABASE_PREFIX", prefix)
        try:
            platform.bring_up(place, sample=True)
            started = Platform(place, read_json(place.sample), prefix)
            started.await_sample()
            yield started
        finally:
            platform.bring_down(place)


def _drop(mongo_url: str, prefix: str) -> None:
    with MongoClient(mongo_url, timeoutMS=5000) as client:
        for name in client.list_database_names():
            if name.startswith(prefix):
                WATCH.judge(name)
                client.drop_database(name)


@pytest.fixture
def root() -> Path:
    return Path(__file__).parents[2]
