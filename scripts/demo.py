"""make demo: the story on the running platform, one line a step; a step that fails, or two seconds, fail it.

A clinician proposes a goal, the client agrees, the clinician's inbox says so, and a partner app gets a signed
webhook, because the practice granted it and the client consented; before either, it gets nothing.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from scripts import platform, trouble
from scripts.api import Answer, call
from scripts.place import Place, read_json
from scripts.receiver import Received, receiver
from scripts.sign_in import access_token, app_token, url
from scripts.telling import console
from scripts.trouble import Trouble
from scripts.waiting import until

STORY_SECONDS = 2.0
STEP_SECONDS = 5.0
READY_SECONDS = 20.0
QUIET_SECONDS = 0.2
CLINICIAN, CLIENT, RELUCTANT, OWNER = (
    "clara@example.org",
    "maya@example.org",
    "noah@example.org",
    "olivia@example.org",
)


@dataclass
class Story:
    """Who plays, with their tokens, and how they call the platform."""

    place: Place
    people: dict[str, dict[str, Any]]
    app: dict[str, Any]
    tokens: dict[str, str]

    def ask(self, who: str, method: str, service: str, path: str, **about: Any) -> Answer:
        return call(method, url(self.place, service, path), token=self.tokens[who], **about)

    def create(self, who: str, service: str, path: str, body: dict[str, Any]) -> Answer:
        return self.ask(who, "POST", service, path, body=body, key=uuid.uuid4().hex).expect(201)

    def agree(self, client: str, what: str) -> str:
        """A goal that the clinician proposes and the client agrees to, the version they saw."""
        client_id = self.people[client]["id"]
        goal = self.create(CLINICIAN, "goals", f"/clients/{client_id}/goals", {"what": what})
        goal_id = str(goal.body["id"])
        self.ask(client, "POST", "goals", f"/goals/{goal_id}/agreement", match=goal.etag).expect(200)
        return goal_id


def main() -> int:
    place = Place.of_project()
    with place.locked():
        if not platform.is_up(place) or not place.sample.exists():
            platform.bring_up(place, sample=True)
    with told("Everybody signs in, and every service knows them"):
        story = _story(place)
    with receiver() as (address, received):
        took = _play(story, address, received)
    in_time = took <= STORY_SECONDS
    late = "" if in_time else f", and may take {STORY_SECONDS:.0f}: see make logs"
    console.print(f"{'[green]✓' if in_time else '[red]✗'} The story took {took:.2f} s{late}.[/]")
    console.print("The platform runs on: make up shows where it is, make down stops it.")
    return 0 if in_time else 1


def _play(story: Story, address: str, received: Received) -> float:
    began = time.monotonic()
    with told("The app registers its endpoint"):
        about = {"url": f"{address}/tandem", "event_types": ["goal.agreed"]}
        endpoint = story.create("app", "partners", "/endpoints", about)
        received.secret = endpoint.body["secret"]
    try:
        _tell(story, received)
        return time.monotonic() - began
    finally:
        _leave_as_found(story, endpoint)


def _tell(story: Story, received: Received) -> None:
    with told("A goal is agreed; the practice has granted the app nothing"):
        ungranted = story.agree(CLIENT, "Walk for ten minutes each morning")
    with told("The practice grants the app to hear of agreed goals"):
        wanted = {"app_id": story.app["id"], "event_types": ["goal.agreed"], "scopes": ["goal.read"]}
        story.create(OWNER, "practices", "/grants", wanted)
    with told("Another client, who has not consented, agrees to a goal"):
        unconsented = story.agree(RELUCTANT, "Call a friend on Sunday")
    with told("The client consents to the app"):
        _consent(story, "PUT")
    with told("The clinician proposes a goal, and the client agrees"):
        goal = story.agree(CLIENT, "Sleep before midnight")
    with told("The clinician's inbox says so"):
        _await(lambda: _inbox_tells(story, goal), "The clinician's inbox says nothing of the goal")
    with told("The app receives the webhook and verifies its signature"):
        _await(lambda: any(goal in body for body in received.verified), "The app received no webhook")
    with told("It received nothing else"):
        time.sleep(QUIET_SECONDS)
        _only(goal, {ungranted: "without a grant", unconsented: "without consent"}, received)


def _story(place: Place) -> Story:
    sample = read_json(place.sample)
    people = {person["email"]: person for person in sample["people"]}
    missing = [who for who in (CLINICIAN, CLIENT, RELUCTANT, OWNER) if who not in people]
    if missing:
        raise Trouble(f"The sample practice lacks {', '.join(missing)}: run make reset, then make sample.")
    tokens = {who: access_token(place, who) for who in (CLINICIAN, CLIENT, RELUCTANT, OWNER)}
    story = Story(place, people, sample["app"], tokens | {"app": app_token(place, sample["app"])})
    _await(
        partial(_everybody_is_known, story), "The services do not know the sample practice yet", READY_SECONDS
    )
    _withdraw_everything(story)
    return story


def _everybody_is_known(story: Story) -> bool:
    """Read models are fed by events: they follow the sample within moments of its loading."""
    asked = [
        *((CLINICIAN, "goals", f"/clients/{story.people[who]['id']}/goals") for who in (CLIENT, RELUCTANT)),
        *((who, "goals", f"/clients/{story.people[who]['id']}/goals") for who in (CLIENT, RELUCTANT)),
        (CLINICIAN, "notifications", "/notifications/unread"),
        ("app", "partners", "/endpoints"),
    ]
    return all(story.ask(who, "GET", service, path).status == 200 for who, service, path in asked)


def _withdraw_everything(story: Story) -> None:
    """So that the story begins without grant and consent, however the last one ended."""
    for grant in story.ask(OWNER, "GET", "practices", "/grants").expect(200).body["items"]:
        if grant["app_id"] == story.app["id"] and not grant.get("revoked_at"):
            path = f"/grants/{grant['id']}"
            found = story.ask(OWNER, "GET", "practices", path).expect(200)
            story.ask(OWNER, "DELETE", "practices", path, match=found.etag).expect(200)
    _consent(story, "DELETE")


def _consent(story: Story, method: str) -> None:
    client = f"/clients/{story.people[CLIENT]['id']}"
    found = story.ask(CLIENT, "GET", "practices", client).expect(200)
    path = f"{client}/consents/{story.app['id']}"
    # Without a consent there is none to withdraw: 404.
    allowed = (200,) if method == "PUT" else (200, 404)
    body = {"covers": ["goal"]} if method == "PUT" else None
    story.ask(CLIENT, method, "practices", path, match=found.etag, body=body).expect(*allowed)


def _leave_as_found(story: Story, endpoint: Answer) -> None:
    path = f"/endpoints/{endpoint.body['id']}"
    found = story.ask("app", "GET", "partners", path).expect(200)
    story.ask("app", "DELETE", "partners", path, match=found.etag).expect(200)


def _inbox_tells(story: Story, goal: str) -> bool:
    items = story.ask(CLINICIAN, "GET", "notifications", "/notifications").expect(200).body["items"]
    return any(item["about_id"] == goal and item["kind"] == "goal.agreed" for item in items)


def _only(goal: str, others: dict[str, str], received: Received) -> None:
    if received.refused:
        raise Trouble(f"A webhook's signature is wrong ({received.refused[0]}): see make logs ONLY=partners.")
    for other, why in others.items():
        if any(other in body for body in received.verified):
            raise Trouble(f"The app heard of goal {other} {why}: see make logs ONLY=partners.")
    if len(received.verified) != 1:
        raise Trouble(
            f"The app received {len(received.verified)} webhooks of goal {goal}: one was meant to come."
        )


def _await(check: Callable[[], bool], otherwise: str, seconds: float = STEP_SECONDS) -> None:
    if until({"it": check}, seconds, pause=0.01):
        raise Trouble(f"{otherwise} after {seconds:.0f} s: see make logs.")


@contextmanager
def told(text: str) -> Iterator[None]:
    """One line for a step, with its time, whether it goes well or not."""
    began, mark = time.monotonic(), "[red]✗[/]"
    try:
        yield
        mark = "[green]✓[/]"
    finally:
        console.print(f"{mark} {text:<62} [dim]{(time.monotonic() - began) * 1000:6.0f} ms[/]")


if __name__ == "__main__":
    trouble.run(main)
