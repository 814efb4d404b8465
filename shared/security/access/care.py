"""Who is meant by what a client or clinician writes, and in which language to answer."""

from typing import Any

from shared.security.access.episodes import current_episodes, is_under_way
from shared.security.access.relations import Standings
from shared.security.caller import Caller
from shared.store.records import Records


def clinician_for(
    database: Any, caller: Caller, client_id: str, standings: Standings, so_far: str | None = None
) -> str | None:
    """Who of the client's clinicians this is between now.

    The caller, if they are one; or the one it was between `so_far`, if they still are one; or the latest.
    `standings` are those by which this caller was let in. None where there is no episode under way with
    somebody who still works here.
    """
    if ("clinician", "own") in standings:
        # Looked up for this request, or within the last second.
        return caller.id if ("clinician", "under_way") in standings else None
    episodes = current_episodes(database, caller.practice_id, client_id)
    clinicians = [episode["clinician_id"] for episode in episodes if is_under_way(episode)]
    present = Records(database["members"], "active").among(caller.practice_id, clinicians)
    active = [id for id in clinicians if id in present and present[id]["active"]]
    if so_far in active:
        return so_far
    return active[-1] if active else None


def language_of(database: Any, caller: Caller) -> str | None:
    """The language that a client chose."""
    client = Records(database["clients"], "active").get(caller.practice_id, caller.id) or {}
    return client.get("language")
