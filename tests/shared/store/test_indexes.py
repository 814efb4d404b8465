"""Preparing a database that holds much already."""

from typing import Any

from pymongo import MongoClient
from pymongo.monitoring import CommandListener

from shared.store.indexes import created, prepare


class Indexing(CommandListener):
    """Keeps how many milliseconds the server was given for each index."""

    def __init__(self) -> None:
        self.given: list[int] = []

    def started(self, event: Any) -> None:
        if event.command_name == "createIndexes":
            self.given.append(event.command.get("maxTimeMS", 10**9))

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


def test_an_index_over_much_data_may_take_longer_than_any_other_command(
    database: Any, mongo_url: str
) -> None:
    # Seen to fail with timeout(None), which left it five seconds; a million goals need more.
    heard = Indexing()
    with MongoClient[dict[str, Any]](mongo_url, timeoutMS=5_000, event_listeners=[heard]) as client:
        prepare(client[database.name], [created("notes", [("practice_id", 1), ("at", 1)])])

    assert heard.given
    assert min(heard.given) > 60 * 60 * 1_000
