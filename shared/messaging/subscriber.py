"""Events in: a handler is declared like a route, and is a pure function from one event to operations."""

import builtins
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema

from shared.messaging.envelope import Event, source_of
from shared.store.operations import Operation

Handler = Callable[[Event], Iterable[Operation] | None]
Dependencies = Callable[[Event], Iterable[tuple[str, str]]]


class HandlerTwice(Exception):
    """Two handlers of one type must not share a name: their derived ids would be the same."""


class EventSchema(Schema):
    """Names the fields of an event that are read here; the others are nobody's business."""

    class Meta:
        unknown = EXCLUDE


@dataclass(frozen=True, slots=True)
class Registration:
    """One handler with what it listens to."""

    type: str
    name: str
    scope: str
    source: str
    schema: Schema
    handler: Handler
    after: Dependencies | None

    def load(self, event: Event) -> Event:
        """The event as this handler sees it; raises marshmallow's ValidationError."""
        data: dict[str, Any] = self.schema.load(event.data)
        return Event(
            event.id,
            event.type,
            event.source,
            event.subject,
            event.time,
            event.practice_id,
            event.sequence,
            event.correlation_id,
            event.causation_id,
            event.traceparent,
            data,
            self.scope,
        )


class Subscriber:
    """What one service listens to."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._registrations: dict[str, list[Registration]] = {}

    @property
    def types(self) -> list[str]:
        return sorted(self._registrations)

    @property
    def registrations(self) -> list[Registration]:
        return [one for type in self.types for one in self._registrations[type]]

    def of_type(self, type: str) -> list[Registration]:
        return self._registrations.get(type, [])

    def on(
        self, type: str, schema: "builtins.type[Schema]", *, source: str, after: Dependencies | None = None
    ) -> Callable[[Handler], Handler]:
        """Hand each event of `type` to the decorated function, once `source` is who said it.

        `after` names the (collection, id) pairs of read-model documents that must be there first.
        """

        def register(handler: Handler) -> Handler:
            name = handler.__name__
            ours = self._registrations.setdefault(type, [])
            if any(other.name == name for other in ours):
                raise HandlerTwice(f"{self.service} has two handlers {name} of {type}; rename one.")
            scope = f"{self.service}.{name}"
            ours.append(Registration(type, name, scope, source_of(source), schema(), handler, after))
            return handler

        return register
