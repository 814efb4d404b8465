"""Letters that invite a person: they say where to sign in, and nothing of what it is about.

The first sign-in of somebody invited is their acceptance. A letter is due in the same write that asks for
it, and is due until the mailer has sent it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

GOOD_FOR = timedelta(days=14)
LETTERS, WITHIN = 5, timedelta(days=1)
"""No more letters than that to one person in that time: their mailbox is not ours to fill."""


class InvitedTooOften(Exception):
    """Somebody gets only so many invitations in a day."""


class InvitationExpired(Exception):
    """The invitation is too old to be accepted."""


@dataclass
class Invitation:
    """What was sent, or is to be: `number` names the last letter, so that repeats of it are recognised."""

    number: int
    asked_at: list[datetime]
    """Of the last LETTERS."""
    expires_at: datetime


@dataclass(kw_only=True)
class Invited:
    """A person to whom such letters go."""

    invitation: Invitation | None = None
    invitation_due: datetime | None = None
    """Since when a letter waits to be sent."""

    def ask_for_letter(self, at: datetime) -> None:
        """Another letter, which renews the invitation."""
        earlier = self.invitation or Invitation(0, [], at)
        last = earlier.asked_at[-LETTERS:]
        if len(last) == LETTERS and last[0] > at - WITHIN:
            again = last[0] + WITHIN
            raise InvitedTooOften(
                f"{LETTERS} letters went out within a day; ask again after {again:%Y-%m-%d %H:%M} UTC."
            )
        asked_at = [*last, at][-LETTERS:]
        self.invitation = Invitation(earlier.number + 1, asked_at, at + GOOD_FOR)
        self.invitation_due = at

    def withdraw_invitation(self, at: datetime) -> None:
        """It is good no more, and a letter that waits is not sent."""
        if self.invitation is not None:
            self.invitation.expires_at = min(self.invitation.expires_at, at)
        self.invitation_due = None

    def require_good_invitation(self, at: datetime) -> None:
        if self.invitation is None or self.invitation.expires_at <= at:
            raise InvitationExpired("Ask the practice for another invitation.")
