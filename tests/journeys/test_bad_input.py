"""Whatever is sent to whatever route of whatever service: the right problem, no 5xx, nothing half-done.

The routes come from each service's OpenAPI document, so that a new one is covered without edits.
"""

import json
import re
import urllib.request
import uuid
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from scripts import parts
from tests.journeys.people import Platform
from tests.openapi import findings

SERVICES = parts.services()
CALLERS = ("olivia", "clara", "maya", "app", "app in practice")
DEEP = b'{"a":' * 40 + b"1" + b"}" * 40
VERY_DEEP = b'{"a":' * 9_000 + b"1" + b"}" * 9_000
MALFORMED = {
    "not JSON": (b"what: sleep", 400),
    "no object": (b"[]", 400),
    "a bare text": (b'"x"', 400),
    "empty": (b"", 400),
    "twice the same name": (b'{"what": "a", "what": "b"}', 400),
    "NaN": (b'{"what": NaN}', 400),
    "infinite": (b'{"what": 1e999}', 400),
    "a huge number": (b'{"what": ' + b"9" * 5_000 + b"}", 400),
    "too deep": (DEEP, 400),
    "very deep": (VERY_DEEP, 400),
    "a lone surrogate": (b'{"what": "\\ud800"}', 400),
    "NUL": (b'{"what": "a\\u0000b"}', 400),
    "not UTF-8": (b'{"what": "\xff\xfe"}', 400),
    "too large": (b'{"what": "' + b"x" * 70_000 + b'"}', 413),
    "an operator": (b'{"what": {"$ne": 1}, "email": {"$gt": ""}, "url": {"$where": "1"}}', 422),
    "nothing that is asked for": (b'{"surprise": true}', 422),
}


