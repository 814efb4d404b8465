"""The shapes of the practice and of who asks."""

from typing import Any

from marshmallow import ValidationError, fields
from marshmallow.validate import Length, OneOf

from services.practices.domain.practices import SCHUELLER, WEEKDAYS
from services.practices.schemas.parts import LANGUAGE, Sorted, Strings, Texts, Timezone, exactly
from shared.web.schemas import Flag, Id, Schema, Text, Whole

NAME, CRISIS_TEXT = 200, 2_000
"""Characters, at most."""
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
_CLOCK_OR_MIDNIGHT = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"


class MeView(Schema):
    id = fields.String(required=True)
    kind = fields.String(required=True)
    practice_id = fields.String(required=True)
    name = fields.String(required=True)
    email = fields.String()
    roles = Sorted()
    language = fields.String()
    timezone = fields.String()


# "from" is a word of Python's own.
Span = Schema.from_dict(
    {"from": exactly(_CLOCK, required=True), "to": exactly(_CLOCK_OR_MIDNIGHT, required=True)}, name="Span"
)
QuietHours = Schema.from_dict(
    {"from": exactly(_CLOCK, required=True), "to": exactly(_CLOCK, required=True)}, name="QuietHours"
)


class PolicyBody(Schema):
    """null: back to the default."""

    fair_chance_sessions = Whole(1, 12, allow_none=True)
    review_interval_days = Whole(7, 180, allow_none=True)
    days_until_quiet = Whole(3, 90, allow_none=True)
    readiness_threshold = Whole(1, 10, allow_none=True)
    not_on_track_rule = fields.String(validate=OneOf([SCHUELLER]), allow_none=True)
    risk_acknowledgement_minutes = Whole(5, 240, allow_none=True)
    rating_window_hours = Whole(1, 72, allow_none=True)
    break_glass = Flag(allow_none=True)
    invite_at_enrolment = Flag(allow_none=True)


def _each_once(languages: list[Any]) -> None:
    if len(set(languages)) < len(languages):
        raise ValidationError("Name each once.")


class PracticeBody(Schema):
    """What is left out stays as it is."""

    name = Text(NAME)
    timezone = Timezone()
    locale = exactly(LANGUAGE)
    languages = fields.List(
        exactly(LANGUAGE), validate=[Length(1, 20), _each_once], metadata={"uniqueItems": True}
    )
    crisis_texts = fields.Dict(keys=exactly(LANGUAGE), values=Text(CRISIS_TEXT, lines=True))
    working_hours = fields.Dict(
        keys=fields.String(validate=OneOf(WEEKDAYS)),
        values=fields.List(fields.Nested(Span), validate=Length(0, 12)),
    )
    on_call = Id(allow_none=True)
    quiet_hours = fields.Nested(QuietHours, allow_none=True)
    policy = fields.Nested(PolicyBody)


class PracticeView(Schema):
    """Clients see what concerns them: names, times, languages and where help is."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    timezone = fields.String(required=True)
    locale = fields.String(required=True)
    languages = Strings(required=True)
    crisis_texts = Texts(required=True)
    working_hours = fields.Dict(keys=fields.String(), values=fields.List(fields.Nested(Span)), required=True)
    on_call = fields.String(allow_none=True)
    quiet_hours = fields.Nested(QuietHours, allow_none=True)
    policy = fields.Nested(PolicyBody)
    defaults = Strings(metadata={"description": "The policy values that nobody set."})
    warnings = Strings()
