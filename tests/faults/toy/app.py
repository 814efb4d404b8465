"""The parts of toy.

The handlers of four events are bad, as long as the file that TOY_MENDED names is not there.
"""

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import fields

from shared.messaging.audience import INTERNAL
from shared.messaging.envelope import derived_id
from shared.messaging.link import HEARTBEAT
from shared.messaging.subscriber import EventSchema, Subscriber
from shared.service import Service
from shared.store.aggregates import Aggregates
from shared.store.indexes import aggregates, created
from shared.store.operations import Operation, create

PRACTICE = "practice-1"
SLEEP = 3.0 * HEARTBEAT


class LetterNotFound(Exception):
    """There is no such letter."""


@dataclass(frozen=True)
class Written:
    """A line of a letter; its handler is good."""

    type: ClassVar = "letter.written"
    audience: ClassVar = INTERNAL
    entry: str


@dataclass(frozen=True)
class Torn:
    """Its handler raises."""

    type: ClassVar = "letter.torn"
    audience: ClassVar = INTERNAL
    entry: str


@dataclass(frozen=True)
class Drowned:
    """Its handler raises OSError, as one that reads a file would."""

    type: ClassVar = "letter.drowned"
    audience: ClassVar = INTERNAL
    entry: str


@dataclass(frozen=True)
class Burnt:
    """Its handler kills the process, as one that is out of memory would."""

    type: ClassVar = "letter.burnt"
    audience: ClassVar = INTERNAL
    entry: str


@dataclass(frozen=True)
class Shelved:
    """Its handler sleeps three heartbeats."""

    type: ClassVar = "letter.shelved"
    audience: ClassVar = INTERNAL
    entry: str


EVENTS = (Written, Torn, Drowned, Burnt, Shelved)


@dataclass
class Letter:
    id: str
    practice_id: str = PRACTICE
    version: int = 0
    lines: int = 0
    events: list[Any] = field(default_factory=list)

    def say(self, *events: Any) -> "Letter":
        self.lines += len(events)
        self.events += events
        return self


def letters(database: Any) -> Aggregates[Letter]:
    return Aggregates(database["letters"], Letter, missing=LetterNotFound)


class EntrySchema(EventSchema):
    entry = fields.String(required=True)


subscriber = Subscriber("toy")


def _mended() -> bool:
    return Path(os.environ["TOY_MENDED"]).exists()


def _kept(event: Any) -> Operation:
    return create("entries", derived_id(event, "entry"), {"entry": event.data["entry"]})


@subscriber.on("letter.written", EntrySchema, source="toy")
def keep(event: Any) -> Any:
    yield _kept(event)


@subscriber.on("letter.torn", EntrySchema, source="toy")
def mend(event: Any) -> Any:
    if not _mended():
        raise ValueError("what a person wrote")
    yield _kept(event)


@subscriber.on("letter.drowned", EntrySchema, source="toy")
def dry(event: Any) -> Any:
    if not _mended():
        raise OSError("what a person wrote")
    yield _kept(event)


@subscriber.on("letter.burnt", EntrySchema, source="toy")
def quench(event: Any) -> Any:
    if not _mended():
        os.kill(os.getpid(), signal.SIGKILL)
    yield _kept(event)


@subscriber.on("letter.shelved", EntrySchema, source="toy")
def find(event: Any) -> Any:
    if not _mended():
        time.sleep(SLEEP)
    yield _kept(event)


service = Service(
    name="toy",
    title="Toy: letters, of which some cannot be handled.",
    events=EVENTS,
    collections=(aggregates("letters"), created("entries", [("practice_id", 1), ("entry", 1)])),
    apis=(),
    subscriber=subscriber,
    standings=lambda *_: set(),
)
