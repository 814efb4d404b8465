"""The whole platform as `make up` starts it, every process real, in a folder and databases of its own."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from scripts import parts, platform
from scripts.place import Place, read_json
from scripts.servers.found import Servers
from tests.journeys.people import Platform, Verified, receiver
from tests.queries.hooks import WATCH


@pytest.fixture(scope="session")
def running(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    place = Place(tmp_path_factory.mktemp("platform") / "state")
    prefix = f"test_{os.getpid()}_{uuid.uuid4().hex[:6]}_"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_SERVERS", "urls")
        patch.setenv("TANDEM_MONGO_URL", servers.mongo_url)
        patch.setenv("TANDEM_AMQP_URL", servers.amqp_url)
        patch.setenv("TANDEM_DATABASE_PREFIX", prefix)
        for service in parts.services():
            WATCH.follow(prefix + service)
        try:
            platform.bring_up(place, sample=True)
            started = Platform(place, read_json(place.sample), prefix)
            started.await_sample()
            yield started
        finally:
            platform.bring_down(place)
            _drop(servers.mongo_url, prefix)


def _drop(mongo_url: str, prefix: str) -> None:
    with MongoClient(mongo_url, timeoutMS=5000) as client:
        for name in client.list_database_names():
            if name.startswith(prefix):
                WATCH.judge(name)
                client.drop_database(name)


@pytest.fixture
def endpoint(running: Platform) -> Iterator[Verified]:
    """What a partner's receiver has verified so far, of goal.* events."""
    with receiver() as (address, received):
        about = {"url": f"{address}/tandem", "event_types": ["goal.proposed", "goal.agreed", "goal.declined"]}
        made = running.create("app", "partners", "/endpoints", about)
        received.secret = made.body["secret"]
        yield Verified(received)
        path = f"/endpoints/{made.body['id']}"
        found = running.ask("app", "GET", "partners", path).expect(200)
        running.ask("app", "DELETE", "partners", path, match=found.etag).expect(200)
        assert received.refused == []


@pytest.fixture
def root() -> Path:
    return Path(__file__).parents[2]
