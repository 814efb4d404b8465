"""The client's episodes of care, by a service's own records."""

from datetime import UTC, datetime
from typing import Any

from shared.store.records import Records

UNDER_WAY = frozenset({"active", "paused", "aftercare"})
"""When a clinician is told what a client writes: not before the start, and not after the end."""


def current_episodes(database: Any, practice_id: str, client_id: str) -> list[dict[str, Any]]:
    """The client's open episodes of care, oldest first."""
    found = Records(database["episodes"], "client_id").find(practice_id, client_id=client_id)
    return sorted((episode for episode in found if episode.get("active")), key=_began)


def _began(episode: dict[str, Any]) -> datetime:
    # Its later events may come before the one that says when it started.
    return episode.get("started_at") or datetime.min.replace(tzinfo=UTC)


def is_under_way(episode: dict[str, Any]) -> bool:
    # What is from before episodes told their status is active.
    return episode.get("status", "active") in UNDER_WAY
