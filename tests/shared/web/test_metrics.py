"""A scrape is short and costs the database little."""

import math
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.store.client import connect
from shared.web.metrics import asks, exposed
from tests.figures import Figures
from tests.requests import settings_of


@pytest.fixture(params=["refuses", "is silent"])
def away(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A database of whose server nothing is heard."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1] if request.param == "is silent" else 1
        database = connect(replace(settings_of("goals"), mongo_url=f"mongodb://127.0.0.1:{port}/"))
        yield database
        database.client.close()


def test_a_scrape_without_mongodb_is_short_and_shows_the_rest(away: Any) -> None:
    registry = CollectorRegistry()
    for number in range(7):
        things = Gauge(f"test_things_{number}", "Things.", registry=registry)
        asks(things, lambda: away["things"].count_documents({}))
    Counter("test_told", "Told.", registry=registry).inc(3)
    began = time.monotonic()

    told = Figures(exposed(registry).decode())

    assert time.monotonic() - began < 3
    shown = {sample.name: sample.value for family in told.families for sample in family.samples}
    assert [math.isnan(shown[f"test_things_{number}"]) for number in range(7)] == [True] * 7
    assert shown["test_told_total"] == 3


def test_a_figure_is_asked_for_once_in_two_scrapes() -> None:
    registry, asked = CollectorRegistry(), []

    def figure() -> float:
        asked.append(1)
        return 4.0

    asks(Gauge("test_things", "Things.", registry=registry), figure)

    for _ in range(2):
        assert Figures(exposed(registry).decode())("test_things") == 4
    assert len(asked) == 1
