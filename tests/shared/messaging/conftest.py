from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.proxy import Proxy
from tests.shared.messaging.rooms import Room


@pytest.fixture
def room(database: Any, amqp_url: str) -> Iterator[Room]:
    made = Room(database, amqp_url)
    yield made
    made.remove()


@pytest.fixture
def proxy(amqp_url: str) -> Iterator[Proxy]:
    with Proxy(amqp_url) as made:
        yield made
