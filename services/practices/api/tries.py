"""Counts what could tell somebody who is a client of their colleagues."""

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


def count_try() -> None:
    if not Tries(database()).count(caller().practice_id, caller().id, now()):
        raise TooManyLooks("Ask an owner or admin of the practice, or wait for an hour.")


def counted(view: Callable[..., Any]) -> Callable[..., Any]:
    """That somebody else has an address or id already is a try, but for the office, who sees everybody."""

    @wraps(view)
    def answer(*args: Any, **path: Any) -> Any:
        try:
            return view(*args, **path)
        except (AddressTaken, ExternalIdTaken):
            if caller().kind == "member" and not myself().in_office:
                count_try()
            raise

    return answer
