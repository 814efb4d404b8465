"""The shapes of sessions."""

import re
from datetime import datetime
from typing import Any

from marshmallow import fields
from marshmallow.validate import Length

from services.practices.domain.sessions import Scope, SessionStatus
from shared.web.notice import Notice
from shared.web.schemas import Choice, Moment, PageQuery, Schema, Text, Whole

# Days that there are, in years that begin with 20.
_DATE = (
    r"(20\d\d-((0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
    r"|20([02468][048]|[13579][26])-02-29)"
)
_START = rf"^{_DATE}T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?$"


class Start(fields.String):
    """A time on the practice's clock, or with an offset an instant."""

    def __init__(self, **rest: Any) -> None:
        about = "2026-11-20T10:00 is ten on the practice's clock; 2026-11-20T10:00Z an instant."
        super().__init__(metadata={"pattern": _START, "description": about}, **rest)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> datetime:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs)
        if not re.fullmatch(_START, text or "", re.ASCII):
            raise self.make_error("invalid")
        return datetime.fromisoformat(str(text))


class SeriesBody(Schema):
    starts = Start(required=True)
    minutes = Whole(10, 240, required=True)
    rrule = fields.String(
        load_default=None,
        allow_none=True,
        validate=Length(1, 300),
        metadata={
            "example": "FREQ=WEEKLY;COUNT=10",
            "description": "RFC 5545, 3.3.10, by the practice's clock, without DTSTART: daily, weekly or "
            "monthly, ended by COUNT or UNTIL, at most 104 dates within two years; `starts` is the first.",
        },
    )


class MoveBody(Schema):
    starts = Start(required=True)
    minutes = Whole(10, 240, load_default=None, metadata={"description": "Left out: as long as before."})


class CancellationBody(Schema):
    scope = Choice(Scope, load_default=Scope.THIS)
    reason = Text(2_000, lines=True, load_default=None, allow_none=True)


class SessionQuery(PageQuery):
    """Those that begin at `from` or later, and before `until`."""

    since = Moment(data_key="from")
    until = Moment()
    status = Choice(SessionStatus)


class ChangeView(Schema):
    """What somebody did, and what the session was before."""

    what = fields.String(required=True)
    by = fields.String(required=True)
    at = Moment(required=True)
    status = fields.String(required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)


class WarningView(Schema):
    """What was done all the same: `overlap`, of these sessions with others of the clinician, or `paused`.

    Told to members who may move sessions, and to nobody else.
    """

    kind = fields.String(required=True, metadata={"enum": ["overlap", "paused"]})
    detail = fields.String(required=True)
    session_ids = fields.List(fields.String(), required=True)


class SessionView(Schema):
    """A session. Its ETag is its series', so that it changes with every session of the series."""

    id = fields.String(required=True)
    series_id = fields.String(required=True, attribute="series.id")
    episode_id = fields.String(required=True, attribute="series.episode_id")
    client_id = fields.String(required=True, attribute="series.client_id")
    clinician_id = fields.String(
        required=True,
        metadata={"description": "The episode's present one while it is scheduled, then whose it was."},
    )
    timezone = fields.String(required=True, attribute="series.timezone")
    starts_at = Moment(required=True, attribute="session.starts_at")
    ends_at = Moment(required=True, attribute="session.ends_at")
    status = fields.String(required=True, attribute="session.status")
    reason = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why it was cancelled, for the client and who cares for them only."},
    )
    history = fields.List(fields.Nested(ChangeView), required=True, attribute="session.history")


class ChangedView(SessionView):
    warnings = fields.List(fields.Nested(WarningView), required=True)
    notice = Notice()


class SeriesView(Schema):
    id = fields.String(required=True)
    episode_id = fields.String(required=True, attribute="series.episode_id")
    client_id = fields.String(required=True, attribute="series.client_id")
    timezone = fields.String(required=True, attribute="series.timezone")
    rrule = fields.String(required=True, allow_none=True, attribute="series.rrule")
    sessions = fields.List(fields.Nested(SessionView), required=True)
    warnings = fields.List(fields.Nested(WarningView), required=True)
