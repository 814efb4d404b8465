"""The contract of an event: JSON Schema 2020-12 of the whole CloudEvent, derived from its dataclass."""

import dataclasses
import inspect
import types
import typing
from datetime import date, datetime
from typing import Any

from shared.messaging.envelope import dataschema_of, source_of

_SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
}
_TEXT = {"type": "string", "minLength": 1}
_ALWAYS = (
    "specversion id type source subject time datacontenttype dataschema practiceid partitionkey sequence data"
)


class NoContract(Exception):
    """An event's field is of a type that contracts do not have."""


def schema(event_class: type, service: str) -> dict[str, Any]:
    """The contract of what `service` says; the same class gives the same schema, in the same order."""
    type_ = typing.cast(Any, event_class).type
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": dataschema_of(type_),
        "title": type_,
        "description": inspect.cleandoc(event_class.__doc__ or ""),
        "x-audience": typing.cast(Any, event_class).audience,
        "x-source": service,
        "type": "object",
        "properties": _envelope(type_, service) | {"data": _data(event_class)},
        "required": _ALWAYS.split(),
    }


def _envelope(type_: str, service: str) -> dict[str, Any]:
    return {
        "specversion": {"const": "1.0"},
        "id": _TEXT,
        "type": {"const": type_},
        "source": {"const": source_of(service)},
        "subject": _TEXT,
        "time": _SCALARS[datetime],
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"const": dataschema_of(type_)},
        "practiceid": _TEXT,
        "partitionkey": _TEXT,
        "sequence": {"type": "string", "pattern": "^[0-9]{20}$"},
        "correlationid": _TEXT,
        "causationid": _TEXT,
        "traceparent": _TEXT,
    }


def _data(event_class: type) -> dict[str, Any]:
    hints = typing.get_type_hints(event_class)
    fields = dataclasses.fields(event_class)
    return {
        "type": "object",
        "properties": {field.name: _field(hints[field.name], event_class, field.name) for field in fields},
        "required": [field.name for field in fields if _required(field)],
    }


def _required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _field(hint: Any, event_class: type, name: str) -> dict[str, Any]:
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union) and len(arguments) == 2 and type(None) in arguments:
        (other,) = (argument for argument in arguments if argument is not type(None))
        return _or_null(_field(other, event_class, name))
    if origin is list:
        return {"type": "array", "items": _field(arguments[0], event_class, name)}
    if origin is dict and arguments[0] is str:
        return {"type": "object", "additionalProperties": _field(arguments[1], event_class, name)}
    raise NoContract(
        f"{event_class.__name__}.{name} is {hint}; use str, int, bool, datetime, date, `X | None`, "
        "list[X] or dict[str, X]."
    )


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return schema | {"type": [schema["type"], "null"]}
