"""The fields of practices' events that every service reads: who may see whom, and where help is."""

from marshmallow import fields

from shared.messaging.subscriber import EventSchema


class PracticeOpened(EventSchema):
    languages = fields.List(fields.String(), required=True)
    crisis_texts = fields.Dict(fields.String(), fields.String(), required=True)


class MemberInvited(EventSchema):
    member_id = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    # Not said by the first release.
    supervises = fields.List(fields.String(), load_default=list)


class MemberJoined(MemberInvited):
    pass


class MemberChanged(MemberJoined):
    active = fields.Boolean(required=True)


class MemberSuspended(EventSchema):
    member_id = fields.String(required=True)


class MemberReinstated(MemberSuspended):
    pass


class MemberRemoved(MemberSuspended):
    pass


class CoverArranged(EventSchema):
    cover_id = fields.String(required=True)
    member_id = fields.String(required=True)
    covered_by = fields.String(required=True)
    since = fields.AwareDateTime(required=True)
    until = fields.AwareDateTime(required=True)


class CoverCancelled(EventSchema):
    cover_id = fields.String(required=True)


class MemberSignedOut(EventSchema):
    member_id = fields.String(required=True)
    ended = fields.Dict(fields.String(), fields.AwareDateTime(), required=True)


class ClientEnrolled(EventSchema):
    client_id = fields.String(required=True)
    language = fields.String(required=True)


class ClientSignedOut(EventSchema):
    client_id = fields.String(required=True)
    ended = fields.Dict(fields.String(), fields.AwareDateTime(), required=True)


class ClientConsented(EventSchema):
    client_id = fields.String(required=True)
    app_id = fields.String(required=True)
    given_at = fields.AwareDateTime(required=True)
    covers = fields.List(fields.String(), load_default=None)


class ClientConsentWithdrawn(EventSchema):
    client_id = fields.String(required=True)
    app_id = fields.String(required=True)


class EpisodeChanged(EventSchema):
    """What every event of an episode says."""

    episode_id = fields.String(required=True)
    client_id = fields.String(required=True)
    clinician_id = fields.String(required=True)
    status = fields.String(load_default="active")


class EpisodePlanned(EpisodeChanged):
    starts_at = fields.AwareDateTime(required=True)


class EpisodeStarted(EpisodeChanged):
    started_at = fields.AwareDateTime(required=True)


class GrantGiven(EventSchema):
    grant_id = fields.String(required=True)
    app_id = fields.String(required=True)
    event_types = fields.List(fields.String(), required=True)
    scopes = fields.List(fields.String(), required=True)
    given_at = fields.AwareDateTime(required=True)
    since = fields.Dict(fields.String(), fields.AwareDateTime(), load_default=dict)


class GrantRevoked(EventSchema):
    grant_id = fields.String(required=True)


class Looked(EventSchema):
    look_id = fields.String(required=True)
    client_id = fields.String(required=True)
    member_id = fields.String(required=True)
    ends_at = fields.AwareDateTime(required=True)


class MemberSnapshot(MemberChanged):
    ended = fields.Dict(fields.String(), fields.AwareDateTime(), required=True)


class CoverSnapshot(CoverArranged):
    active = fields.Boolean(required=True)


class ClientSnapshot(ClientEnrolled):
    consents = fields.Dict(fields.String(), fields.AwareDateTime(), required=True)
    withdrawn = fields.List(fields.String(), required=True)
    covers = fields.Dict(fields.String(), fields.List(fields.String()), load_default=dict)
    ended = fields.Dict(fields.String(), fields.AwareDateTime(), required=True)


class GrantSnapshot(GrantGiven):
    active = fields.Boolean(required=True)
