"""The shapes of apps and grants."""

from marshmallow import fields
from marshmallow.validate import Length

from services.practices.schemas.parts import NAMED, Strings, exactly
from shared.web.schemas import Id, Moment, Schema


class AppView(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)


class GrantBody(Schema):
    app_id = Id(required=True)
    event_types = fields.List(exactly(NAMED), required=True, validate=Length(0, 100))
    scopes = fields.List(exactly(NAMED), required=True, validate=Length(0, 100))


class GrantView(Schema):
    id = fields.String(required=True)
    app_id = fields.String(required=True)
    event_types = Strings(required=True)
    scopes = Strings(required=True)
    given_at = Moment(required=True)
    revoked_at = Moment(required=True, allow_none=True)
