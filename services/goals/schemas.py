"""The shapes of goals: in requests and in answers."""

from marshmallow import fields

from services.goals.domain import Status
from shared.web.notice import Notice
from shared.web.schemas import Choice, Day, Id, Moment, Schema, Text, page_of


class GoalBody(Schema):
    """A goal in the client's words, and why it matters to them."""

    what = Text(2_000, lines=True, required=True)
    why = Text(2_000, lines=True, load_default=None, allow_none=True)
    target_on = Day(load_default=None, allow_none=True)


class GoalView(Schema):
    id = Id(required=True)
    client_id = Id(required=True)
    clinician_id = Id(required=True)
    what = fields.String(required=True)
    why = fields.String(required=True, allow_none=True)
    target_on = Day(required=True, allow_none=True)
    status = Choice(Status, required=True)
    proposed_by = Id(required=True)
    proposed_at = Moment(required=True)
    decided_by = Id(required=True, allow_none=True)
    decided_at = Moment(required=True, allow_none=True)
    notice = Notice()


GoalPage = page_of(GoalView)
