"""What the product asks of MongoDB while tests run, explained before its database is dropped (`judge`).

- Of this process pymongo tells. A command is the product's where the innermost frame of our own code is in
  services/ or shared/, so that what tests and fixtures look up themselves does not count.
- Of processes that tests start MongoDB tells, in a database that is `follow`ed: the product's connections
  bear a name (shared/store/client.py), those of tests none.
- A database counts once the product's `prepare` was run on it: otherwise it has no indexes to use.
"""

import sys
from bisect import bisect
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import bson
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.monitoring import CommandListener

from scripts.contracts import services
from scripts.place import PROJECT
from shared.store.indexes import _digest
from tests.queries.plans import explain, told, troubles
from tests.queries.statements import Statement, profiled, statements

HERE, IN_PROCESSES = "in the tests' process", "in processes of its own"
MADE_UP = "made up by a test"
UNWATCHED = "faults_"
"""Databases that end with their server, in tests that are about something else."""
_PROFILE_BYTES = 128 * 2**20
_PRODUCT = tuple(f"{PROJECT / folder}/" for folder in ("services", "shared"))
_OURS = (*_PRODUCT, *(f"{PROJECT / folder}/" for folder in ("scripts", "tests")))


@dataclass(frozen=True)
class Judged:
    """One shape, and all that is wrong with its plan."""

    service: str
    collection: str
    shape: str
    plan: str
    troubles: str
    test: str


class Watch(CommandListener):
    def __init__(self) -> None:
        self.url = ""
        self.judged: dict[tuple[str, ...], Judged] = {}
        self.ways: set[tuple[str, str]] = set()
        self._asked: dict[str, dict[tuple[str, str, str], tuple[Statement, str]]] = defaultdict(dict)
        self._tests: list[tuple[datetime, str]] = [(datetime.min.replace(tzinfo=UTC), "before any test")]
        self._followed: set[str] = set()

    @cached_property
    def _client(self) -> MongoClient[dict[str, Any]]:
        return MongoClient(self.url, tz_aware=True)

    @cached_property
    def _services(self) -> dict[str, str]:
        return {_digest(one.collections): one.name for one in services()}

    def begins(self, test: str) -> None:
        self._tests.append((datetime.now(UTC), test))

    def follow(self, name: str) -> None:
        """Have MongoDB note what processes will ask of this database."""
        database = self._client[name]
        database.create_collection("system.profile", capped=True, size=_PROFILE_BYTES)
        asked = {"appName": {"$gt": ""}, "op": {"$in": ["query", "command", "update", "remove"]}}
        database.command("profile", 1, filter=asked)
        self._followed.add(name)

    def started(self, event: Any) -> None:
        if _is_product() and not event.database_name.startswith(UNWATCHED):
            try:
                self._note(event.database_name, HERE, event.command, self._tests[-1][1])
            except Exception as error:  # noqa: BLE001 - pymongo would print it and go on
                self._is_lost(event.command_name, f"cannot be read: {error!r}")

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...

    def _note(self, database: str, way: str, command: Mapping[str, Any], test: str) -> None:
        for one in statements(command):
            key = (way, one.collection, one.shape)
            if key not in self._asked[database]:
                # A copy: what asked may change its own.
                asked = replace(one, command=bson.decode(bson.encode(one.command)))
                self._asked[database][key] = (asked, test)

    def judge(self, name: str) -> None:
        """Explain what was asked of this database, where that has a shape not met before."""
        if name in self._followed:
            self._read_profile(name)
        digests = sorted(one["_id"] for one in self._client[name]["prepared"].find({}, {"_id": 1}))
        for (way, *place), (statement, test) in self._asked.pop(name, {}).items():
            if digests:
                service = next((self._services[one] for one in digests if one in self._services), MADE_UP)
                self.ways.add((service, way))
                if (*digests, *place) not in self.judged:
                    self.judged[*digests, *place] = self._judged(name, service, statement, test)

    def _judged(self, name: str, service: str, statement: Statement, test: str) -> Judged:
        about = (service, statement.collection, statement.shape)
        try:
            stages = explain(self._client[name], statement)
        except PyMongoError as error:
            return Judged(*about, "", f"cannot be explained: {error}", test)
        return Judged(*about, told(stages), ", ".join(troubles(stages)), test)

    def _read_profile(self, name: str) -> None:
        if self._client[name].command("collStats", "system.profile")["size"] > 0.9 * _PROFILE_BYTES:
            self._is_lost("the profile", "is full, so that the oldest is gone")
        for entry in self._client[name]["system.profile"].find({}, {"execStats": 0}):
            test = self._tests[bisect(self._tests, (entry["ts"], "~")) - 1][1]
            if "$truncated" in entry["command"]:
                self._is_lost(entry["ns"], "is too long for the profile")
            else:
                self._note(name, IN_PROCESSES, profiled(entry), test)

    def _is_lost(self, what: str, why: str) -> None:
        self.judged[what, why] = Judged(MADE_UP, what, "a command", "", why, self._tests[-1][1])

    def report(self) -> dict[str, Any]:
        """All of it as plain values, which travel from one process to another."""
        never = [
            Judged(
                MADE_UP, one.collection, one.shape, "", f"nobody had {name} judged before dropping it", test
            )
            for name, asked in self._asked.items()
            for one, test in asked.values()
        ]
        judged = [*self.judged.values(), *never]
        return {"judged": [list(astuple(one)) for one in judged], "ways": [list(one) for one in self.ways]}


def _is_product() -> bool:
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith(_OURS):
            return frame.f_code.co_filename.startswith(_PRODUCT)
        frame = frame.f_back  # type: ignore[assignment]
    return False
