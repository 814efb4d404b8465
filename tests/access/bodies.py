"""A body that a route takes, made from its schema, so that a new route needs none written by hand.

A text is whichever of `TEXTS` its field takes; what cannot be made like this is given in `GIVEN`.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from shared.clock import now
from shared.web.schemas import Id

AT = now()
"""The same for all bodies: those of one route differ by what is sent on purpose only."""
TEXTS = (
    "en",
    "somebody.new@example.org",
    "Europe/Lisbon",
    "https://app.example/hook",
    "goal.agreed",
    "09:00",
    f"{AT.date() + timedelta(days=30)}T10:00",
    "FREQ=WEEKLY;COUNT=2",
    "PT50M",
    "123456",
    "#336699",
    "somewhere",
)
GIVEN: dict[str, dict[str, Any]] = {
    "FeedbackBody": {
        "session_on": "2026-01-21",
        "ratings": dict.fromkeys(("heard", "mattered", "pace", "could_say", "usable"), 5),
    },
    "LookBody": {"email": "mail-of-{client_id}@example.org", "reason": "ten characters or more"},
    "GrantBody": {"app_id": "app-ungranted", "event_types": ["goal.agreed"], "scopes": ["goal.read"]},
    "MemberChangeBody": {"roles": ["clinician", "supervisor"], "supervises": ["{colleague_id}"]},
}
"""Whole bodies, by schema: of one that wants either this field or that, say; ids take their places in it."""


class NoExample(Exception):
    """Nothing that this field takes is known."""


def body_of(schema: Schema, ids: Mapping[str, str]) -> dict[str, Any]:
    """What is required, and every id: the one that is called so, or else a colleague's."""
    given = GIVEN.get(type(schema).__name__, {})
    body = {name: _placed(value, ids) for name, value in given.items()} or {
        name: _value(schema, name, field, ids)
        for name, field in schema.fields.items()
        if not field.dump_only and (field.required or _is_id(field))
    }
    try:
        schema.load(body)
    except ValidationError as error:
        raise NoExample(
            f"{type(schema).__name__} does not take {body}: {error.messages}. Give one in GIVEN of "
            "tests/access/bodies.py."
        ) from error
    return body


def _placed(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_placed(one, ids) for one in value]
    return value.format(**ids) if isinstance(value, str) else value


def _is_id(field: Any) -> bool:
    return isinstance(field.inner if isinstance(field, fields.List) else field, Id)


def _value(schema: Schema, name: str, field: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(field, Id):
        return ids.get(name, ids["colleague_id"])
    if isinstance(field, fields.DateTime):
        # Later fields are later times: what has a beginning and an end has them in this order.
        soon = AT + timedelta(days=2, hours=list(schema.fields).index(name))
        return soon.isoformat(timespec="seconds")
    return _example(name, field, ids)


def _example(name: str, field: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(field, fields.Nested):
        nested = body_of(field.schema, ids)
        return [nested] if field.many else nested
    if isinstance(field, fields.List):
        singular = name.removesuffix("s")
        if isinstance(field.inner, Id):
            return [ids.get(f"{singular}_id", ids["colleague_id"])]
        return [_example(singular, field.inner, ids)]
    if isinstance(field, fields.Dict):
        return {_plain("key", field.key_field): _plain("value", field.value_field)}
    return _plain(name, field)


def _plain(name: str, field: Any) -> Any:
    for value in _candidates(field):
        try:
            if field is not None:
                field.deserialize(value)
        except ValidationError:
            continue
        return value
    raise NoExample(
        f"The field {name} ({type(field).__name__}) takes none of TEXTS: add one that it takes to "
        "tests/access/bodies.py."
    )


def _candidates(field: Any) -> list[Any]:
    rules = [*getattr(field, "validators", ())]
    chosen = [one.choices[0] for one in rules if isinstance(one, validate.OneOf)]
    equal = [one.comparable for one in rules if isinstance(one, validate.Equal)]
    bounds = [one.min for one in rules if isinstance(one, validate.Range) and one.min is not None]
    return [*equal, *chosen, *bounds, *_of_type(field), *TEXTS]


def _of_type(field: Any) -> list[Any]:
    if isinstance(field, fields.Enum):
        return [one.value for one in field.enum if isinstance(one, Enum)]
    if isinstance(field, fields.Boolean):
        return [True]
    if isinstance(field, fields.Number):
        return [1, 60]
    if isinstance(field, fields.DateTime):
        return [AT.isoformat(timespec="seconds")]
    if isinstance(field, fields.Date):
        return [f"{AT.date() + timedelta(days=30)}", f"{AT.date()}"]
    return []
