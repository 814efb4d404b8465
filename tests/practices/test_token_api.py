"""Signing in over HTTP: asking for a code, tokens (RFC 6749), the keys they are signed with."""

import base64

import pytest

from services.practices.domain.members import Role
from services.practices.sign_in.codes import CODES
from tests.practices.conftest import SECRET

CODE = "urn:tandem:one-time-code"
FACTOR = "urn:tandem:second-factor"
EMAIL = "maya@example.org"


def basic(app, secret=SECRET):
    return {"Authorization": "Basic " + base64.b64encode(f"{app.id}:{secret}".encode()).decode()}


def ask(world, http, email=EMAIL, **about):
    """The form of a request for tokens, with what the mail said."""
    ticket = http.post("/v1/sign-in", json={"email": email} | about).json["ticket"]
    return {"grant_type": CODE, "email": email, "ticket": ticket, "code": world.mailed(ticket)}


def test_asking_to_sign_in_says_the_same_to_everybody(world, http):
    world.client(email=EMAIL)

    answers = [
        http.post("/v1/sign-in", json={"email": email} | device)
        for email in [EMAIL] * (CODES + 2) + ["nobody@example.org"] * (CODES + 2)
        for device in ({}, {"device": "made up"})
    ]

    shown = {(one.status_code, one.json["detail"], len(one.json["ticket"]), len(one.data)) for one in answers}
    assert len(shown) == 1
    assert len({one.json["ticket"] for one in answers}) == len(answers)


def test_a_person_signs_in_stays_in_and_calls(world, http):
    maya = world.client(email=EMAIL)

    tokens = http.post("/v1/token", data=ask(world, http))
    refreshed = http.post(
        "/v1/token", data={"grant_type": "refresh_token", "refresh_token": tokens.json["refresh_token"]}
    )
    me = http.get("/v1/me", headers={"Authorization": f"Bearer {refreshed.json['access_token']}"})

    assert (tokens.json["token_type"], tokens.json["expires_in"]) == ("Bearer", 600)
    assert tokens.headers["Cache-Control"] == "no-store"
    assert tokens.json.keys() - refreshed.json.keys() == {"device"}
    assert me.json["id"] == maya.id


def test_a_device_that_was_here_before_asks_by_its_secret(world, http):
    world.client(email=EMAIL)
    device = http.post("/v1/token", data=ask(world, http)).json["device"]
    for _ in range(2 * CODES):
        http.post("/v1/sign-in", json={"email": EMAIL})

    assert http.post("/v1/token", data=ask(world, http, device=device)).status_code == 200


def test_staff_enrol_a_second_factor_and_bring_it_from_then_on(world, http):
    world.member(Role.ADMIN, email=EMAIL)

    wanted = http.post("/v1/token", data=ask(world, http))
    secret = base64.b32decode(wanted.json["enrolment"]["secret"])
    form = {"grant_type": FACTOR, "ticket": wanted.json["second_factor_ticket"]}
    enrolled = http.post("/v1/token", data=form | {"code": world.code(secret=secret)})
    later = http.post("/v1/token", data=ask(world, http))
    form = {"grant_type": FACTOR, "ticket": later.json["second_factor_ticket"]}
    came = http.post("/v1/token", data=form | {"code": enrolled.json["recovery_codes"][0]})

    assert (wanted.status_code, wanted.json["error"]) == (400, "second_factor_required")
    assert wanted.json["enrolment"]["uri"].startswith("otpauth://totp/Tandem:")
    assert wanted.headers["Cache-Control"] == "no-store"
    assert (enrolled.status_code, len(enrolled.json["recovery_codes"])) == (200, 8)
    assert "enrolment" not in later.json
    assert came.status_code == 200
    assert "recovery_codes" not in came.json
    bearer = {"Authorization": f"Bearer {came.json['access_token']}"}
    assert http.get("/v1/members", headers=bearer).status_code == 200


