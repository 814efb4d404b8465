"""Why no tokens are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class TokenDenied(Exception):
    """The request for a token is refused; `error` is the code that RFC 6749, 5.2 names."""

    error = "invalid_request"

    @property
    def about(self) -> Mapping[str, Any]:
        """What the way out needs."""
        return {}


class GrantTypeUnknown(TokenDenied):
    error = "unsupported_grant_type"


class NothingToExchange(TokenDenied):
    """What was sent is wrong, used or too old."""

    error = "invalid_grant"


class AppUnknown(TokenDenied):
    error = "invalid_client"


class PracticeNotGranted(TokenDenied):
    error = "invalid_target"
    """RFC 8707, 2: the app asks for a practice that did not grant it anything."""


@dataclass(frozen=True)
class Standing:
    """What somebody chooses by, who is several people here."""

    id: str
    kind: str
    practice_id: str
    practice_name: str


class StandingRequired(TokenDenied):
    """One person, several standings: the code stays good for the next request, which names one."""

    error = "standing_required"

    def __init__(self, standings: Sequence[Standing]) -> None:
        super().__init__("Repeat the request with practice_id and kind of one of the standings.")
        self.standings = standings

    @property
    def about(self) -> Mapping[str, Any]:
        return {"standings": self.standings}


class SecondFactorRequired(TokenDenied):
    """The code was right; a member brings a second factor too, and enrols it where there is none yet."""

    error = "second_factor_required"

    def __init__(self, ticket: str, enrolment: Mapping[str, str] | None) -> None:
        how = "Add the secret to an authenticator first. " if enrolment else ""
        super().__init__(
            f"{how}Send grant_type urn:tandem:second-factor with ticket, the second_factor_ticket, "
            "and code, the authenticator's six digits, within five minutes."
        )
        self.ticket = ticket
        self.enrolment = enrolment

    @property
    def about(self) -> Mapping[str, Any]:
        enrolment = {"enrolment": self.enrolment} if self.enrolment else {}
        return {"second_factor_ticket": self.ticket, **enrolment}
