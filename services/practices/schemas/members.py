"""The shapes of members."""

from marshmallow import fields
from marshmallow.validate import Length

from services.practices.domain.members import Role
from services.practices.schemas.parts import PersonBody, PersonView
from shared.web.schemas import Choice


class MemberBody(PersonBody):
    roles = fields.List(Choice(Role), required=True, validate=Length(1, len(Role)))


class MemberView(PersonView):
    roles = fields.Function(lambda member: sorted(member.roles), metadata={"type": "array"}, required=True)
    status = fields.String(required=True)
