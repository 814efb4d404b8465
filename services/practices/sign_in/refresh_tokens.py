"""Refresh tokens: which sign-in, which number of it, and a keyed hash of both, so that none is stored.

Rotation (RFC 9700, 4.14.2): each is good once, and one that comes again ends the sign-in, since somebody
else has the token that came after it. But two tabs may send the same one at once, and an answer may be lost
on its way; so the one just replaced gives the same successor again for `GRACE`, which is no new secret and
no second branch. A thief gains nothing lasting by it: to be unseen they would have to present each token
within seconds after, never before, its owner does, every ten minutes, and the first miss ends the sign-in.
"""

import hmac
import re
from datetime import timedelta

from services.practices.sign_in.sealing import digest
from shared.settings import Settings

GRACE = timedelta(seconds=30)
_TOKEN = re.compile(r"([0-9a-f-]{36})\.(0|[1-9][0-9]{0,8})\.([0-9a-f]{64})", re.ASCII)


def written(settings: Settings, sign_in_id: str, number: int) -> str:
    return f"{sign_in_id}.{number}.{_mark(settings, sign_in_id, number)}"


def read(settings: Settings, token: str) -> tuple[str, int] | None:
    """The sign-in and the number, if it is one of ours: whoever only knows an id ends nothing by it."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    id, number, mark = found[1], int(found[2]), found[3]
    return (id, number) if hmac.compare_digest(mark, _mark(settings, id, number)) else None


def _mark(settings: Settings, sign_in_id: str, number: int) -> str:
    return digest(settings, "refresh-tokens", sign_in_id, str(number))
