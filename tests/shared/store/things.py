"""A small aggregate for the store's own tests."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from pymongo.collection import Collection

from shared.ids import new_id
from shared.store.aggregates import Aggregates
from shared.store.indexes import aggregates, created, records

COLLECTIONS = (
    aggregates("things", [("practice_id", 1), ("at", -1), ("_id", -1)], [("practice_id", 1), ("_id", 1)]),
    records("r"),
    created("c"),
)


class ThingNotFound(Exception):
    """There is no such thing."""


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Part:
    name: str
    weight: int


@dataclass(frozen=True)
class ThingPainted:
    type: ClassVar = "thing.painted"
    thing_id: str
    colour: str


@dataclass
class Thing:
    id: str
    practice_id: str
    at: datetime
    colour: Colour = Colour.RED
    on: date | None = None
    parts: list[Part] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    version: int = 0
    events: list[Any] = field(default_factory=list)

    def paint(self, colour: Colour) -> None:
        self.colour = colour
        self.events.append(ThingPainted(self.id, colour))


def thing(at: datetime, practice_id: str = "p", **rest: Any) -> Thing:
    return Thing(new_id(), practice_id, at, **rest)


def things(collection: Collection[dict[str, Any]]) -> Aggregates[Thing]:
    return Aggregates(collection, Thing, ThingNotFound)
