"""Leave cover: for a while one clinician stands in for another, and then no longer, by itself."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.practices.domain.members import Member, NotAClinician, NotYourself, Role
from services.practices.events.covers import CoverArranged, CoverCancelled, CoverSnapshot

LONGEST = timedelta(days=366)


class CoverNotFound(Exception):
    """There is no such cover."""


class CoverUnclear(Exception):
    """A cover begins before it ends, ends in the future, and lasts a year at most."""


@dataclass(kw_only=True)
class Cover:
    """Who stands in for an absent member, since when and until when (excluded)."""

    id: str
    practice_id: str
    member_id: str
    covered_by: str
    since: datetime
    until: datetime
    cancelled_at: datetime | None = None
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def arrange(
        cls, *, id: str, absent: Member, by: Member, since: datetime, until: datetime, at: datetime
    ) -> "Cover":
        """`by`: who stands in."""
        if absent.id == by.id:
            raise NotYourself("Name somebody else: nobody stands in for themselves.")
        absent.require_not_removed()
        if Role.CLINICIAN not in absent.roles:
            raise NotAClinician(f"Member {absent.id} is no clinician; there is nothing to cover.")
        by.require_active_clinician()
        if not (since < until <= since + LONGEST and until > at):
            raise CoverUnclear("Name a time to come, its beginning before its end and a year apart at most.")
        about = {"member_id": absent.id, "covered_by": by.id, "since": since, "until": until}
        cover = cls(id=id, practice_id=absent.practice_id, **about)  # type: ignore[arg-type]
        cover.events.append(CoverArranged(cover.id, absent.id, by.id, since, until))
        return cover

    def cancel(self, at: datetime) -> None:
        if self.stands:
            self.cancelled_at = at
            self.events.append(CoverCancelled(self.id))

    @property
    def stands(self) -> bool:
        return self.cancelled_at is None

    def snapshot(self) -> CoverSnapshot:
        about = (self.member_id, self.covered_by, self.since, self.until)
        return CoverSnapshot(self.id, *about, self.stands)
