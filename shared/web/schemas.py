"""The base of every body and view, and the fields that more than two services want.

Nothing is converted: a text must come as a text, a number as a number, and what is unknown is refused.
"""

import re
import unicodedata
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Any

from marshmallow import RAISE, fields, validate
from marshmallow import Schema as MarshmallowSchema

_NO_CONTROLS = r"[^\x00-\x1f\x7f-\x9f]"
_WITH_LINES = r"[^\x00-\x08\x0b-\x1f\x7f-\x9f]"
# Neither white space nor one of the characters that leave no mark: a text of only those says nothing.
_VISIBLE = r"[^\s\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
_ID = r"^[0-9A-Za-z_-]{1,64}$"
_MOMENT = r"^20\d{2}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$"
_DAY = r"^(19|20|21)\d{2}-\d{2}-\d{2}$"


class Schema(MarshmallowSchema):
    """Refuses unknown fields."""

    class Meta:
        unknown = RAISE


class Text(fields.String):
    """What a person writes, stripped: 1 to `most` characters, one of them visible; `lines` may break it."""

    def __init__(self, most: int, *, lines: bool = False, **rest: Any) -> None:
        allowed = _WITH_LINES if lines else _NO_CONTROLS
        pattern = f"^{allowed}*{_VISIBLE}{allowed}*$"
        super().__init__(metadata={"minLength": 1, "maxLength": most, "pattern": pattern}, **rest)
        self._most = most
        self._allowed = re.compile(f"{allowed}*")

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        text = text.replace("\r\n", "\n")
        if not self._allowed.fullmatch(text):
            raise validate.ValidationError("Control characters are not allowed.")
        text = unicodedata.normalize("NFC", text.strip())
        if not re.search(_VISIBLE, text):
            raise validate.ValidationError("Must not be empty.")
        if len(text) > self._most:
            raise validate.ValidationError(f"Longer than {self._most} characters.")
        return text


class Id(fields.String):
    """An id as Tandem makes them."""

    def __init__(self, **rest: Any) -> None:
        valid = validate.Regexp(_ID, error="Not an id.")
        super().__init__(validate=valid, **rest)


class Whole(fields.Integer):
    """A whole number from `least` to `most`; `text`: in a query, where everything is text."""

    def __init__(self, least: int, most: int, *, text: bool = False, **rest: Any) -> None:
        super().__init__(validate=validate.Range(least, most), **rest)
        self._text = text

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if self._text and isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,16}", value):
            return int(value)
        # JSON Schema counts 3.0 among the integers.
        if type(value) is float and value.is_integer():
            value = int(value)
        if self._text or type(value) is not int:
            raise self.make_error("invalid")
        return value


class Flag(fields.Boolean):
    """true or false; `text`: in a query, where everything is text."""

    def __init__(self, *, text: bool = False, **rest: Any) -> None:
        super().__init__(**rest)
        self._text = text

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if self._text and value in ("true", "false"):
            return bool(value == "true")
        if self._text or not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Choice(fields.Enum):
    """One of an enumeration's values."""

    def __init__(self, of: type[Enum], **rest: Any) -> None:
        super().__init__(of, by_value=fields.String, **rest)


class Moment(fields.AwareDateTime):
    """A time with its offset (RFC 3339), kept in UTC and whole milliseconds."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(metadata={"pattern": _MOMENT}, **rest)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> datetime:
        if not (isinstance(value, str) and re.fullmatch(_MOMENT, value, re.ASCII)):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        try:
            at = datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from error
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def _serialize(self, value: datetime | None, attr: Any, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Day(fields.Date):
    """A calendar day."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(metadata={"pattern": _DAY}, **rest)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> date:
        if not (isinstance(value, str) and re.fullmatch(_DAY, value, re.ASCII)):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from error


class PageQuery(Schema):
    """How much of a list, and from where; a list with filters adds its own fields."""

    limit = Whole(1, 100, text=True, load_default=50)
    cursor = Text(1024)


@cache
def page_of(view: type[MarshmallowSchema]) -> type[MarshmallowSchema]:
    """The shape of one page of a list of such views."""
    shape: dict[str, fields.Field[Any]] = {
        "items": fields.List(fields.Nested(view), required=True),
        "next": fields.String(required=True, allow_none=True),
    }
    return Schema.from_dict(shape, name=f"{view.__name__}Page")
