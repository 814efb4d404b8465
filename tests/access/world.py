"""One service with the whole cast in its database, as often as wanted as it was at first."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any
from uuid import uuid4

from pymongo import MongoClient
from pymongo.monitoring import CommandListener

from shared.store.indexes import prepare
from shared.store.lock.database import DATA_KEYS, KEY_VAULT, OwnDatabase
from shared.store.lock.master import Master
from shared.web.application import create_app
from tests.access import facts, practices
from tests.access.cast import ENDED, Caller, cast
from tests.access.records import MAKERS, SCENES, Record
from tests.access.sending import Answer, Request, send
from tests.issuer import Issuer
from tests.queries.hooks import WATCH
from tests.requests import MASTER_KEY, settings_of

WRITES = {"insert", "update", "delete", "findAndModify", "findandmodify"}
Command = tuple[str, Any]
Document = dict[str, Any]
NOTHING = Answer(0, (), b"")
KEPT = {KEY_VAULT, DATA_KEYS}
"""A key that was made stays: nobody can tell by it what it is for."""


class Commands(CommandListener):
    """What was asked of the database since it was last looked at: (command, collection)."""

    def __init__(self) -> None:
        self._asked: list[Command] = []

    def started(self, event: Any) -> None:
        self._asked.append((event.command_name, event.command.get(event.command_name)))

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...

    def taken(self) -> tuple[Command, ...]:
        asked, self._asked = tuple(self._asked), []
        return asked


class World:
    """A service, its database, and everybody in it."""

    def __init__(self, service: Any, database: Any, commands: Commands) -> None:
        self.service, self.database, self._commands = service, database, commands
        self.settings = settings_of(service.name)
        self._issuer, self._forger = Issuer(), Issuer()
        # Partners knows no people, and so no sign-ins of theirs.
        apps_only = service.name == "partners"
        self.callers = [one for one in cast() if not (apps_only and one.claims == "ended")]
        verifier = self._issuer.verifier()
        self.app = create_app(service, self.settings, database, verifier)
        self.records: dict[tuple[str, str], list[Record]] = {}
        """By path variable and tag of the scene."""
        self.planted: list[Record] = []
        self._fill()
        self._tokens = {caller: self._token(caller) for caller in self.callers}
        self._first = {name: list(database[name].find()) for name in database.list_collection_names()}

    def _fill(self) -> None:
        prepare(self.database, self.service.collections)
        if self.service.name == "practices":
            self.planted += practices.tell(self.database, self.settings, self.callers)
        else:
            names = {one.name for one in self.service.collections}
            facts.tell(self.database, names, self.callers)
        for variable, (service, make) in MAKERS.items():
            for scene in SCENES if service == self.service.name else ():
                made = [make(self.database, self.settings, scene, number) for number in (1, 2)]
                self.records[variable, scene.tag] = made
                self.planted += [*made, *(part for one in made for part in one.within)]

    def ask(self, caller: Caller, request: Request) -> tuple[Answer, tuple[Command, ...]]:
        """The answer, and what it cost; whatever it changed is undone."""
        answer, asked = self._send(caller, request)
        self.restore({str(name) for kind, name in asked if kind in WRITES})
        return answer, asked

    def _send(self, caller: Caller, request: Request) -> tuple[Answer, tuple[Command, ...]]:
        self._commands.taken()
        answer = send(self.app, request, self._tokens[caller])
        return answer, self._commands.taken()

    def restore(self, names: set[str]) -> None:
        for name in names - KEPT:
            self.database[name].delete_many({})
            if self._first.get(name):
                self.database[name].insert_many(self._first[name])

    @contextmanager
    def after(self, made: tuple[Caller, Request] | None) -> Iterator[Answer]:
        """With what this request makes kept meanwhile."""
        before = dict(self._first)
        answer, asked = self._send(*made) if made else (NOTHING, ())
        names = {str(name) for kind, name in asked if kind in WRITES}
        self._first |= {name: list(self.database[name].find()) for name in names}
        yield answer
        self._first = before
        self.restore(names)

    @contextmanager
    def without(self, hidden: Iterable[Record]) -> Iterator[None]:
        """As if these had never been."""
        removed: dict[str, list[Document]] = {}
        for name in {one.collection for one in hidden} - {""}:
            ids = {one.id for one in hidden if one.collection == name}
            removed[name] = [found for found in self._first[name] if found["_id"] in ids]
            self.database[name].delete_many({"_id": {"$in": [*ids]}})
        yield
        for name, documents in removed.items():
            self.database[name].insert_many(documents)

    def _token(self, caller: Caller) -> str | None:
        if caller.claims in ("none", "garbage"):
            return {"none": None, "garbage": "not.a.token"}[caller.claims]
        sign_in = None if caller.kind == "app" else ENDED if caller.claims == "ended" else "s1"
        named = {"sub": caller.id, "kind": caller.kind, "practice": caller.practice, "sid": sign_in}
        if caller.claims == "forged":
            return self._forger.token(**named)
        late = -1_000 if caller.claims == "expired" else 0
        at = int(time.time()) + late
        return self._issuer.token(**named, iat=at, exp=at + 900)


@contextmanager
def world_of(service: Any, mongo_url: str) -> Iterator[World]:
    commands, name = Commands(), f"test_access_{uuid4().hex[:12]}_{service.name}"
    with MongoClient[Document](
        mongo_url, tz_aware=True, tzinfo=UTC, timeoutMS=5000, w="majority", event_listeners=[commands]
    ) as client:
        # Keys are remembered for no time, so that it shows in the costs where one is looked for.
        yield World(service, OwnDatabase(client, name, Master(MASTER_KEY), remembered=0), commands)
        WATCH.judge(name)
        client.drop_database(name)
