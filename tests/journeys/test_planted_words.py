"""What people write, and how to reach them, is nowhere but in the answers to those who may read it.

Fifty words are planted in each field under lock, and looked for wherever anything is kept or sent. In each
place something is looked for as well that has to be there: who finds nothing anywhere has not looked.
"""

import re
import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import bson
import pytest
from pymongo import MongoClient

from scripts import mailbox, parts, platform, processes
from scripts.api import Answer, call
from scripts.sign_in import codes, signed_in
from shared.clock import now
from shared.messaging.link import linked
from shared.messaging.topology import EXCHANGE
from tests.journeys import test_a_goal_agreed_is_heard_everywhere as story
from tests.journeys.people import Platform, until

endpoint, listening = story.endpoint, story.listening
MARK, NUMBERS, CONTROL = "zqxj", "907183625480", "zqxk"
PLANTED = re.compile(rf"{MARK}[0-9a-f]{{4}}|{NUMBERS}[0-9]{{4}}".encode())
WORDS = 50
IN_ADDRESS, IN_ATOM = 17, 7
"""So many words make an address that mail can be sent to, and so many what is between two of its dots."""
TAP = "test.planted"
PERSON = {"language": "en", "timezone": "Europe/Lisbon"}
APP = ("--name", "Diary", "--description", "Keeps the diary.")
RATINGS = dict.fromkeys(("heard", "mattered", "pace", "could_say", "usable"), 5)


def planted(most: int | None = None) -> str:
    """Fifty words, or as many as `most` characters hold."""
    return " ".join(words(WORDS))[:most]


def words(count: int) -> list[str]:
    return [MARK + secrets.token_hex(2) for _ in range(count)]


def address(count: int = IN_ADDRESS) -> str:
    said = words(count)
    atoms = ("_".join(said[at : at + IN_ATOM]) for at in range(0, count, IN_ATOM))
    return ".".join(atoms) + "@example.org"


def phone() -> str:
    return "+" + " ".join(f"{NUMBERS}{secrets.randbelow(10_000):04}" for _ in range(2))


