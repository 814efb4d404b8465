"""The shapes of leave cover."""

from marshmallow import fields

from shared.web.schemas import Id, Moment, Schema


class CoverBody(Schema):
    covered_by = Id(required=True)
    since = Moment(required=True)
    until = Moment(required=True)


class CoverView(Schema):
    id = fields.String(required=True)
    member_id = fields.String(required=True)
    covered_by = fields.String(required=True)
    since = Moment(required=True)
    until = Moment(required=True)
    cancelled_at = Moment(required=True, allow_none=True)
