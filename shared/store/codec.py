"""Dataclasses to documents and back: dates as ISO text, sets as sorted lists, enums by value."""

from collections.abc import Collection
from dataclasses import MISSING, fields
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar, get_type_hints

from cattrs import Converter

T = TypeVar("T")


def _converter() -> Converter:
    converter = Converter(unstruct_collection_overrides={set: sorted, frozenset: sorted})
    converter.register_unstructure_hook(date, lambda day: day.isoformat())
    converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
    converter.register_unstructure_hook(datetime, lambda at: at)
    converter.register_structure_hook(datetime, lambda at, _: at)
    return converter


_CONVERTER = _converter()


def to_document(thing: Any) -> dict[str, Any]:
    return _CONVERTER.unstructure(thing)


def from_document(document: dict[str, Any], of: type[T]) -> T:
    return _CONVERTER.structure(document, of)


def from_part(document: dict[str, Any], of: type[T], without: Collection[str]) -> T:
    """A dataclass that lacks these fields: whoever asks for one meets an AttributeError, or its default."""
    thing, hints = object.__new__(of), _hints(of)  # type: ignore[arg-type]
    for one in fields(of):  # type: ignore[arg-type]
        if one.name in without:
            continue
        if one.name in document:
            value = _CONVERTER.structure(document[one.name], hints[one.name])
        else:
            value = one.default if one.default_factory is MISSING else one.default_factory()
        object.__setattr__(thing, one.name, value)
    return thing


@cache
def _hints(of: type) -> dict[str, Any]:
    return get_type_hints(of)
