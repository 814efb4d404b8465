"""The shapes of episodes."""

from marshmallow import fields

from shared.web.schemas import Id, Moment, Schema


class EpisodeBody(Schema):
    clinician_id = Id(load_default=None, metadata={"description": "Left out: the caller."})


class EpisodeView(Schema):
    id = fields.String(required=True)
    client_id = fields.String(required=True)
    clinician_id = fields.String(required=True)
    status = fields.String(required=True)
    started_at = Moment(required=True)
