"""Counts what could tell somebody who is a client of their colleagues.

That an address or an id is taken tells it. After some such answers none is given any more, not even that one
is free, but to the office, which sees everybody.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from services.practices.api.stores import myself
from services.practices.domain.addresses import AddressTaken
from services.practices.domain.clients import ExternalIdTaken
from services.practices.domain.looks import TooManyLooks
from services.practices.store.looks import Tries
from shared.clock import now
from shared.web.context import caller, database


def require_room() -> None:
    if _counts() and not _tries().room(now()):
        raise TooManyLooks("Ask an owner or admin of the practice, or wait for an hour.")


def counted(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def answer(*args: Any, **path: Any) -> Any:
        try:
            return view(*args, **path)
        except (AddressTaken, ExternalIdTaken):
            if _counts():
                _tries().count(now())
            raise

    return answer


def _counts() -> bool:
    return caller().kind == "member" and not myself().in_office


def _tries() -> Tries:
    return Tries(database(), "taken", caller().practice_id, caller().id)
