"""The shapes of what one says of oneself, and of one's sign-ins."""

from marshmallow import fields
from marshmallow.validate import Length

from services.practices.schemas.parts import EMAIL, LANGUAGE, Timezone, exactly
from shared.web.schemas import Moment, Schema, Text


class OneselfBody(Schema):
    display_name = Text(200)
    language = exactly(LANGUAGE, metadata={"example": "pt-BR"})
    timezone = Timezone()


class SignInView(Schema):
    """No address and no program: what is not kept is told to nobody."""

    id = fields.String(required=True)
    began_at = Moment(required=True)
    last_used_at = Moment(required=True)
    expires_at = Moment(required=True)
    current = fields.Boolean(required=True, metadata={"description": "The one that this request came by."})


class NewAddressBody(Schema):
    email = exactly(EMAIL, required=True)


class AddressBody(NewAddressBody):
    code = fields.String(required=True, validate=Length(1, 32))
    ticket = fields.String(required=True, validate=Length(1, 128))
    present_code = fields.String(
        validate=Length(1, 32), metadata={"description": "Needed of clients: from the present mailbox."}
    )
    second_factor = fields.String(validate=Length(1, 32), metadata={"description": "Needed of members."})
