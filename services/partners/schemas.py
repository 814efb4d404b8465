"""The shapes of partners: in requests, in answers, and in the events it hears."""

from typing import Any

from marshmallow import fields, post_load, validate

from services.partners import signing
from services.partners.addresses import LONGEST_URL, URL_FORM
from services.partners.domain import DeliveryState, EndpointState
from shared.messaging.subscriber import EventSchema
from shared.security.policy import PUBLIC_EVENTS
from shared.web.context import settings
from shared.web.schemas import Choice, Id, Moment, Schema, page_of


class AppRegistered(EventSchema):
    app_id = fields.String(required=True)
    name = fields.String(required=True)


class AnyPublicEvent(EventSchema):
    """Every public event names the client it concerns, or none; the rest is handed on as it came."""

    client_id = fields.String(required=True, allow_none=True)

    @post_load(pass_original=True)
    def whole(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> dict[str, Any]:
        return original


def _event_types(**options: Any) -> fields.List:
    known = fields.String(validate=validate.OneOf(PUBLIC_EVENTS))
    return fields.List(
        known, allow_none=True, metadata={"description": "Absent or null: every public event."}, **options
    )


class EndpointBody(Schema):
    url = fields.String(
        required=True,
        validate=[validate.Length(max=LONGEST_URL), validate.Regexp(URL_FORM)],
        metadata={
            "description": "https, a host name, port 443 or 8443, no user, no fragment. "
            "In development also http and this machine."
        },
    )
    event_types = _event_types(load_default=None, validate=validate.Length(min=1, max=len(PUBLIC_EVENTS)))


class EndpointView(Schema):
    id = Id(required=True)
    url = fields.String(required=True)
    event_types = _event_types(required=True)
    state = Choice(EndpointState, required=True)
    created_at = Moment(required=True)
    ended_at = Moment(required=True, allow_none=True)


class Unsealed(fields.String):
    """A sealed secret, shown."""

    def _serialize(self, value: str | None, attr: Any, obj: Any, **_: Any) -> str | None:
        return value and signing.unseal(value, settings().key("webhooks"))


class NewEndpointView(EndpointView):
    secret = Unsealed(
        required=True,
        attribute="sealed_secret",
        metadata={
            "description": "Verifies the signatures (Standard Webhooks). Shown here only; who lost this "
            "answer repeats the request with the same Idempotency-Key."
        },
    )


class AttemptView(Schema):
    at = Moment(required=True)
    ms = fields.Integer(required=True)
    status = fields.Integer(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)


class DeliveryView(Schema):
    id = Id(required=True)
    practice_id = Id(required=True)
    event_id = Id(required=True)
    event_type = fields.String(required=True)
    state = Choice(DeliveryState, required=True)
    created_at = Moment(required=True)
    next_at = Moment(required=True, allow_none=True)
    attempts = fields.List(fields.Nested(AttemptView), required=True)


EndpointPage = page_of(EndpointView)
DeliveryPage = page_of(DeliveryView)
