"""The shapes of apps and grants."""

from collections.abc import Sequence
from typing import Any

from marshmallow import fields
from marshmallow.validate import Length, OneOf

from services.practices.schemas.parts import Strings
from shared.security.policy import PUBLIC_EVENTS, SCOPES
from shared.web.schemas import Id, Moment, Schema


class AppView(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    homepage = fields.String(required=True, allow_none=True)


def _some_of(names: Sequence[str], **rest: Any) -> fields.List:
    return fields.List(fields.String(validate=OneOf(names)), validate=Length(0, 100), **rest)


class GrantBody(Schema):
    app_id = Id(required=True)
    event_types = _some_of(PUBLIC_EVENTS, required=True)
    scopes = _some_of(SCOPES, required=True)


class GrantChangeBody(Schema):
    """What is left out stays as it is."""

    event_types = _some_of(PUBLIC_EVENTS)
    scopes = _some_of(SCOPES)


class GrantView(Schema):
    id = fields.String(required=True)
    app_id = fields.String(required=True)
    event_types = Strings(required=True)
    scopes = Strings(required=True)
    given_at = Moment(required=True)
    revoked_at = Moment(required=True, allow_none=True)
