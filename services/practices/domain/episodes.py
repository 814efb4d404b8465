"""Care between a client and a clinician: planned → active ⇄ paused → ended → aftercare → closed.

- Stopping is a right: a client pauses or ends at once, as does the clinician.
- Who did what and when is kept, and never rewritten.
- A date only asks; it never resumes. The end of aftercare closes.
- What is closed stays closed: coming back is a new episode.
- It keeps so many steps and no more; stopping is none of those that are refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from services.practices.domain.aftercare import Aftercare
from services.practices.domain.clients import Client
from services.practices.domain.days import begins, require_ahead
from services.practices.domain.members import Member
from services.practices.events.episodes import (
    EpisodeAftercareArranged,
    EpisodeCheckInDue,
    EpisodeClosed,
    EpisodeEnded,
    EpisodePaused,
    EpisodePlanned,
    EpisodeResumeAsked,
    EpisodeResumed,
    EpisodeSnapshot,
    EpisodeStarted,
    EpisodeTransferred,
    Told,
)


class EpisodeNotFound(Exception):
    """There is no such episode."""


class NotYourEpisode(Exception):
    """A clinician starts episodes of their own; owners and admins start them for others."""


class StateForbids(Exception):
    """An episode in this state does not take this step."""


class TooManySteps(Exception):
    """An episode with very many steps behind it can only be ended and closed."""


class EpisodeOpen(Exception):
    """A client has at most one open episode with the same clinician."""


class SameClinician(Exception):
    """An episode is transferred to another clinician."""


class EpisodeStatus(StrEnum):
    PLANNED = "planned"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"
    AFTERCARE = "aftercare"
    CLOSED = "closed"


PLANNED, ACTIVE, PAUSED, ENDED, AFTERCARE, CLOSED = EpisodeStatus
OPEN = tuple(status for status in EpisodeStatus if status is not CLOSED)
MOST_STEPS = 1_000
"""All are kept in one document, and each may have a reason."""


@dataclass
class Step:
    """What was done, by whom and when; nobody did what a date brought."""

    kind: str
    by: str | None
    at: datetime


@dataclass
class Turn:
    """Whose the episode was, and how long."""

    clinician_id: str
    since: datetime
    until: datetime | None = None


@dataclass
class Reason:
    """What somebody wrote about a step of theirs."""

    kind: str
    at: datetime
    text: str


@dataclass(kw_only=True)
class Episode:
    """One client's work with one clinician, from its start to its end."""

    id: str
    practice_id: str
    client_id: str
    clinician_id: str
    status: EpisodeStatus = ACTIVE
    starts_at: datetime | None = None
    started_at: datetime | None = None
    resume_on: date | None = None
    aftercare: Aftercare | None = None
    clinicians: list[Turn] = field(default_factory=list)
    history: list[Step] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    next_at: datetime | None = None
    """When a date of this episode comes; the worker's timer looks for it."""
    call_off_at: datetime | None = None
    """When it ended, until the sessions that were still to come are cancelled for sure."""
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def start(cls, *, id: str, client: Client, clinician: Member, by: Member, at: datetime) -> "Episode":
        episode = cls._between(id, client, clinician, by, at)
        episode._begin(by.id, at)
        return episode

    @classmethod
    def plan(
        cls,
        *,
        id: str,
        client: Client,
        clinician: Member,
        by: Member,
        at: datetime,
        starts_on: date,
        timezone: str,
    ) -> "Episode":
        """Nothing begins by itself on that day: `activate` does it."""
        require_ahead(starts_on, at, timezone)
        episode = cls._between(id, client, clinician, by, at)
        episode.starts_at = begins(starts_on, timezone)
        episode._step("planned", PLANNED, by.id, at)
        episode._say(EpisodePlanned, starts_at=episode.starts_at)
        return episode

    @classmethod
    def _between(cls, id: str, client: Client, clinician: Member, by: Member, at: datetime) -> "Episode":
        if clinician.id != by.id and not by.in_office:
            raise NotYourEpisode("Ask an owner or admin of the practice to start it for another clinician.")
        clinician.require_active_clinician()
        return cls(
            id=id,
            practice_id=client.practice_id,
            client_id=client.id,
            clinician_id=clinician.id,
            clinicians=[Turn(clinician.id, at)],
        )

    def activate(self, by: str, at: datetime) -> None:
        self._require("activated", PLANNED)
        self._begin(by, at)

    def pause(
        self, by: str, at: datetime, timezone: str, reason: str | None = None, resume_on: date | None = None
    ) -> None:
        self._require("paused", ACTIVE)
        self._ask_on(resume_on, at, timezone)
        self._step("paused", PAUSED, by, at, reason)
        self._say(EpisodePaused, paused_at=at, paused_by=by)

    def change_resume_date(self, by: str, at: datetime, timezone: str, resume_on: date | None) -> None:
        """Ask on another day, once more, or not at all."""
        self._require("given a day to resume on", PAUSED)
        if resume_on != self.resume_on:
            self._ask_on(resume_on, at, timezone)
            self.history.append(Step("resume_date_changed", by, at))

    def resume(self, by: str, at: datetime) -> None:
        self._require("resumed", PAUSED)
        self._step("resumed", ACTIVE, by, at)
        self._say(EpisodeResumed, resumed_at=at, resumed_by=by)

    def end(self, by: str, at: datetime, reason: str | None = None) -> None:
        """What is ended during aftercare is closed: nothing is left that could follow."""
        self._require("ended", PLANNED, ACTIVE, PAUSED, AFTERCARE, most=None)
        if self.status is AFTERCARE:
            self._close(by, at, reason)
        else:
            self._step("ended", ENDED, by, at, reason)
            self._say(EpisodeEnded, ended_at=at, ended_by=by)

    def arrange_aftercare(
        self,
        clinician: Member,
        by: str,
        at: datetime,
        timezone: str,
        ends_on: date,
        check_ins: Sequence[date] | None = None,
    ) -> None:
        self._require("given aftercare", ENDED)
        clinician.require_active_clinician()
        self.aftercare = Aftercare.arrange(ends_on, check_ins, at, timezone)
        self._hand_to(clinician.id, at)
        self._step("aftercare_arranged", AFTERCARE, by, at)
        self.next_at = self.aftercare.next_at(timezone)
        self._say(EpisodeAftercareArranged, arranged_at=at, ends_on=ends_on)

    def close(self, by: str, at: datetime) -> None:
        self._require("closed", ENDED, AFTERCARE, most=None)
        self._close(by, at)

    def transfer(self, to: Member, by: str, at: datetime) -> None:
        """In whatever state it is open and however long, so that nobody who leaves keeps one."""
        self._require("transferred", *OPEN, most=2 * MOST_STEPS)
        to.require_active_clinician()
        before = self.clinician_id
        if to.id == before:
            raise SameClinician(f"Member {to.id} has this episode already; name another clinician.")
        self._hand_to(to.id, at)
        self.history.append(Step("transferred", by, at))
        self._say(EpisodeTransferred, from_clinician_id=before, transferred_at=at)

    def keep_time(self, at: datetime, timezone: str) -> None:
        """Do what the dates that have come bring; done again it does nothing."""
        if self.next_at is None or self.next_at > at:
            return
        if self.aftercare is None:
            self.next_at = None
            self._say(EpisodeResumeAsked, asked_at=at)
        else:
            self._look_in(self.aftercare, at, timezone)

    def _look_in(self, care: Aftercare, at: datetime, timezone: str) -> None:
        for day in care.due(at, timezone):
            care.said += 1
            self._say(EpisodeCheckInDue, check_in_on=day, number=care.said)
        if care.is_over(at, timezone):
            self._close(None, at)
        else:
            self.next_at = care.next_at(timezone)

    def require_under_way(self) -> None:
        if self.status in (ENDED, CLOSED):
            raise StateForbids(f"Episode {self.id} is {self.status}; {self.way_back}.")

    def require_open(self) -> None:
        if self.status is CLOSED:
            raise StateForbids(f"Episode {self.id} is closed; {self.way_back}.")

    @property
    def way_back(self) -> str:
        """What can be done once it is over, and by whom."""
        first = "" if self.status is CLOSED else "its clinician, an owner or an admin closes it, then "
        return f"{first}an owner or an admin starts a new one"

    def clinician_at(self, at: datetime) -> str:
        """Whose it was then; before its start, whose it was first, and of what is to come, whose it is."""
        first, *later = self.clinicians
        return next((turn for turn in reversed(later) if turn.since <= at), first).clinician_id

    def without_reasons(self) -> "Episode":
        """As those see it who do not read what people write."""
        return replace(self, reasons=[])

    def snapshot(self) -> EpisodeSnapshot:
        began = self.started_at or self.starts_at
        assert began is not None  # noqa: S101 - it was started or planned
        return EpisodeSnapshot(self.id, self.client_id, self.clinician_id, str(self.status), began)

    def _begin(self, by: str, at: datetime) -> None:
        self.started_at = at
        self._step("started", ACTIVE, by, at)
        self._say(EpisodeStarted, started_at=at)

    def _close(self, by: str | None, at: datetime, reason: str | None = None) -> None:
        self._step("closed", CLOSED, by, at, reason)
        self._say(EpisodeClosed, closed_at=at, closed_by=by)

    def _ask_on(self, day: date | None, at: datetime, timezone: str) -> None:
        if day is not None:
            require_ahead(day, at, timezone)
        self.resume_on = day
        self.next_at = begins(day, timezone) if day else None

    def _hand_to(self, clinician_id: str, at: datetime) -> None:
        if clinician_id != self.clinician_id:
            self.clinicians[-1].until = at
            self.clinicians.append(Turn(clinician_id, at))
            self.clinician_id = clinician_id

    def _require(self, done: str, *statuses: EpisodeStatus, most: int | None = MOST_STEPS) -> None:
        if self.status not in statuses:
            said = ", ".join(statuses)
            raise StateForbids(f"Episode {self.id} is {self.status}; it can be {done} while it is: {said}.")
        if most is not None and len(self.history) >= most:
            way = "end it, and once it is closed an owner or an admin starts a new one"
            raise TooManySteps(f"Episode {self.id} has {most} steps behind it; {way}.")

    def _step(
        self, kind: str, to: EpisodeStatus, by: str | None, at: datetime, reason: str | None = None
    ) -> None:
        if to is not PAUSED:
            self.resume_on = self.next_at = None
        if to in (ENDED, CLOSED):
            self.call_off_at = at
        self.status = to
        self.history.append(Step(kind, by, at))
        if reason:
            self.reasons.append(Reason(kind, at, reason))

    def _say(self, event: type[Told], **more: Any) -> None:
        self.events.append(event(self.id, self.client_id, self.clinician_id, str(self.status), **more))
