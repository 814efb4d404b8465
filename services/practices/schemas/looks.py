"""The shapes of looks in an emergency."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import Length

from services.practices.schemas.parts import EMAIL, exactly
from shared.web.schemas import Id, Moment, Schema, Text


class LookBody(Schema):
    """Whom to look at, by an address or by an id of an app's, and why."""

    email = exactly(EMAIL)
    app_id = Id()
    external_id = Text(200)
    reason = Text(2_000, lines=True, required=True, validate=Length(10))

    @validates_schema
    def one_way(self, data: dict[str, Any], **_: Any) -> None:
        if data.keys() - {"reason"} not in ({"email"}, {"app_id", "external_id"}):
            raise ValidationError("Give email, or app_id with external_id.")


class LookView(Schema):
    id = fields.String(required=True)
    client_id = fields.String(required=True)
    member_id = fields.String(required=True)
    began_at = Moment(required=True)
    ends_at = Moment(required=True)


class WhoLookedView(LookView):
    member_name = fields.String(required=True)
    reason = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "For the office: it may be about others than the client, who asks there."},
    )
