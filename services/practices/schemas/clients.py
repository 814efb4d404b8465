"""The shapes of clients, their invitations, their consents and what apps call them."""

from typing import Any

from marshmallow import fields, post_load
from marshmallow.validate import Equal, Length, OneOf

from services.practices.domain.clients import Client, ClientStatus, EmergencyContact
from services.practices.domain.consents import Kind, last_of_each
from services.practices.schemas.parts import EMAIL, LANGUAGE, PersonBody, PersonView, Timezone, exactly
from shared.web.notice import Notice
from shared.web.schemas import Choice, Flag, Id, Moment, PageQuery, Schema, Text

_PHONE = r"^\+?[0-9][0-9 ()./-]{2,38}[0-9]$"
MOST_AT_ONCE = 100


class EmergencyContactBody(Schema):
    name = Text(200, required=True)
    relation = Text(100, load_default=None, allow_none=True)
    phone = exactly(_PHONE, required=True)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> EmergencyContact:
        return EmergencyContact(**data)


class ReachBody(Schema):
    """How a client is spoken to and reached; null takes it away."""

    pronouns = Text(50, allow_none=True)
    phone = exactly(_PHONE, allow_none=True)
    emergency_contact = fields.Nested(EmergencyContactBody, allow_none=True)
    usual_place = Text(500, lines=True, allow_none=True)


class ClientBody(PersonBody, ReachBody):
    adult = Flag(required=True, validate=Equal(True), metadata={"enum": [True]})
    invite = Flag(
        load_default=None,
        allow_none=True,
        metadata={"description": "Left out: as the practice's policy invite_at_enrolment says."},
    )


class ClientChange(ReachBody):
    """What is left out stays as it is."""

    display_name = Text(200)
    email = exactly(EMAIL, metadata={"description": "Only until they have joined; it ends their invitation."})
    language = exactly(LANGUAGE)
    timezone = Timezone()


class ClientQuery(PageQuery):
    status = Choice(ClientStatus)
    clinician_id = Id(metadata={"description": "Only clients with an open episode with them."})


class EmergencyContactView(Schema):
    name = fields.String(required=True)
    relation = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True)


class InvitationView(Schema):
    number = fields.Integer(required=True, metadata={"description": "How many were asked for."})
    expires_at = Moment(required=True)


class ConsentBody(Schema):
    covers = fields.List(
        Choice(Kind),
        required=True,
        validate=Length(1, len(Kind)),
        metadata={"description": "The kinds of record that the app may hear of."},
    )


class ConsentView(Schema):
    app_id = fields.String(required=True)
    covers = fields.List(fields.String(), required=True)
    given_at = Moment(required=True)
    withdrawn_at = Moment(required=True, allow_none=True)


class ConsentsView(Schema):
    """All there ever were, oldest first."""

    items = fields.List(fields.Nested(ConsentView), required=True, attribute="consents")


class ClientView(PersonView):
    pronouns = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    emergency_contact = fields.Nested(EmergencyContactView, required=True, allow_none=True)
    usual_place = fields.String(required=True, allow_none=True)
    status = fields.String(required=True)
    invitation = fields.Nested(InvitationView, required=True, allow_none=True)
    consents = fields.Method(
        "last_consents",
        required=True,
        metadata={"type": "array", "description": "The last to each app."},
    )
    notice = Notice()

    def last_consents(self, client: Client) -> Any:
        return ConsentView(many=True).dump(last_of_each(client.consents).values())


class EnrolledView(ClientView):
    warning = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What stands in the way of inviting clients."},
    )


class InvitationsBody(Schema):
    """Whom to invite, of those who are enrolled and not invited yet: all, or these."""

    who = fields.String(load_default=None, validate=OneOf(["all"]))
    clients = fields.List(Id(), load_default=(), validate=Length(0, MOST_AT_ONCE))


class InvitationsView(Schema):
    invited = fields.Integer(required=True, metadata={"description": "How many this request invited."})
    remaining = fields.Integer(
        required=True,
        metadata={"description": "How many are still not invited; to invite all, repeat until it is 0."},
    )


class ExternalIdBody(Schema):
    external_id = Text(200, required=True)


class ExternalIdView(Schema):
    app_id = fields.String(required=True)
    external_id = fields.String(required=True)


class ExternalIdsView(Schema):
    items = fields.List(fields.Nested(ExternalIdView), required=True, attribute="external_ids")
