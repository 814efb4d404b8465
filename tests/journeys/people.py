"""The sample practice's people, calling the running platform over HTTP as anybody outside would."""

import math
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

from scripts import parts
from scripts.api import Answer, call
from scripts.place import Place
from scripts.sign_in import access_token, app_token, url

RENEWED_AFTER = 300.0
"""Seconds after which people sign in anew: their tokens last ten minutes, and a run may take longer."""


def until(check: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What `check` gives as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


class Platform:
    def __init__(self, place: Place, sample: dict[str, Any], databases: str) -> None:
        self.place = place
        self.databases = databases
        self.app = sample["app"]
        self.practice_id = sample["practice_id"]
        self._ids = {person["email"].partition("@")[0]: person["id"] for person in sample["people"]}
        self._tokens: dict[str, tuple[str, float]] = {}

    def id(self, who: str) -> str:
        return str(self._ids[who])

    def token(self, who: str) -> str:
        token, until = self._tokens.get(who, ("", 0.0))
        if time.monotonic() >= until:
            token = self._sign_in(who)
            # An app signs in to a practice only while its grant stands.
            lasts = math.inf if who == "app in practice" else RENEWED_AFTER
            self._tokens[who] = token, time.monotonic() + lasts
        return token

    def renew(self, who: str) -> str:
        """Another token, before the one at hand expires."""
        self._tokens.pop(who, None)
        return self.token(who)

    def _sign_in(self, who: str) -> str:
        if who == "app":
            return app_token(self.place, self.app)
        if who == "app in practice":
            return app_token(self.place, self.app, self.practice_id)
        return access_token(self.place, f"{who}@example.org")

    def url(self, service: str, path: str) -> str:
        return url(self.place, service, path)

    def ask(self, who: str, method: str, service: str, path: str, **about: Any) -> Answer:
        return call(method, self.url(service, path), token=self.token(who), **about)

    def create(self, who: str, service: str, path: str, body: dict[str, Any]) -> Answer:
        return self.ask(who, "POST", service, path, body=body, key=uuid.uuid4().hex).expect(201)

    def agree(self, clinician: str, client: str, what: str = "Sleep before midnight") -> str:
        """A goal that the clinician proposes and the client agrees to."""
        goal = self.create(clinician, "goals", f"/clients/{self.id(client)}/goals", {"what": what})
        path = f"/goals/{goal.body['id']}/agreement"
        self.ask(client, "POST", "goals", path, match=goal.etag).expect(200)
        return str(goal.body["id"])

    def inbox(self, who: str) -> list[dict[str, Any]]:
        answer = self.ask(who, "GET", "notifications", "/notifications?limit=100").expect(200)
        items: list[dict[str, Any]] = answer.body["items"]
        return items

    def grant(self, event_types: list[str], scopes: list[str]) -> Answer:
        about = {"app_id": self.app["id"], "event_types": event_types, "scopes": scopes}
        return self.create("olivia", "practices", "/grants", about)

    def revoke(self, grant_id: str) -> None:
        found = self.ask("olivia", "GET", "practices", f"/grants/{grant_id}").expect(200)
        self.ask("olivia", "DELETE", "practices", f"/grants/{grant_id}", match=found.etag).expect(200)

    def consent(self, client: str, method: str = "PUT") -> None:
        path = f"/clients/{self.id(client)}"
        found = self.ask(client, "GET", "practices", path).expect(200)
        consent = f"{path}/consents/{self.app['id']}"
        body = {"covers": ["goal", "episode", "session"]} if method == "PUT" else None
        self.ask(client, method, "practices", consent, match=found.etag, body=body).expect(200)

    def command(self, service: str, *words: str) -> str:
        """What a command of one service says, run to its end."""
        done = subprocess.run(
            [sys.executable, "-m", f"services.{service}", *words],
            env=parts.preparing(self.place, service),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def await_sample(self) -> None:
        """Read models are fed by events: they follow the sample within moments."""
        asked = [("clara", "goals", "maya"), ("clara", "feedback", "maya"), ("clara", "goals", "noah")]
        for who, service, client in asked:
            path = f"/clients/{self.id(client)}/{service}"
            until(lambda w=who, s=service, p=path: self.ask(w, "GET", s, p).status == 200)  # type: ignore[misc]
