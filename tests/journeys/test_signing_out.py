"""A sign-in that is ended is over in every service within 5 s, while its token would last ten minutes."""

import time
import uuid
from typing import Any

from scripts.api import Answer, call
from scripts.sign_in import signed_in
from tests.journeys.people import Platform, until

READS = {
    "practices": "/me",
    "goals": "/clients/{maya}/goals",
    "feedback": "/clients/{maya}/feedback",
    "notifications": "/notifications/unread",
}


def read(running: Platform, service: str, tokens: dict[str, Any]) -> Answer:
    path = READS[service].format(maya=running.id("maya"))
    return call("GET", running.url(service, path), token=tokens["access_token"])


def test_everybody_obeys_the_end_of_a_sign_in_within_five_seconds(running: Platform) -> None:
    """Daniel, who owns nothing here: a member with the second factor that the sample gave him."""
    email = "daniel@example.org"
    ended, kept = signed_in(running.place, email), signed_in(running.place, email)
    me = {service: read(running, service, ended).status for service in READS}
    sign_ins = call("GET", running.url("practices", "/me/sign-ins"), token=kept["access_token"]).expect(200)
    (of_the_other,) = [one["id"] for one in sign_ins.body["items"][:2] if not one["current"]]

    call(
        "DELETE", running.url("practices", f"/me/sign-ins/{of_the_other}"), token=kept["access_token"]
    ).expect(204)
    began = time.monotonic()
    for service in READS:
        until(lambda service=service: read(running, service, ended).status == 401, 5.0)

    assert time.monotonic() - began < 5.0
    assert me["practices"] == me["notifications"] == 200
    assert read(running, "practices", kept).status == 200
    assert read(running, "notifications", kept).status == 200
    form = {"grant_type": "refresh_token", "refresh_token": ended["refresh_token"]}
    assert call("POST", running.url("practices", "/token"), form=form).body["error"] == "invalid_grant"


def test_a_member_whom_nobody_sampled_enrols_and_comes_in_again(running: Platform) -> None:
    email = f"{uuid.uuid4().hex}@example.org"
    about = {
        "display_name": "Newcomer",
        "email": email,
        "language": "en",
        "timezone": "UTC",
        "roles": ["admin"],
    }
    running.create("olivia", "practices", "/members", about)

    first = signed_in(running.place, email)
    again = signed_in(running.place, email)

    assert len(first["recovery_codes"]) == 8
    assert call("GET", running.url("practices", "/me"), token=again["access_token"]).body["roles"] == [
        "admin"
    ]
