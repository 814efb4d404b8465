"""Faults: the whole platform under load, killed and cut on purpose (`make faults`)."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.judge import Row
from tests.faults.ledger import Ledger
from tests.faults.platform import Platform, started
from tests.faults.servers import Broker, Mongo, together

LONG = os.environ.get("FAULTS") == "long"


LINES = [
    ("goals-web", "mongo"),
    ("goals-worker", "mongo"),
    ("goals-worker", "amqp"),
    ("notifications-worker", "mongo"),
    ("notifications-worker", "amqp"),
    ("partners-sender", "mongo"),
    ("practices-worker", "mongo"),
]
"""With a proxy on each."""


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[Mongo, Broker]]:
    mongo, broker = Mongo(), Broker()
    with together(mongo, broker):
        yield mongo, broker


@pytest.fixture(scope="session")
def mongo(servers: tuple[Mongo, Broker]) -> Mongo:
    return servers[0]


@pytest.fixture(scope="session")
def broker(servers: tuple[Mongo, Broker]) -> Broker:
    return servers[1]


@pytest.fixture(scope="session")
def platform(mongo: Mongo, broker: Broker) -> Iterator[Platform]:
    with started(mongo.url, broker.url, LINES) as made:
        yield made


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    """This test's line of the table."""
    made = Row(request.node.name.removeprefix("test_").replace("_", " "), 1)
    request.node.row = made
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Any:
    report = yield
    if report.when == "call" and hasattr(item, "row"):
        # Properties come along from the process that ran the test to the one that prints.
        report.user_properties.append(("row", item.row.told()))
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    rows = [
        value | {"": report.outcome}
        for report in reports
        for name, value in report.user_properties
        if name == "row"
    ]
    if rows:
        terminalreporter.section("faults")
        for line in _table(rows):
            terminalreporter.write_line(line)
    counts = {word: len(terminalreporter.getreports(word)) for word in ("passed", "failed", "error")}
    terminalreporter.write_line(f"{counts['passed']} passed, {counts['failed'] + counts['error']} failed")


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    columns = list(rows[0])
    widths = {name: max(len(name), *(len(str(row[name])) for row in rows)) for name in columns}
    yield "  ".join(name.ljust(widths[name]) for name in columns)
    for row in rows:
        yield "  ".join(str(row[name]).ljust(widths[name]) for name in columns)


@pytest.fixture
def ledger(tmp_path: Any) -> Ledger:
    return Ledger(tmp_path / "ledger")
