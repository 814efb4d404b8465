"""Aggregates with nothing in them but what a test is about, whatever other fields their class has."""

import dataclasses
import types
from datetime import date, datetime
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from shared.clock import now

T = TypeVar("T")


def filled(of: type[T], **known: Any) -> T:
    """One with these values where it has such fields, its defaults, and something plain in all others."""
    hints = get_type_hints(of)
    given = {}
    for field in dataclasses.fields(of):  # type: ignore[arg-type]
        if field.name in known:
            given[field.name] = known[field.name]
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            given[field.name] = _plain(hints[field.name])
    return of(**given)


def _plain(type: Any) -> Any:
    origin = get_origin(type)
    if origin in (Union, types.UnionType):
        return None if types.NoneType in get_args(type) else _plain(get_args(type)[0])
    if origin is not None:
        return origin()
    if dataclasses.is_dataclass(type):
        return filled(type)
    if issubclass(type, Enum):
        return next(iter(type))
    if issubclass(type, datetime):
        return now()
    return date(2026, 11, 20) if issubclass(type, date) else "x" if issubclass(type, str) else type()