def test_several_standings_are_listed_to_choose_from(world, http):
    member, client = world.member(Role.ADMIN, email=EMAIL), world.client(email=EMAIL)
    elsewhere = world.another_practice()
    there = elsewhere.client(email=EMAIL)
    elsewhere.change_practice(name="Elm")
    form = ask(world, http)

    refused = http.post("/v1/token", data=form)
    chosen = http.post("/v1/token", data={**form, "kind": "client", "practice_id": client.practice_id})

    assert (refused.status_code, refused.json["error"]) == (400, "standing_required")
    offered = {(one["id"], one["kind"], one["practice_name"]) for one in refused.json["standings"]}
    assert offered == {
        (member.id, "member", "Harbour"),
        (client.id, "client", "Harbour"),
        (there.id, "client", "Elm"),
    }
    assert refused.json["standings"][0].keys() == {"id", "kind", "practice_id", "practice_name"}
    assert chosen.status_code == 200


def test_an_app_signs_in_with_its_secret(world, http):
    answer = http.post("/v1/token", data={"grant_type": "client_credentials"}, headers=basic(world.app()))

    assert answer.status_code == 200
    assert "refresh_token" not in answer.json


@pytest.mark.parametrize("secret", ["wrong", "", "ü"])
def test_a_wrong_secret_is_an_invalid_client(world, http, secret):
    answer = http.post(
        "/v1/token", data={"grant_type": "client_credentials"}, headers=basic(world.app(), secret)
    )

    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": CODE}, "invalid_request"),
        ({"grant_type": CODE, "email": "a@b.org", "code": "1"}, "invalid_request"),
        ({"grant_type": CODE, "email": "a@b.org", "code": "", "ticket": "t"}, "invalid_request"),
        ({"grant_type": CODE, "email": "a@b.org", "code": "1", "ticket": "t"}, "invalid_grant"),
        ({"grant_type": CODE, "email": "a@b.org", "code": "é", "ticket": "\0"}, "invalid_grant"),
        ({"grant_type": CODE, "email": "a@b.org", "code": "1", "ticket": "t" * 129}, "invalid_request"),
        ({"grant_type": FACTOR}, "invalid_request"),
        ({"grant_type": FACTOR, "ticket": "t"}, "invalid_request"),
        ({"grant_type": FACTOR, "code": "123456"}, "invalid_request"),
        ({"grant_type": FACTOR, "ticket": "t", "code": "123456"}, "invalid_grant"),
        ({"grant_type": FACTOR, "ticket": ["a", "b"], "code": "123456"}, "invalid_request"),
        ({"grant_type": ["refresh_token", "refresh_token"], "refresh_token": "x"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x" * 5000}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "\0"}, "invalid_grant"),
    ],
)
def test_a_token_request_is_refused_as_rfc_6749_wants_it(http, form, error):
    answer = http.post("/v1/token", data=form)

    assert (answer.status_code, answer.json["error"]) == (400, error)


def test_json_is_no_token_request(http):
    answer = http.post("/v1/token", json={"grant_type": "refresh_token"})

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_the_keys_are_public(http):
    answer = http.get("/.well-known/jwks.json")

    assert answer.status_code == 200
    assert [key["alg"] for key in answer.json["keys"]] == ["ES256"]


@pytest.mark.parametrize(
    "email",
    [{"$ne": 1}, ["a@b.org"], 1, None, "", "a", "a@b", "a b@c.org", "a@b.org\n", "a@b.org\r\nBcc: c@d.org"],
)
def test_what_is_no_address_is_refused(http, email):
    assert http.post("/v1/sign-in", json={"email": email}).status_code == 422


@pytest.mark.parametrize(
    "body", [{"device": None}, {"device": ""}, {"device": "x" * 129}, {"practice_id": "p"}]
)
def test_what_does_not_belong_to_an_asking_is_refused(http, body):
    assert http.post("/v1/sign-in", json={"email": EMAIL} | body).status_code == 422
