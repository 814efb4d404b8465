"""A client's word that an app may hear of them; what was given and withdrawn stays on record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MOST = 500


class ConsentNotFound(Exception):
    """The client has not consented to this app."""


class ConsentedOften(Exception):
    """Consents are given 500 times at most."""


class Kind(StrEnum):
    """What a consent can cover: records of these kinds, with the events about them."""

    CLIENT = "client"
    EPISODE = "episode"
    SESSION = "session"
    GOAL = "goal"


EVERYTHING = tuple(Kind)


@dataclass
class Consent:
    """To which app, for what, since when, and when it was taken back."""

    app_id: str
    covers: list[str]
    given_at: datetime
    withdrawn_at: datetime | None = None

    @property
    def stands(self) -> bool:
        return self.withdrawn_at is None


def last_of_each(consents: Sequence[Consent]) -> dict[str, Consent]:
    """By app, in the apps' order; earlier ones are history."""
    last = {consent.app_id: consent for consent in consents}
    return dict(sorted(last.items()))
