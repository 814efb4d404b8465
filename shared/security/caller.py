"""Who is calling: what a verified access token says, and nothing that it could say wrongly tomorrow."""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["member", "client", "app"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Caller:
    """No roles: each service reads them from its own copy, so that a suspension is obeyed at once."""

    id: str
    kind: Kind
    practice_id: str
    token_id: str
    sign_in_id: str = ""
    """What a person began by signing in; an app has none."""
