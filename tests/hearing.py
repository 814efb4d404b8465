"""Events as a service hears them, without a broker: the same decoding, handlers and writes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.clock import now
from shared.ids import new_id
from shared.messaging.envelope import encode
from shared.messaging.handling import Handling, Work


def message(
    type: str,
    source: str,
    data: dict[str, Any],
    practice_id: str = "p",
    sequence: int = 1,
    time: datetime | None = None,
    id: str | None = None,
) -> bytes:
    record = {"id": id or new_id(), "type": type, "time": time or now(), "sequence": sequence, "data": data}
    return encode(record, service=source, subject=id or "subject", practice_id=practice_id)


def hear(service: Any, database: Any, *messages: bytes) -> list[Work]:
    """Have the service handle them, each alone; raise if one is neither done nor early."""
    works = [Work(raw) for raw in messages]
    for work in works:
        Handling(service.subscriber, database, service.collections).run([work])
        assert work.error is None, work.error
    return works


def member(id: str, *roles: str, practice_id: str = "p", name: str = "Clara") -> bytes:
    data = {"member_id": id, "roles": roles, "display_name": name, "language": "en", "timezone": "UTC"}
    return message("member.joined", "practices", data, practice_id)


def client(id: str, practice_id: str = "p", name: str = "Maya") -> bytes:
    data = {"client_id": id, "display_name": name, "language": "en", "timezone": "UTC"}
    return message("client.enrolled", "practices", data, practice_id)


def episode(
    client_id: str,
    clinician_id: str,
    practice_id: str = "p",
    started_at: datetime | None = None,
    id: str | None = None,
    status: str = "active",
) -> bytes:
    data = {
        "episode_id": id or f"e-{client_id}-{clinician_id}",
        "client_id": client_id,
        "clinician_id": clinician_id,
        "status": status,
        "started_at": started_at or now(),
    }
    return message("episode.started", "practices", data, practice_id)


def step(
    type: str, client_id: str, clinician_id: str, status: str, sequence: int, id: str | None = None
) -> bytes:
    """A later event of an episode, as far as other services read it."""
    about = {"client_id": client_id, "clinician_id": clinician_id, "status": status}
    data = {"episode_id": id or f"e-{client_id}-{clinician_id}", **about}
    return message(type, "practices", data, sequence=sequence)


def consent(client_id: str, app_id: str, practice_id: str = "p", covers: Sequence[str] = ("goal",)) -> bytes:
    data = {"client_id": client_id, "app_id": app_id, "given_at": now(), "covers": list(covers)}
    return message("client.consented", "practices", data, practice_id, sequence=2)


def grant(app_id: str, scopes: list[str], practice_id: str = "p") -> bytes:
    data = {"grant_id": f"{practice_id}-{app_id}", "app_id": app_id, "event_types": ["goal.agreed"]}
    return message("grant.given", "practices", {**data, "scopes": scopes, "given_at": now()}, practice_id)


def revocation(app_id: str, practice_id: str = "p") -> bytes:
    data = {"grant_id": f"{practice_id}-{app_id}", "app_id": app_id}
    return message("grant.revoked", "practices", data, practice_id, sequence=2)
