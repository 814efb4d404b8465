"""What a practice decides about its people holds everywhere within five seconds, whatever tokens say."""

import secrets
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import now
from tests.journeys.people import Platform, until

WITHIN = 5.0
"""Seconds."""


class Staff:
    """A clinician with a client, both of their own."""

    def __init__(self, running: Platform) -> None:
        self.running, self.name = running, f"dora-{secrets.token_hex(4)}"
        about = {"display_name": "Dora", "language": "en", "timezone": "Europe/Lisbon"}
        member = {**about, "roles": ["clinician"], "email": f"{self.name}@example.org"}
        self.id = running.create("olivia", "practices", "/members", member).body["id"]
        client = {**about, "adult": True, "email": f"client-of-{self.name}@example.org"}
        self.client_id = running.create("olivia", "practices", "/clients", client).body["id"]
        running.token(self.name)
        path = f"/clients/{self.client_id}/episodes"
        care = running.create("olivia", "practices", path, {"clinician_id": self.id})
        self.episode_id = care.body["id"]

    def sees(self, service: str, who: str | None = None) -> bool:
        own = {"notifications": "/notifications", "practices": f"/clients/{self.client_id}"}
        path = own.get(service, f"/clients/{self.client_id}/{service}")
        return self.running.ask(who or self.name, "GET", service, path).status == 200

    def change(self, method: str, path: str, **about: Any) -> None:
        found = self.running.ask("olivia", "GET", "practices", f"/members/{self.id}").expect(200)
        path = f"/members/{self.id}/{path}"
        self.running.ask("olivia", method, "practices", path, match=found.etag, **about).expect(200)


@pytest.fixture
def dora(running: Platform) -> Staff:
    return Staff(running)


EVERYWHERE = ("practices", "goals", "feedback", "notifications")


def seconds_until(check: Callable[[str], bool], services: Iterable[str] = EVERYWHERE) -> dict[str, float]:
    """How long it took in each."""
    began = time.monotonic()
    took = {}
    for service in services:
        until(lambda service=service: check(service))  # type: ignore[misc]
        took[service] = time.monotonic() - began
    return took


def test_suspension_reinstatement_and_removal(running: Platform, dora: Staff) -> None:
    seconds_until(dora.sees)

    dora.change("POST", "suspension")
    suspended = seconds_until(lambda service: not dora.sees(service))
    dora.change("DELETE", "suspension")
    reinstated = seconds_until(dora.sees)
    dora.change("POST", "removal", body={"others": running.id("daniel")})
    removed = seconds_until(lambda service: not dora.sees(service))

    for took in (suspended, reinstated, removed):
        assert max(took.values()) < WITHIN, took
    seconds_until(lambda service: dora.sees(service, "daniel"), ("practices", "goals", "feedback"))
    (told,) = until(lambda: [one for one in running.inbox("daniel") if one["about_id"] == dora.episode_id])
    assert told["kind"] == "episode.transferred"


def test_leave_cover_begins_and_is_called_off(running: Platform, dora: Staff) -> None:
    services = ("practices", "goals", "feedback")
    seconds_until(dora.sees)
    stand_in = Staff(running)
    seconds_until(stand_in.sees)
    assert not any(dora.sees(service, stand_in.name) for service in services)

    span = {"since": now().isoformat(), "until": (now() + timedelta(days=1)).isoformat()}
    path = f"/members/{dora.id}/covers"
    cover = running.create("olivia", "practices", path, {"covered_by": stand_in.id, **span})
    begun = seconds_until(lambda service: dora.sees(service, stand_in.name), services)
    running.ask("olivia", "DELETE", "practices", f"/covers/{cover.body['id']}", match=cover.etag).expect(200)
    over = seconds_until(lambda service: not dora.sees(service, stand_in.name), services)

    assert max(*begun.values(), *over.values()) < WITHIN, (begun, over)


def test_the_end_of_a_grant(running: Platform) -> None:
    """With the token that the app got while it stood: it is not refused (401), nothing is there (404)."""
    maya = f"/clients/{running.id('maya')}"
    lists = {"practices": f"{maya}/sessions", "goals": f"{maya}/goals"}

    def answers(service: str, status: int) -> bool:
        return running.ask("app in practice", "GET", service, lists[service]).status == status

    running.consent("maya")
    grant = running.grant(["goal.agreed"], ["goal.list", "session.list"])
    running.renew("app in practice")
    seconds_until(lambda service: answers(service, 200), lists)

    running.revoke(grant.body["id"])
    over = seconds_until(lambda service: answers(service, 404), lists)

    assert max(over.values()) < WITHIN, over
    running.consent("maya", "DELETE")
