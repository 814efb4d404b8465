"""The shapes of signing in (RFC 6749, RFC 7517)."""

from marshmallow import EXCLUDE, fields
from marshmallow.validate import Length, OneOf

from services.practices.schemas.parts import EMAIL, Texts, exactly
from shared.web.schemas import Id, Schema


class SignInBody(Schema):
    email = exactly(EMAIL, required=True)
    device = fields.String(
        validate=Length(1, 128), metadata={"description": "What came with the tokens of an earlier sign-in."}
    )


class AskedView(Schema):
    detail = fields.String(required=True)
    ticket = fields.String(required=True, metadata={"description": "Goes with the code."})


class TokenBody(Schema):
    """What is not known is ignored (RFC 6749, 3.2)."""

    class Meta:
        unknown = EXCLUDE

    grant_type = fields.String(required=True, validate=Length(1, 64))
    email = fields.String(validate=Length(1, 254))
    code = fields.String(validate=Length(1, 32))
    ticket = fields.String(validate=Length(1, 128))
    practice_id = Id()
    kind = fields.String(validate=OneOf(["member", "client"]))
    refresh_token = fields.String(validate=Length(1, 256))


class TokenView(Schema):
    access_token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in = fields.Integer(required=True)
    refresh_token = fields.String()
    device = fields.String(metadata={"description": "To be kept for a year and sent when asking for a code."})
    recovery_codes = fields.List(fields.String(), metadata={"description": "Told this once."})


class StandingView(Schema):
    id = fields.String(required=True)
    kind = fields.String(required=True)
    practice_id = fields.String(required=True)
    practice_name = fields.String(required=True)


class EnrolmentView(Schema):
    secret = fields.String(required=True)
    uri = fields.String(required=True)


class TokenDeniedView(Schema):
    """RFC 6749, 5.2"""

    error = fields.String(required=True)
    error_description = fields.String(required=True)
    standings = fields.List(fields.Nested(StandingView))
    second_factor_ticket = fields.String()
    enrolment = fields.Nested(EnrolmentView)


class KeySetView(Schema):
    """RFC 7517"""

    keys = fields.List(Texts(), required=True)
