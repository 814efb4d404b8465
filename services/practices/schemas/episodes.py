"""The shapes of episodes, of wishes for another clinician, and of readiness."""

from marshmallow import fields
from marshmallow.validate import Length

from services.practices.domain.readiness import OFFER
from services.practices.domain.wishes import Outcome, WishStatus
from shared.web.notice import Notice
from shared.web.schemas import Choice, Day, Id, Moment, PageQuery, Schema, Text, Whole


class EpisodeBody(Schema):
    """With whom (left out: the caller), and from which day on (left out: it starts now)."""

    clinician_id = Id(load_default=None)
    starts_on = Day(load_default=None)


class PauseBody(Schema):
    """On `resume_on` both are asked whether to go on; it resumes only when one of them says so."""

    reason = Text(2000, lines=True, load_default=None)
    resume_on = Day(load_default=None)


class ResumeDateBody(Schema):
    resume_on = Day(required=True, allow_none=True)


class EndBody(Schema):
    reason = Text(2000, lines=True, load_default=None)


class AftercareBody(Schema):
    clinician_id = Id(load_default=None, metadata={"description": "Left out: the episode's clinician."})
    ends_on = Day(required=True)
    check_ins = fields.List(
        Day(),
        load_default=None,
        validate=Length(0, 52),
        metadata={"description": "Left out: after 2, 4, 8 and 12 weeks, as far as that is within it."},
    )


class TransferBody(Schema):
    clinician_id = Id(required=True)


class StepView(Schema):
    kind = fields.String(required=True)
    by = fields.String(required=True, allow_none=True, metadata={"description": "null: a date came."})
    at = Moment(required=True)


class TurnView(Schema):
    clinician_id = fields.String(required=True)
    since = Moment(required=True)
    until = Moment(required=True, allow_none=True)


class ReasonView(Schema):
    kind = fields.String(required=True)
    at = Moment(required=True)
    text = fields.String(required=True)


class AftercareView(Schema):
    ends_on = Day(required=True)
    check_ins = fields.List(Day(), required=True)


class EpisodeView(Schema):
    id = fields.String(required=True)
    client_id = fields.String(required=True)
    clinician_id = fields.String(required=True)
    status = fields.String(required=True)
    starts_at = Moment(required=True, allow_none=True)
    started_at = Moment(required=True, allow_none=True)
    resume_on = Day(required=True, allow_none=True)
    aftercare = fields.Nested(AftercareView, required=True, allow_none=True)
    clinicians = fields.List(fields.Nested(TurnView), required=True)
    history = fields.List(fields.Nested(StepView), required=True)
    reasons = fields.List(
        fields.Nested(ReasonView),
        required=True,
        metadata={"description": "Empty for who does not read what people write."},
    )
    notice = Notice()


class WishBody(Schema):
    text = Text(2000, lines=True, load_default=None)


class WishQuery(PageQuery):
    status = Choice(WishStatus)


class SettlementBody(Schema):
    outcome = Choice(Outcome, required=True)


class WishView(Schema):
    id = fields.String(required=True)
    episode_id = fields.String(required=True)
    client_id = fields.String(required=True)
    clinician_id = fields.String(required=True)
    text = fields.String(required=True, allow_none=True)
    status = fields.String(required=True)
    wished_at = Moment(required=True)
    over_at = Moment(required=True, allow_none=True)
    settled_by = fields.String(required=True, allow_none=True)
    outcome = fields.String(required=True, allow_none=True)
    notice = Notice()


class ReadinessBody(Schema):
    importance = Whole(0, 10, required=True)
    confidence = Whole(0, 10, required=True)


class ReadinessView(Schema):
    id = fields.String(required=True)
    episode_id = fields.String(required=True)
    importance = fields.Integer(required=True)
    confidence = fields.Integer(required=True)
    rated_at = Moment(required=True)


class RatedView(ReadinessView):
    offer = fields.Function(
        lambda rating: OFFER if rating.pause_offered else None,
        required=True,
        metadata={"type": ["string", "null"]},
    )
