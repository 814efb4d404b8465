"""A small aggregate with words of somebody's, for the tests of the lock."""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.clock import now
from shared.ids import new_id
from shared.store.aggregates import Aggregates
from shared.store.indexes import aggregates
from shared.store.lock.database import REMEMBERED, OwnDatabase
from shared.store.lock.fields import PRIVATE, RECORD
from shared.store.lock.master import Master

COLLECTIONS = (aggregates("letters", [("practice_id", 1), ("_id", 1)]), aggregates("cards"))
OTHER_KEY = base64.b64encode(bytes(range(100, 196))).decode()


class LetterNotFound(Exception):
    """There is no such letter."""


@dataclass
class Reply:
    text: str
    at: datetime


@dataclass
class Letter:
    id: str
    practice_id: str
    client_id: str
    text: str
    draft: str | None = None
    reply: Reply | None = None
    read: bool = False
    version: int = 0
    events: list[Any] = field(default_factory=list)


class Letters(Aggregates[Letter]):
    def __init__(self, database: OwnDatabase, collection: str = "letters") -> None:
        encrypted = {"text": RECORD, "reply": RECORD, "draft": PRIVATE}
        super().__init__(database[collection], Letter, LetterNotFound, encrypted, whose="client_id")


def letter(text: str, client_id: str = "ada", practice_id: str = "elm", **rest: Any) -> Letter:
    return Letter(new_id(), practice_id, client_id, text, **rest)


def reply(text: str) -> Reply:
    at = now()
    # As precise as MongoDB.
    return Reply(text, at.replace(microsecond=at.microsecond // 1_000 * 1_000))


def under(database: OwnDatabase, key: str, former: str = "", remembered: float = REMEMBERED) -> OwnDatabase:
    """The same database, as a process with this master key opens it."""
    return OwnDatabase(database.client, database.name, Master(key, former), remembered)


def flipped(sealed: bytes, at: int) -> bytes:
    return sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
