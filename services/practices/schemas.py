"""The shapes of what practices is asked and answers."""

from functools import cache, partial
from typing import Any
from zoneinfo import available_timezones

from marshmallow import EXCLUDE, ValidationError, fields
from marshmallow.validate import Equal, Length, OneOf, Regexp

from services.practices.domain import Client, Role
from shared.web.schemas import Choice, Flag, Id, Moment, Schema, Text

# Plain addresses only: any other could not be written into a mail's header as it stands.
_ATOM, _LABEL = r"[A-Za-z0-9_%+'-]{1,64}", r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = rf"^{_ATOM}(\.{_ATOM}){{0,8}}@{_LABEL}(\.{_LABEL}){{1,4}}$"
LANGUAGE = r"^[a-z]{2,3}(-[A-Z]{2})?$"
NAMED = r"^[a-z]{1,30}\.[a-z_]{1,40}$"

Texts = partial(fields.Dict, keys=fields.String(), values=fields.String())
Strings = partial(fields.List, fields.String())


def _exactly(pattern: str, **rest: Any) -> fields.String:
    # Python's $ also matches before a line feed at the end.
    return fields.String(validate=[Regexp(pattern), _one_line], **rest)


def _one_line(text: str) -> None:
    if "\n" in text:
        raise ValidationError("Must be one line.")


@cache
def _timezones() -> list[str]:
    return sorted(available_timezones())


class SignInBody(Schema):
    email = _exactly(EMAIL, required=True)


class SignInView(Schema):
    detail = fields.String(required=True)


class TokenBody(Schema):
    """What is not known is ignored (RFC 6749, 3.2)."""

    class Meta:
        unknown = EXCLUDE

    grant_type = fields.String(required=True, validate=Length(1, 64))
    email = fields.String(validate=Length(1, 254))
    code = fields.String(validate=Length(1, 32))
    practice_id = Id()
    kind = fields.String(validate=OneOf(["member", "client"]))
    refresh_token = fields.String(validate=Length(1, 256))


class TokenView(Schema):
    access_token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in = fields.Integer(required=True)
    refresh_token = fields.String()


class StandingView(Schema):
    id = fields.String(required=True)
    kind = fields.String(required=True)
    practice_id = fields.String(required=True)


class TokenDeniedView(Schema):
    """RFC 6749, 5.2"""

    error = fields.String(required=True)
    error_description = fields.String(required=True)
    standings = fields.List(fields.Nested(StandingView))


class KeySetView(Schema):
    """RFC 7517"""

    keys = fields.List(Texts(), required=True)


class MeView(Schema):
    id = fields.String(required=True)
    kind = fields.String(required=True)
    practice_id = fields.String(required=True)
    name = fields.String(required=True)
    email = fields.String()
    roles = Strings()
    language = fields.String()
    timezone = fields.String()


class PracticeView(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)
    timezone = fields.String(required=True)
    locale = fields.String(required=True)
    languages = Strings(required=True)
    crisis_texts = Texts(required=True)


class _PersonBody(Schema):
    display_name = Text(200, required=True)
    email = _exactly(EMAIL, required=True)
    language = _exactly(LANGUAGE, required=True, metadata={"example": "pt-BR"})
    timezone = fields.String(required=True, validate=OneOf(_timezones()))


class _PersonView(Schema):
    id = fields.String(required=True)
    display_name = fields.String(required=True)
    email = fields.String(required=True, metadata={"description": "Empty for who does not need it."})
    language = fields.String(required=True)
    timezone = fields.String(required=True)


class MemberBody(_PersonBody):
    roles = fields.List(Choice(Role), required=True, validate=Length(1, len(Role)))


class MemberView(_PersonView):
    roles = fields.Function(lambda member: sorted(member.roles), metadata={"type": "array"}, required=True)
    status = fields.String(required=True)


class ClientBody(_PersonBody):
    adult = Flag(required=True, validate=Equal(True), metadata={"enum": [True]})


class ConsentView(Schema):
    app_id = fields.String(required=True)
    given_at = Moment(required=True)
    withdrawn_at = Moment(required=True, allow_none=True)


class ClientView(_PersonView):
    consents = fields.Method("consents_of", required=True, metadata={"type": "array"})

    def consents_of(self, client: Client) -> Any:
        given = [{"app_id": app_id, **vars(one)} for app_id, one in sorted(client.consents.items())]
        return ConsentView(many=True).dump(given)


class EpisodeBody(Schema):
    clinician_id = Id(load_default=None, metadata={"description": "Left out: the caller."})


class EpisodeView(Schema):
    id = fields.String(required=True)
    client_id = fields.String(required=True)
    clinician_id = fields.String(required=True)
    status = fields.String(required=True)
    started_at = Moment(required=True)


class AppView(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)


class GrantBody(Schema):
    app_id = Id(required=True)
    event_types = fields.List(_exactly(NAMED), required=True, validate=Length(0, 100))
    scopes = fields.List(_exactly(NAMED), required=True, validate=Length(0, 100))


class GrantView(Schema):
    id = fields.String(required=True)
    app_id = fields.String(required=True)
    event_types = Strings(required=True)
    scopes = Strings(required=True)
    given_at = Moment(required=True)
    revoked_at = Moment(required=True, allow_none=True)