class Tap:
    """A queue that every message comes to which passes the exchange."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        channel.queue_declare(TAP, exclusive=True)
        channel.queue_bind(TAP, EXCHANGE, "#")

    def all(self) -> bytes:
        heard = []
        while message := self._channel.basic_get(TAP, no_ack=True):
            heard.append(repr((message.body, message.properties)).encode())
        return b"\n".join(heard)


@pytest.fixture
def tap(running: Platform) -> Iterator[Tap]:
    with linked(running.place.read()["servers"]["amqp_url"], "tap") as connection:
        yield Tap(connection.channel())


@pytest.fixture
def post(running: Platform) -> Iterator[None]:
    """The mailbox is there again, whatever a test did with it."""
    yield
    platform.start_parts(running.place)


@pytest.fixture
def granted(running: Platform) -> Iterator[None]:
    grant = running.grant(["goal.proposed", "goal.agreed"], [])
    running.consent("maya")
    yield
    running.consent("maya", "DELETE")
    running.revoke(grant.body["id"])


def test_planted_words_are_found_nowhere(
    running: Platform, endpoint: story.Verified, granted: None, tap: Tap, post: None
) -> None:
    client_id = running.id("maya")

    goal = running.create(
        "maya", "goals", f"/clients/{client_id}/goals", {"what": planted(), "why": planted()}
    )
    running.ask("clara", "POST", "goals", f"/goals/{goal.body['id']}/agreement", match=goal.etag).expect(200)
    feedback = give_feedback(running, client_id)
    running.command("practices", "register-app", "--contact-email", address(WORDS), *APP)
    invite_members(running)
    enrol_all(running)
    break_glass(running)
    give_up_addresses(running)
    told = problems(running, client_id)
    until(lambda: endpoint.types_of(goal.body["id"]) == ["goal.proposed", "goal.agreed"])
    until(lambda: any(one["about_id"] == feedback for one in running.inbox("maya")))

    places = {
        "webhooks": (endpoint.bodies().encode(), goal.body["id"]),
        "problems": (told, "/problems/"),
        "broker": (tap.all(), CONTROL),
        "logs": (read(running.place.logs), "Request answered"),
        "mails": (letters(running.place.mail), "You are invited"),
        "metrics": (metrics(running), "tandem_http_requests_total"),
        **databases(running),
    }
    assert {name: found(blob, control) for name, (blob, control) in places.items()} == dict.fromkeys(
        places, (True, set())
    )


def found(blob: bytes, control: str) -> tuple[bool, set[bytes]]:
    """Whether what must be there is, and which planted words are."""
    return control.encode() in blob, set(PLANTED.findall(blob))


def give_feedback(running: Platform, client_id: str) -> str:
    about = {"session_on": "2026-11-19", "ratings": RATINGS}
    words = {"most_helpful": planted(), "least_helpful": planted()}
    given = running.create("maya", "feedback", f"/clients/{client_id}/feedback", about | words)
    path = f"/feedback/{given.body['id']}"
    answer = {"text": planted(), "change": planted()}
    seen = until(lambda: running.ask("clara", "GET", "feedback", path))
    running.ask("clara", "POST", "feedback", f"{path}/answer", body=answer, match=seen.etag).expect(200)
    return str(given.body["id"])


def invite_members(running: Platform) -> None:
    """With a name to find."""
    for _ in range(0, WORDS, IN_ADDRESS):
        member = {"display_name": f"{CONTROL} control", "email": address(), "roles": ["admin"]}
        running.create("olivia", "practices", "/members", PERSON | member)


def enrol_all(running: Platform) -> None:
    """As many clients as words, since a number or a pronoun has no room for all of them."""
    for word in words(WORDS):
        contact = {"name": planted(200), "phone": phone(), "relation": planted(100)}
        reached = {"email": f"{word}@example.org", "phone": phone(), "emergency_contact": contact}
        spoken_to = {"pronouns": planted(50), "usual_place": planted(500)}
        client = {"display_name": "Somebody", "adult": True, **reached, **spoken_to}
        made = running.create("clara", "practices", "/clients", PERSON | client)
    care_for(running, made)


def break_glass(running: Platform) -> None:
    practice = running.ask("olivia", "GET", "practices", "/practice").expect(200)
    allowed = {"policy": {"break_glass": True}}
    running.ask("olivia", "PATCH", "practices", "/practice", body=allowed, match=practice.etag).expect(200)
    why = {"email": "noah@example.org", "reason": planted()}
    look = running.create("daniel", "practices", "/looks", why)
    running.ask("daniel", "POST", "practices", f"/looks/{look.body['id']}/end", match=look.etag).expect(200)


def give_up_addresses(running: Platform) -> None:
    """By a client who is invited and comes in; what tells the last of these addresses is still to be sent."""
    email = address()
    client = {"display_name": "Somebody", "email": email, "adult": True, "invite": True}
    running.create("clara", "practices", "/clients", PERSON | client)
    until(lambda: mailbox.letters(running.place.mail, email))
    token = signed_in(running.place, email)["access_token"]
    own = running.url("practices", "/me/address")
    changes = range(0, WORDS, IN_ADDRESS)
    for change in changes:
        new, before = address(), codes(running.place, email)
        asked = call("POST", own, token=token, body={"email": new}).expect(202)
        until(lambda new=new: codes(running.place, new))  # type: ignore[misc]
        until(lambda old=email, before=before: codes(running.place, old) != before)  # type: ignore[misc]
        if change == changes[-1]:
            processes.stop(running.place, ["mail"])
        said = {"code": codes(running.place, new)[-1], "present_code": codes(running.place, email)[-1]}
        proof = {"email": new, "ticket": asked.body["ticket"], **said}
        call("PUT", own, token=token, body=proof).expect(200)
        email = new


def care_for(running: Platform, client: Answer) -> None:
    """All that clinicians and clients write about care."""
    episode = running.create("clara", "practices", f"/clients/{client.body['id']}/episodes", {})
    care = f"/episodes/{episode.body['id']}"
    times = {"starts": f"{now().date() + timedelta(days=2)}T10:00", "minutes": 50}
    series = running.create("clara", "practices", f"{care}/sessions", times)
    session = f"/sessions/{series.body['sessions'][0]['id']}/cancellation"
    reason = {"reason": planted()}
    running.ask("clara", "POST", "practices", session, body=reason, match=series.etag).expect(200)
    running.ask("clara", "POST", "practices", f"{care}/pause", body=reason, match=episode.etag).expect(200)
    found = running.ask("maya", "GET", "practices", f"/clients/{running.id('maya')}/episodes").expect(200)
    wish = f"/episodes/{found.body['items'][0]['id']}/wish"
    said = running.create("maya", "practices", wish, {"text": planted()})
    running.ask("maya", "DELETE", "practices", wish, match=said.etag).expect(200, 204)


def problems(running: Platform, client_id: str) -> bytes:
    """What is answered to requests that carry planted words and are refused."""
    word = planted()
    wrong: list[Any] = [{"what": [word]}, {"what": word * 9}, {word: word}, {"what": word, "target_on": word}]
    answers = [
        running.ask(
            "maya", "POST", "goals", f"/clients/{client_id}/goals", body=body, key=secrets.token_hex(8)
        )
        for body in wrong
    ]
    answers += [
        call("GET", running.url("goals", f"/goals?{word.split()[0]}=1"), token=word.split()[0]),
        call("POST", running.url("practices", "/sign-in"), body={"email": word}),
    ]
    assert all(answer.status >= 400 for answer in answers)
    return repr([answer.body for answer in answers]).encode()


def read(folder: Path) -> bytes:
    """All files below, with their names."""
    return b"\n".join(
        str(file).encode() + file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()
    )


def letters(folder: Path) -> bytes:
    """All but to whom they went."""
    to = re.compile(rb"^To:.*(\r?\n[ \t].*)*", re.MULTILINE)
    return b"\n".join(to.sub(b"", file.read_bytes()) for file in folder.glob("*.eml"))


def metrics(running: Platform) -> bytes:
    ports = running.place.read()["ports"]
    urls = [f"http://127.0.0.1:{ports[part.metrics]}/metrics" for part in parts.parts()]
    return b"\n".join(urlopen(url, timeout=10).read() for url in urls)


def databases(running: Platform) -> dict[str, tuple[bytes, str]]:
    """Dumps of all databases, the oplog, and MongoDB's own files where they are on this machine."""
    with MongoClient[dict[str, Any]](running.place.read()["servers"]["mongo_url"]) as client:
        ours = [name for name in client.list_database_names() if name.startswith(running.databases)]
        dumps = [
            bson.encode(document)
            for name in ours
            for collection in client[name].list_collection_names()
            for document in client[name][collection].find()
        ]
        of_ours = {"ns": {"$regex": f"^({'|'.join(ours)}|admin.\\$cmd)"}}
        oplog = [bson.encode(entry) for entry in client["local"]["oplog.rs"].find(of_ours)]
        client.admin.command("fsync")
        folder = Path(client.admin.command("getCmdLineOpts")["parsed"]["storage"]["dbPath"])
        looked = {"dumps": (b"\n".join(dumps), CONTROL), "oplog": (b"\n".join(oplog), CONTROL)}
        if running.place.read()["servers"]["way"] != "containers" and folder.is_dir():
            looked["files"] = (read(folder), CONTROL)
        return looked
