"""The practice."""

from dataclasses import dataclass, field
from typing import Any

from services.practices.events.practices import PracticeOpened, PracticeSnapshot


class PracticeNotFound(Exception):
    """There is no such practice."""


class CrisisTextMissing(Exception):
    """A practice without a crisis text in each of its languages cannot enrol clients."""


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
    break_glass: bool = False
    """Whether clinicians and supervisors may look at any client in an emergency."""
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def open(cls, *, id: str, **about: Any) -> "Practice":
        practice = cls(id=id, practice_id=id, **about)
        practice.events.append(
            PracticeOpened(practice.name, practice.timezone, practice.languages, practice.crisis_texts)
        )
        return practice

    def require_readiness_for(self, language: str) -> None:
        """Nobody is enrolled whom the practice could not tell, in their language, where help is."""
        missing = [code for code in self.languages if not self.crisis_texts.get(code, "").strip()]
        if missing:
            raise CrisisTextMissing(f"Set the practice's crisis text in {', '.join(missing)} first.")
        if language not in self.languages:
            raise LanguageNotOffered(
                f"{language} is not offered here; choose of {', '.join(self.languages)}."
            )

    def snapshot(self) -> PracticeSnapshot:
        return PracticeSnapshot(self.name, self.timezone, self.languages, self.crisis_texts)
