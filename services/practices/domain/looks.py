"""Breaking the glass: a look at a client whom one does not work with, in an emergency and for an hour."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.practices.domain.clients import Client
from services.practices.domain.members import Member
from services.practices.events.looks import ClientGlassBroken, LookEnded, LookSnapshot

LASTS = timedelta(minutes=60)
TRIES = 5
TRIES_WITHIN = timedelta(hours=1)
"""So that nobody finds out by trying addresses who is a client."""


class LookNotFound(Exception):
    """There is no such look."""


class TooManyLooks(Exception):
    """Nobody tries more than five times an hour who is a client here."""

    retry_after = int(TRIES_WITHIN.total_seconds())


@dataclass(kw_only=True)
class Look:
    """One member may see one client until `ends_at`; it stays, for whoever asks who looked."""

    id: str
    practice_id: str
    client_id: str
    member_id: str
    reason: str
    began_at: datetime
    ends_at: datetime
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def begin(
        cls, *, id: str, client: Client, by: Member, reason: str, owner_ids: Sequence[str], at: datetime
    ) -> "Look":
        look = cls(
            id=id,
            practice_id=client.practice_id,
            client_id=client.id,
            member_id=by.id,
            reason=reason,
            began_at=at,
            ends_at=at + LASTS,
        )
        look.events.append(ClientGlassBroken(id, client.id, by.id, at, look.ends_at, list(owner_ids)))
        return look

    def end(self, at: datetime) -> None:
        """Before its time; one that is over stays as it was."""
        if at < self.ends_at:
            self.ends_at = at
            self.events.append(LookEnded(self.id, self.client_id, self.member_id, at))

    def snapshot(self) -> LookSnapshot:
        return LookSnapshot(self.id, self.client_id, self.member_id, self.ends_at, self.began_at)
