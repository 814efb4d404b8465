"""The shapes of clients and their consents."""

from typing import Any

from marshmallow import fields
from marshmallow.validate import Equal

from services.practices.domain.clients import Client
from services.practices.schemas.parts import PersonBody, PersonView
from shared.web.schemas import Flag, Moment, Schema


class ClientBody(PersonBody):
    adult = Flag(required=True, validate=Equal(True), metadata={"enum": [True]})


class ConsentView(Schema):
    app_id = fields.String(required=True)
    given_at = Moment(required=True)
    withdrawn_at = Moment(required=True, allow_none=True)


class ClientView(PersonView):
    consents = fields.Method("consents_of", required=True, metadata={"type": "array"})

    def consents_of(self, client: Client) -> Any:
        given = [{"app_id": app_id, **vars(one)} for app_id, one in sorted(client.consents.items())]
        return ConsentView(many=True).dump(given)
