"""The shapes of members."""

from typing import Any

from marshmallow import fields
from marshmallow.validate import Length

from services.practices.domain.members import MemberStatus, Role
from services.practices.schemas.parts import PersonBody, PersonView, Sorted
from shared.web.schemas import Choice, Id, Moment, PageQuery, Schema

MOST = 500
"""Supervised clinicians, or episodes, that one request may name."""


def _roles(**rest: Any) -> fields.List:
    return fields.List(Choice(Role), validate=Length(1, len(Role)), **rest)


class MemberBody(PersonBody):
    roles = _roles(required=True)


class MemberChangeBody(Schema):
    """What is left out stays as it is."""

    roles = _roles()
    supervises = fields.List(Id(), validate=Length(0, MOST))


class RemovalBody(Schema):
    hand_over = fields.Dict(
        keys=Id(),
        values=Id(),
        load_default=dict,
        validate=Length(0, MOST),
        metadata={"description": "Who has which open episode from now on."},
    )
    others = Id(load_default=None, allow_none=True, metadata={"description": "Who has all the rest."})


class MemberQuery(PageQuery):
    status = Choice(MemberStatus, metadata={"description": "Left out: all but removed."})
    role = Choice(Role)


class MemberView(PersonView):
    roles = Sorted(required=True)
    supervises = Sorted(required=True)
    status = fields.String(required=True)
    invited_until = Moment(required=True, allow_none=True)
