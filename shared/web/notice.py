"""The notice that an answer to a client's own words carries."""

from typing import Any

from flask import request
from marshmallow import fields

from shared import safety
from shared.store.client import StoreUnavailable
from shared.web.allows import SAFE
from shared.web.context import caller, database, service
from shared.web.schemas import Schema


class NoticeView(Schema):
    """Nobody reads along; where help is now."""

    text = fields.String(required=True)
    crisis_text = fields.String(required=True)


class Notice(fields.Nested):
    """Null, but in the answer to what a client has just written."""

    _CHECK_ATTRIBUTE = False

    def __init__(self) -> None:
        super().__init__(NoticeView, required=True, allow_none=True, dump_only=True)

    def _serialize(self, nested_obj: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        by = caller()
        if by.kind != "client" or request.method in SAFE:
            return None
        try:
            here = service().crisis_text(database(), by)
        except StoreUnavailable:
            # What they wrote is stored: that must not be told as a failure, and help must be named.
            here = None
        return {"text": safety.NOBODY_WATCHES, "crisis_text": here or safety.UNTIL_KNOWN}
