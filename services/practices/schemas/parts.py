"""What several shapes are made of."""

from functools import cache, partial
from typing import Any
from zoneinfo import available_timezones

from marshmallow import ValidationError, fields
from marshmallow.validate import OneOf, Regexp

from shared.web.schemas import Schema, Text

# Plain addresses only: any other could not be written into a mail's header as it stands.
_ATOM, _LABEL = r"[A-Za-z0-9_%+'-]{1,64}", r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = rf"^{_ATOM}(\.{_ATOM}){{0,8}}@{_LABEL}(\.{_LABEL}){{1,4}}$"
LANGUAGE = r"^[a-z]{2,3}(-[A-Z]{2})?$"
NAMED = r"^[a-z]{1,30}\.[a-z_]{1,40}$"

Texts = partial(fields.Dict, keys=fields.String(), values=fields.String())
Strings = partial(fields.List, fields.String())


class Sorted(fields.List):
    """The strings of a set, which has no order of its own."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(fields.String(), **rest)

    def _serialize(self, value: Any, *about: Any, **rest: Any) -> Any:
        return super()._serialize(sorted(value), *about, **rest)


def exactly(pattern: str, **rest: Any) -> fields.String:
    # Python's $ also matches before a line feed at the end.
    return fields.String(validate=[Regexp(pattern), _one_line], **rest)


def _one_line(text: str) -> None:
    if "\n" in text:
        raise ValidationError("Must be one line.")


@cache
def timezones() -> list[str]:
    return sorted(available_timezones())


class Timezone(fields.String):
    """An IANA time zone."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(validate=OneOf(timezones()), **rest)


class PersonBody(Schema):
    display_name = Text(200, required=True)
    email = exactly(EMAIL, required=True)
    language = exactly(LANGUAGE, required=True, metadata={"example": "pt-BR"})
    timezone = Timezone(required=True)


class PersonView(Schema):
    id = fields.String(required=True)
    display_name = fields.String(required=True)
    email = fields.String(required=True, metadata={"description": "Empty for who does not need it."})
    language = fields.String(required=True)
    timezone = fields.String(required=True)
