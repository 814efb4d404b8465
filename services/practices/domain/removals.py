"""Who takes over from a member who leaves: named before, carried out until it is done."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

WATCHED = timedelta(minutes=10)
"""So long after a removal an episode that was just being started is still looked for."""


class HandOverIncomplete(Exception):
    """Every open episode of a member who leaves has a new clinician."""

    def __init__(self, episode_ids: Collection[str]) -> None:
        super().__init__("Name a clinician for each episode that `errors` lists, or one for all `others`.")
        self.errors = {"hand_over": sorted(episode_ids)}


class NotTheirEpisode(Exception):
    """Only open episodes of the member who leaves are handed over."""

    def __init__(self, episode_ids: Collection[str]) -> None:
        super().__init__("Leave out what `errors` lists: it is no open episode of this member.")
        self.errors = {"hand_over": sorted(episode_ids)}


class SuccessorCares(Exception):
    """A client has one open episode with the same clinician."""

    def __init__(self, episode_ids: Collection[str]) -> None:
        super().__init__(
            "Name somebody else for what `errors` lists, or end and close it first: its client has an open "
            "episode with the one who is named."
        )
        self.errors = {"hand_over": sorted(episode_ids)}


@dataclass(kw_only=True)
class Removal:
    """The plan, kept with the member until no episode can be left."""

    by: str
    at: datetime
    hand_over: dict[str, str]
    """Episode to clinician."""
    others: str | None = None

    @property
    def named(self) -> set[str]:
        return {*self.hand_over.values(), *([self.others] if self.others else [])}

    def require_complete(self, caseload: Collection[str]) -> None:
        if strange := self.hand_over.keys() - set(caseload):
            raise NotTheirEpisode(strange)
        if self.others is None and (missing := set(caseload) - self.hand_over.keys()):
            raise HandOverIncomplete(missing)

    def successor(self, episode_id: str) -> str | None:
        """An episode that nobody knew of when the plan was made has one only where somebody has the rest."""
        return self.hand_over.get(episode_id, self.others)

    def is_over(self, at: datetime) -> bool:
        return at >= self.at + WATCHED
