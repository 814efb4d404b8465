"""The shapes of feedback: in requests and in answers."""

from marshmallow import fields

from shared.messaging.subscriber import EventSchema
from shared.web.notice import Notice
from shared.web.schemas import Day, Id, Moment, Schema, Text, Whole, page_of


class SessionTimed(EventSchema):
    session_id = fields.String(required=True)
    client_id = fields.String(required=True)
    clinician_id = fields.String(required=True)
    starts_at = fields.AwareDateTime(required=True)
    ends_at = fields.AwareDateTime(required=True)


class SessionSettled(EventSchema):
    session_id = fields.String(required=True)
    clinician_id = fields.String(required=True)


class SessionSnapshot(EventSchema):
    client_id = fields.String(required=True)
    clinician_ids = fields.Dict(fields.String(), fields.String(), required=True)
    starts_at = fields.Dict(fields.String(), fields.AwareDateTime(), required=True)
    ends_at = fields.Dict(fields.String(), fields.AwareDateTime(), required=True)
    statuses = fields.Dict(fields.String(), fields.String(), required=True)


class RatingsBody(Schema):
    """Five statements, in our own words, each 0 (not at all) to 10 (completely).

    heard: I felt heard. mattered: we worked on what matters to me. pace: the pace suited me.
    could_say: I could say what was difficult. usable: I take something with me that I can use.
    """

    heard = Whole(0, 10, required=True)
    mattered = Whole(0, 10, required=True)
    pace = Whole(0, 10, required=True)
    could_say = Whole(0, 10, required=True)
    usable = Whole(0, 10, required=True)


class FeedbackBody(Schema):
    """What a client says about the session of a day, their own local one."""

    session_on = Day(required=True)
    ratings = fields.Nested(RatingsBody, required=True)
    most_helpful = Text(5_000, lines=True, load_default=None, allow_none=True)
    least_helpful = Text(5_000, lines=True, load_default=None, allow_none=True)


class AnswerBody(Schema):
    """What the clinician says to it, and what changes because of it."""

    text = Text(5_000, lines=True, required=True)
    change = Text(5_000, lines=True, load_default=None, allow_none=True)


class AnswerView(Schema):
    text = fields.String(required=True)
    change = fields.String(required=True, allow_none=True)
    answered_by = Id(required=True)
    answered_at = Moment(required=True)


class FeedbackView(Schema):
    id = Id(required=True)
    client_id = Id(required=True)
    clinician_id = Id(required=True)
    session_on = Day(required=True)
    ratings = fields.Nested(RatingsBody, required=True)
    most_helpful = fields.String(required=True, allow_none=True)
    least_helpful = fields.String(required=True, allow_none=True)
    given_at = Moment(required=True)
    answer = fields.Nested(AnswerView, required=True, allow_none=True)
    notice = Notice()


FeedbackPage = page_of(FeedbackView)
