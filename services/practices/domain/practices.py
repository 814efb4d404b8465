"""The practice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.practices.events.practices import PracticeOpened, PracticeSnapshot

DEFAULTS: Mapping[str, Any] = {"invite_at_enrolment": False, "readiness_threshold": None}
"""What holds where a practice sets nothing; None: off."""


class PracticeNotFound(Exception):
    """There is no such practice."""


class CrisisTextMissing(Exception):
    """A practice without a crisis text in each of its languages cannot invite clients."""


class LanguageNotOffered(Exception):
    """The practice does not offer this language."""


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
    policy: dict[str, Any] = field(default_factory=dict)
    """What was set; DEFAULTS hold for the rest."""
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def open(cls, *, id: str, **about: Any) -> "Practice":
        practice = cls(id=id, practice_id=id, **about)
        practice.events.append(
            PracticeOpened(practice.name, practice.timezone, practice.languages, practice.crisis_texts)
        )
        return practice

    @property
    def values(self) -> dict[str, Any]:
        """The policy as it holds."""
        return {**DEFAULTS, **self.policy}

    @property
    def warning(self) -> str | None:
        """What stands in the way of inviting clients."""
        missing = [code for code in self.languages if not self.crisis_texts.get(code, "").strip()]
        if not missing:
            return None
        return f"Set the practice's crisis text in {', '.join(missing)}: until then no client can be invited."

    def require_crisis_texts(self) -> None:
        """Nobody is invited whom the practice could not tell, in their language, where help is."""
        if self.warning:
            raise CrisisTextMissing(self.warning)

    def require_offered(self, language: str) -> None:
        if language not in self.languages:
            raise LanguageNotOffered(
                f"{language} is not offered here; choose of {', '.join(self.languages)}."
            )

    def snapshot(self) -> PracticeSnapshot:
        return PracticeSnapshot(self.name, self.timezone, self.languages, self.crisis_texts)