def routes(running: Platform, service: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    with urllib.request.urlopen(running.url(service, "/openapi.json"), timeout=10) as answer:
        document = json.load(answer)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield method.upper(), path, operation


def send(
    running: Platform,
    service: str,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> tuple[HTTPResponse, bytes]:
    """As a stranger would, with nothing added and nothing checked."""
    connection = HTTPConnection(urlsplit(running.url(service, "")).netloc, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def ask(running: Platform, service: str, *request: Any) -> tuple[int, str, dict[str, Any]]:
    """Status, content type, problem."""
    answer, raw = send(running, service, *request)
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    return answer.status, kind, json.loads(raw) if kind.endswith("json") and raw else {}


def filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda name: ids.get(name[1], str(uuid.uuid4())), path)


@pytest.fixture(scope="module")
def ids(running: Platform) -> Iterator[dict[str, str]]:
    """Something real for every variable that a path may have."""
    goal = running.create("clara", "goals", f"/clients/{running.id('maya')}/goals", {"what": "Walk"})
    ratings = dict.fromkeys(("heard", "mattered", "pace", "could_say", "usable"), 5)
    about = {"session_on": "2026-11-19", "ratings": ratings}
    feedback = running.create("maya", "feedback", f"/clients/{running.id('maya')}/feedback", about)
    endpoint = running.create("app", "partners", "/endpoints", {"url": "http://127.0.0.1:9/"})
    grant = running.grant(["goal.agreed"], ["goal.read"])
    running.token("app in practice")
    running.revoke(grant.body["id"])
    # Not Maya's own, which she might end: tests/practices does that.
    episodes = running.ask("clara", "GET", "practices", f"/clients/{running.id('noah')}/episodes")
    yield {
        "client_id": running.id("maya"),
        # Nobody's clinician: what is sent here may well suspend him.
        "member_id": running.id("daniel"),
        "goal_id": goal.body["id"],
        "feedback_id": feedback.body["id"],
        "endpoint_id": endpoint.body["id"],
        "grant_id": grant.body["id"],
        "app_id": running.app["id"],
        "episode_id": episodes.expect(200).body["items"][0]["id"],
    }
    _remove_endpoints(running)


def _remove_endpoints(running: Platform) -> None:
    """Nothing may ever be sent to the addresses that were made up here."""
    path, found = "/endpoints?limit=100", []
    while True:
        page = running.ask("app", "GET", "partners", path).expect(200).body
        found += [one["id"] for one in page["items"] if one["state"] == "active"]
        if page["next"] is None:
            break
        path = f"/endpoints?limit=100&cursor={page['next']}"
    for id in found:
        seen = running.ask("app", "GET", "partners", f"/endpoints/{id}").expect(200)
        running.ask("app", "DELETE", "partners", f"/endpoints/{id}", match=seen.etag).expect(200)


def contents(running: Platform) -> dict[str, int]:
    """How many documents each collection of aggregates has, of every service."""
    servers, prefix = running.place.read()["servers"], running.databases
    with MongoClient[dict[str, Any]](servers["mongo_url"]) as client:
        return {
            f"{name}.{collection}": client[name][collection].count_documents({})
            for name in client.list_database_names()
            if name.startswith(prefix)
            for collection in ("members", "clients", "goals", "feedback", "grants", "endpoints", "episodes")
        }


def problem(kind: str, document: dict[str, Any]) -> bool:
    """RFC 9457, or RFC 6749 at the token endpoint."""
    if kind == "application/problem+json":
        return {"type", "title", "status", "detail"} <= document.keys()
    return kind == "application/json" and "error" in document


@pytest.mark.parametrize("service", SERVICES)
def test_malformed_bodies_change_nothing(running: Platform, service: str, ids: dict[str, str]) -> None:
    before = contents(running)
    wrong = []
    for method, path, operation in routes(running, service):
        if "requestBody" not in operation:
            continue
        form = "application/json" not in operation["requestBody"]["content"]
        for caller in CALLERS:
            for name, (body, usual) in MALFORMED.items():
                headers = {
                    "Authorization": f"Bearer {running.token(caller)}",
                    "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
                    "Idempotency-Key": uuid.uuid4().hex,
                    "If-Match": '"1"',
                }
                status, kind, document = ask(running, service, method, filled(path, ids), headers, body)
                allowed = {400, 401, 413, 422} if form else {usual, 404, 412, 409}
                if status not in allowed or not problem(kind, document):
                    wrong.append((method, path, caller, name, status, kind))

    assert wrong == []
    assert contents(running) == before


@pytest.mark.parametrize("service", SERVICES)
def test_without_a_good_token_every_guarded_route_is_401(
    running: Platform, service: str, ids: dict[str, str]
) -> None:
    good = running.token("clara")
    head, claims, signature = good.split(".")
    tokens = {
        "none": None,
        "empty": "",
        "nonsense": "x",
        "a broken signature": f"{head}.{claims}.{signature[:-6]}AAAAAA",
        "no signature": f"{head}.{claims}.",
        "another's claims": f"{head}.{running.token('maya').split('.')[1]}.{signature}",
        "too long": "x" * 6_000,
    }
    wrong = []
    for method, path, operation in routes(running, service):
        if operation.get("security") == []:
            continue
        for name, token in tokens.items():
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            status, kind, document = ask(running, service, method, filled(path, ids), headers)
            if status != 401 or not problem(kind, document):
                wrong.append((method, path, name, status))

    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_not_there_and_what_is_not_theirs_look_the_same(
    running: Platform, service: str, ids: dict[str, str]
) -> None:
    wrong = []
    for method, path, operation in routes(running, service):
        if operation.get("security") == [] or "{" not in path:
            continue
        for caller in CALLERS:
            headers = {"Authorization": f"Bearer {running.token(caller)}"}
            status, _, document = ask(running, service, method, filled(path, {}), headers)
            if status != 404 or document["type"] != "/problems/not-here":
                wrong.append((method, path, caller, status))

    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
def test_changes_need_the_version_and_creations_a_key(
    running: Platform, service: str, ids: dict[str, str]
) -> None:
    wrong = []
    for method, path, operation in routes(running, service):
        named = json.dumps(operation.get("parameters", []))
        for caller in CALLERS:
            headers = {"Authorization": f"Bearer {running.token(caller)}", "Content-Type": "application/json"}
            at = filled(path, ids)
            if "IfMatch" in named:
                missing = ask(running, service, method, at, headers)[0]
                stale = ask(running, service, method, at, {**headers, "If-Match": '"999"'})[0]
                if (missing, stale) not in {(428, 412), (404, 404)}:
                    wrong.append((method, path, caller, missing, stale))
            if "IdempotencyKey" in named:
                for key in ("", " ", "ä", "x" * 256):
                    twisted = {**headers, "Idempotency-Key": key.encode().decode("latin-1")}
                    status = ask(running, service, method, at, twisted, b"{}")[0]
                    if status not in {400, 404, 422}:
                        wrong.append((method, path, caller, key, status))

    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
def test_an_unknown_method_names_those_that_are_known(
    running: Platform, service: str, ids: dict[str, str]
) -> None:
    known = {(method, path) for method, path, _ in routes(running, service)}
    for path in sorted({path for _, path in known}):
        unknown = next(one for one in ("PATCH", "PUT", "DELETE") if (one, path) not in known)
        answer, _ = send(running, service, unknown, filled(path, ids))
        assert answer.status == 405, path
        assert answer.headers["Allow"], path


@pytest.mark.parametrize("real", [True, False], ids=["ids that are there", "made-up ids"])
@pytest.mark.parametrize(
    ("service", "caller"),
    [
        # Not as an owner, who may suspend those whom other journeys need: tests/practices does that.
        ("practices", "maya"),
        ("goals", "clara"),
        ("feedback", "maya"),
        ("notifications", "maya"),
        ("partners", "app"),
    ],
)
def test_schemathesis_finds_nothing(
    running: Platform, service: str, caller: str, real: bool, ids: dict[str, str], tmp_path: Path
) -> None:
    address = running.url(service, "").removesuffix("/v1")
    headers = {"Authorization": f"Bearer {running.token(caller)}"}

    try:
        found = findings(address, headers, tmp_path, parameters=ids if real else None, cases=4)
    finally:
        if service == "practices":
            # Who found herself somewhere else, and signed out.
            running.renew(caller)
            as_before = {"language": "en", "timezone": "Europe/Lisbon"}
            running.ask(caller, "PATCH", service, "/me", body=as_before).expect(200)
            consented = running.ask(caller, "GET", service, f"/clients/{running.id(caller)}").expect(200)
            if any(one["withdrawn_at"] is None for one in consented.body["consents"]):
                running.consent(caller, "DELETE")

    if found:
        pytest.fail(found, pytrace=False)
