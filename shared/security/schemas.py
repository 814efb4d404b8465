"""The fields of practices' events that every service reads: who may see whom, and where help is."""

from marshmallow import fields

from shared.messaging.subscriber import EventSchema


class PracticeOpened(EventSchema):
    languages = fields.List(fields.String(), required=True)
    crisis_texts = fields.Dict(fields.String(), fields.String(), required=True)


class MemberJoined(EventSchema):
    member_id = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)


class MemberSuspended(EventSchema):
    member_id = fields.String(required=True)


class MemberSignedOut(EventSchema):
    member_id = fields.String(required=True)
    ended = fields.Dict(fields.String(), fields.AwareDateTime(), required=True)


class ClientEnrolled(EventSchema):
    client_id = fields.String(required=True)
    language = fields.String(required=True)


class ClientJoined(EventSchema):
    client_id = fields.String(required=True)


class ClientChanged(EventSchema):
    client_id = fields.String(required=True)
    language = fields.String(required=True)


class ClientSignedOut(EventSchema):
    client_id = fields.String(required=True)
    ended = fields.Dict(fields.String(), fields.AwareDateTime(), required=True)


class ClientConsented(EventSchema):
    client_id = fields.String(required=True)
    app_id = fields.String(required=True)
    given_at = fields.AwareDateTime(required=True)


class ClientConsentWithdrawn(EventSchema):
    client_id = fields.String(required=True)
    app_id = fields.String(required=True)


class EpisodeStarted(EventSchema):
    episode_id = fields.String(required=True)
    client_id = fields.String(required=True)
    clinician_id = fields.String(required=True)
    started_at = fields.AwareDateTime(required=True)


class GrantGiven(EventSchema):
    grant_id = fields.String(required=True)
    app_id = fields.String(required=True)
    event_types = fields.List(fields.String(), required=True)
    scopes = fields.List(fields.String(), required=True)
    given_at = fields.AwareDateTime(required=True)


class GrantRevoked(EventSchema):
    grant_id = fields.String(required=True)


class MemberSnapshot(MemberJoined):
    active = fields.Boolean(required=True)
    ended = fields.Dict(fields.String(), fields.AwareDateTime(), required=True)


class ClientSnapshot(ClientEnrolled):
    consents = fields.Dict(fields.String(), fields.AwareDateTime(), required=True)
    withdrawn = fields.List(fields.String(), required=True)
    ended = fields.Dict(fields.String(), fields.AwareDateTime(), required=True)


class EpisodeSnapshot(EpisodeStarted):
    active = fields.Boolean(required=True)


class GrantSnapshot(GrantGiven):
    active = fields.Boolean(required=True)
