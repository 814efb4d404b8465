"""The shapes of notifications: in events and in answers."""

from marshmallow import fields

from services.notifications.domain import SENTENCES
from shared.messaging.subscriber import EventSchema
from shared.web.schemas import Id, Moment, Schema, page_of


class MemberJoined(EventSchema):
    member_id = fields.String(required=True)
    display_name = fields.String(required=True)


class PersonContactSet(EventSchema):
    person_id = fields.String(required=True)
    contact = fields.String(required=True, allow_none=True)


class ClientEnrolled(EventSchema):
    client_id = fields.String(required=True)
    display_name = fields.String(required=True)


class ClientJoined(EventSchema):
    client_id = fields.String(required=True)
    enrolled_by = fields.String(required=True)


class EpisodeTold(EventSchema):
    episode_id = fields.String(required=True)
    client_id = fields.String(required=True)
    clinician_id = fields.String(required=True)


class EpisodePaused(EpisodeTold):
    paused_by = fields.String(required=True)


class EpisodeResumed(EpisodeTold):
    resumed_by = fields.String(required=True)


class EpisodeEnded(EpisodeTold):
    ended_by = fields.String(required=True)


class EpisodeClosed(EpisodeTold):
    closed_by = fields.String(required=True, allow_none=True)


class WishTold(EpisodeTold):
    wish_id = fields.String(required=True)
    told = fields.List(fields.String(), required=True)


class WishSettled(EpisodeTold):
    wish_id = fields.String(required=True)
    settled_by = fields.String(required=True)


class GoalProposed(EventSchema):
    goal_id = fields.String(required=True)
    client_id = fields.String(required=True)
    clinician_id = fields.String(required=True)
    proposed_by = fields.String(required=True)


class GoalAgreed(EventSchema):
    goal_id = fields.String(required=True)
    client_id = fields.String(required=True)
    clinician_id = fields.String(required=True)
    agreed_by = fields.String(required=True)


class GoalDeclined(EventSchema):
    goal_id = fields.String(required=True)
    client_id = fields.String(required=True)
    clinician_id = fields.String(required=True)
    declined_by = fields.String(required=True)


class FeedbackGiven(EventSchema):
    feedback_id = fields.String(required=True)
    client_id = fields.String(required=True)
    clinician_id = fields.String(required=True)


class FeedbackAnswered(FeedbackGiven):
    pass


class GlassBroken(EventSchema):
    client_id = fields.String(required=True)
    member_id = fields.String(required=True)
    owner_ids = fields.List(fields.String(), required=True)


class NotificationView(Schema):
    """One entry of an inbox; about_id is a goal, feedback, a client, an episode or a wish."""

    id = Id(required=True)
    kind = fields.String(required=True, metadata={"enum": sorted(SENTENCES)})
    text = fields.String(required=True)
    about_id = Id(required=True)
    at = Moment(required=True)
    read_at = Moment(required=True, allow_none=True)


class UnreadView(Schema):
    unread = fields.Integer(required=True)


NotificationPage = page_of(NotificationView)
