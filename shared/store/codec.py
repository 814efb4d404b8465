"""Dataclasses to documents and back: dates as ISO text, sets as sorted lists, enums by value."""

from datetime import date, datetime
from typing import Any, TypeVar

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
