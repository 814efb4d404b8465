"""The shapes of the practice and of who asks."""

from marshmallow import fields

from services.practices.schemas.parts import Strings, Texts
from shared.web.schemas import Schema


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
