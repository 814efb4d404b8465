"""The practice, and what it may decide for itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from services.practices.events.practices import PracticeChanged, PracticeOpened, PracticeSnapshot

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SCHUELLER = "schueller-2015"
"""Schueller 2015, PHQ-9 in CBT for depression (design/domain.md, Not on track)."""

DEFAULTS: Mapping[str, Any] = {
    "fair_chance_sessions": 3,
    "review_interval_days": 28,
    "days_until_quiet": 14,
    "readiness_threshold": None,
    "not_on_track_rule": None,
    "risk_acknowledgement_minutes": 30,
    "rating_window_hours": 24,
    "break_glass": False,
    "invite_at_enrolment": False,
}
"""What holds where a practice sets nothing; None: off. Own conventions, all but the 30 minutes and 24 hours
of design/domain.md."""

Span = dict[str, str]
"""Local times, {"from": "09:00", "to": "17:00"}; "to" may be "24:00"."""


class PracticeNotFound(Exception):
    """There is no such practice."""


class CrisisTextMissing(Exception):
    """A practice without a crisis text in each of its languages cannot invite clients."""


class LanguageNotOffered(Exception):
    """The practice does not offer this language."""


class HoursUnclear(Exception):
    """Working hours and quiet hours begin before they end, and do not overlap."""


@dataclass(kw_only=True)
class Practice:
    """The organisation. It is its own practice: `practice_id` is `id`."""

    id: str
    practice_id: str
    name: str
    timezone: str
    locale: str
    languages: list[str]
    crisis_texts: dict[str, str]
    working_hours: dict[str, list[Span]] = field(default_factory=dict)
    """By weekday, in the practice's time zone; a weekday that is not there is closed."""
    on_call: str | None = None
    quiet_hours: Span | None = None
    """From one day into the next where "to" is the earlier of the two."""
    policy: dict[str, Any] = field(default_factory=dict)
    """What was set; DEFAULTS hold for the rest."""
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def open(cls, *, id: str, **about: Any) -> "Practice":
        practice = cls(id=id, practice_id=id, **about)
        practice._require_texts_of_languages()
        practice.events.append(PracticeOpened(**practice._state()))
        return practice

    def change(self, *, policy: Mapping[str, Any] | None = None, **given: Any) -> None:
        """Only what is given changes; a policy value of None goes back to its default."""
        before = self._state()
        for name, value in given.items():
            setattr(self, name, value)
        policy = self.policy | dict(policy or {})
        self.policy = {name: value for name, value in policy.items() if value is not None}
        self.working_hours = {
            day: _in_order(day, spans) for day, spans in self.working_hours.items() if spans
        }
        self._require_texts_of_languages()
        if self.quiet_hours and self.quiet_hours["from"] == self.quiet_hours["to"]:
            raise HoursUnclear(
                "Quiet hours begin and end at the same time: leave them out, or name two times."
            )
        if self._state() != before:
            self.events.append(PracticeChanged(**self._state()))

    @property
    def warning(self) -> str | None:
        """What stands in the way of inviting clients."""
        missing = [code for code in self.languages if not self.crisis_texts.get(code, "").strip()]
        if not missing:
            return None
        return f"Set the crisis text in {', '.join(missing)}: until then no client can be invited."

    def require_crisis_texts(self) -> None:
        """Nobody is invited whom the practice could not tell, in their language, where help is."""
        if self.warning:
            raise CrisisTextMissing(self.warning)

    def require_offered(self, language: str) -> None:
        if language not in self.languages:
            raise LanguageNotOffered(
                f"{language} is not offered here; choose of {', '.join(self.languages)}."
            )

    @property
    def values(self) -> dict[str, Any]:
        """The policy as it holds."""
        return {**DEFAULTS, **self.policy}

    @property
    def defaults(self) -> list[str]:
        """Which of these values nobody set."""
        return [name for name in DEFAULTS if name not in self.policy]

    def warnings(self, on_call_is_here: bool, without_clinician: int) -> Iterator[str]:
        """What somebody of the office should see to, one sentence each."""
        if self.warning:
            yield self.warning
        if not self.working_hours:
            yield "Set the working hours: until then nobody can be told when somebody reads."
        if self.on_call is None:
            yield "Name an on-call person: without one nobody is alerted outside working hours."
        elif not on_call_is_here:
            yield "Name another on-call person: the one named is no active member any more."
        if without_clinician:
            yield (
                f"Transfer episodes to an active clinician: the clinician of {without_clinician} cannot work "
                "here at present."
            )

    def snapshot(self) -> PracticeSnapshot:
        return PracticeSnapshot(**self._state())

    def _require_texts_of_languages(self) -> None:
        if others := sorted(self.crisis_texts.keys() - set(self.languages)):
            raise LanguageNotOffered(
                f"There is a crisis text in {', '.join(others)}: offer the language, or leave the text out."
            )

    def _state(self) -> dict[str, Any]:
        told = ("name", "timezone", "languages", "crisis_texts", "locale", "working_hours", "on_call")
        return {name: getattr(self, name) for name in (*told, "quiet_hours")} | self.values


def _in_order(day: str, spans: Sequence[Span]) -> list[Span]:
    ordered = sorted(spans, key=lambda span: span["from"])
    if any(span["from"] >= span["to"] for span in ordered):
        raise HoursUnclear(f"On {day} some hours end before they begin: past midnight, go on the next day.")
    if any(earlier["to"] > later["from"] for earlier, later in pairwise(ordered)):
        raise HoursUnclear(f"On {day} some hours overlap: name each stretch of time once.")
    return ordered
