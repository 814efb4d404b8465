"""Apps and what they are granted."""

import pytest

from services.practices.commands import register_app, rotate_app_secret
from services.practices.domain.members import Role
from services.practices.sign_in import AppUnknown, SignIn
from services.practices.store.apps import Apps
from shared.clock import now
from shared.ids import new_id
from shared.security.policy import POLICY, PUBLIC_EVENTS, SCOPES
from shared.settings import Settings

APP = [
    *("--name", "Demo EHR", "--description", "Keeps the diary."),
    *("--contact-email", "dev@example.org", "--homepage", "https://ehr.example.org/tandem"),
]


@pytest.fixture
def office(world, http):
    return Office(world, http)


class Office:
    def __init__(self, world, http):
        self.http, self.app = http, world.app()
        self.headers = world.bearer(world.member(Role.ADMIN))
        self.grants = world.database["grants"]

    def give(self, **body):
        body = {"app_id": self.app.id, "event_types": ["goal.agreed"], "scopes": ["goal.read"], **body}
        return self.http.post("/v1/grants", json=body, headers={**self.headers, "Idempotency-Key": new_id()})

    def change(self, id, match='"1"', **body):
        return self.http.patch(f"/v1/grants/{id}", json=body, headers={**self.headers, "If-Match": match})

    def told(self):
        return [event for found in self.grants.find() for event in found["outbox"]]


def test_scopes_are_the_actions_that_apps_can_have_at_all():
    assert set(SCOPES) == {action for action, row in POLICY.items() if ("app", "granted") in row}
    assert {"session.schedule", "session.cancel", "goal.read"} <= set(SCOPES)
    assert not {"me.read", "feedback.read", "client.read"} & set(SCOPES)


@pytest.mark.parametrize(
    ("wrong", "known"),
    [
        ({"scopes": ["client.read"]}, SCOPES),
        ({"scopes": ["goal.read", "goal.eat"]}, SCOPES),
        ({"event_types": ["goal.agred"]}, PUBLIC_EVENTS),
        ({"event_types": ["feedback.given"]}, PUBLIC_EVENTS),
        ({"event_types": ["goal.agreed\n"]}, PUBLIC_EVENTS),
    ],
)
def test_what_no_app_can_have_is_refused_with_the_list(office, wrong, known):
    given = office.give().json

    for answer in (office.give(**wrong), office.change(given["id"], **wrong)):
        assert answer.status_code == 422
        assert all(name in str(answer.json["errors"]) for name in known)


def test_a_change_tells_the_whole_grant_again_and_what_is_left_out_stays(office):
    given = office.give()

    changed = office.change(given.json["id"], scopes=["goal.read", "session.read", "goal.read"])
    same = office.change(given.json["id"], '"2"', scopes=["goal.read", "session.read"])

    assert (changed.status_code, changed.headers["ETag"], same.headers["ETag"]) == (200, '"2"', '"2"')
    assert changed.json == {**given.json, "scopes": ["goal.read", "session.read"]}
    first, second = office.told()
    assert (first["type"], second["type"]) == ("grant.given", "grant.given")
    assert second["data"] == {**first["data"], "scopes": ["goal.read", "session.read"]}


def test_a_type_that_is_added_is_heard_from_then_on_and_the_others_as_before(office):
    given = office.give()

    office.change(given.json["id"], event_types=["goal.agreed", "session.held"])
    office.change(given.json["id"], '"2"', event_types=["session.held", "session.moved"])
    office.change(given.json["id"], '"3"', event_types=["goal.agreed", "session.held"])

    first, second, third, fourth = (event["data"] for event in office.told())
    assert first["since"] == {}
    assert second["since"].keys() == {"session.held"}
    assert third["since"].keys() == {"session.held", "session.moved"}
    assert third["since"]["session.held"] == second["since"]["session.held"]
    assert fourth["since"].keys() == {"goal.agreed", "session.held"}
    assert fourth["since"]["goal.agreed"] > third["since"]["session.moved"] > given_at(first)


def given_at(told):
    return told["given_at"]


def test_a_revoked_grant_is_given_again_and_not_changed(office):
    given = office.give()
    office.change(given.json["id"], event_types=["goal.agreed", "session.held"])
    path = f"/v1/grants/{given.json['id']}"
    office.http.delete(path, headers={**office.headers, "If-Match": '"2"'})

    refused = office.change(given.json["id"], '"3"', scopes=[])
    again = office.give(event_types=["session.held"])

    assert (refused.status_code, refused.json["type"]) == (409, "/problems/grant-is-revoked")
    assert again.status_code == 201
    assert office.told()[-1]["data"]["since"] == {}


def test_a_change_needs_the_version_seen_and_one_of_the_office(office, world):
    id = office.give().json["id"]
    path, body = f"/v1/grants/{id}", {"scopes": []}

    unseen = office.http.patch(path, json=body, headers=office.headers)
    stale = office.change(id, '"7"', **body)
    others = [
        office.http.patch(path, json=body, headers=world.bearer(someone))
        for someone in (
            world.member(Role.CLINICIAN),
            world.client(),
            world.another_practice().member(Role.OWNER),
        )
    ]

    assert [unseen.status_code, stale.status_code] == [428, 412]
    assert [one.status_code for one in others] == [404, 404, 404]


def test_apps_are_listed_with_what_they_are_for_and_without_whom_to_reach(run, world, http):
    _, printed = run(register_app, *APP)

    answer = http.get("/v1/apps", headers=world.bearer(world.client()))

    assert answer.json["items"] == [
        {
            "id": printed["client_id"],
            "name": "Demo EHR",
            "description": "Keeps the diary.",
            "homepage": "https://ehr.example.org/tandem",
        }
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--homepage", "http://ehr.example.org"], "https URL"),
        (["--homepage", "https://ehr.example.org/\n"], "https URL"),
        (["--contact-email", "nobody"], "no e-mail address"),
    ],
)
def test_a_wrong_registration_is_told_in_a_sentence(run, wrong, told):
    result, _ = run(register_app, *APP, *wrong)

    assert result.exit_code == 2
    assert told in result.output


def test_two_secrets_are_good_until_the_earlier_one_is_retired(run):
    _, first = run(register_app, *APP)
    _, second = run(rotate_app_secret, first["client_id"])

    def good():
        return [knows(run.database, first["client_id"], one["client_secret"]) for one in (first, second)]

    both = good()
    third, _ = run(rotate_app_secret, first["client_id"])
    run(rotate_app_secret, first["client_id"], "--retire")
    assert (both, good()) == ([True, True], [False, True])
    assert third.exit_code == 1
    assert "Retire the earlier secret first" in third.output
    assert run(rotate_app_secret, first["client_id"])[0].exit_code == 0
    stored = str(Apps(run.database).collection.find_one())
    assert second["client_secret"] not in stored


def knows(database, app_id, secret):
    try:
        return bool(
            SignIn(database, Settings.read("practices")).by_client_credentials(app_id, secret, None, now())
        )
    except AppUnknown:
        return False


def test_nothing_is_good_for_an_app_but_its_secrets(run):
    _, printed = run(register_app, *APP)

    assert not knows(run.database, printed["client_id"], "")
    assert not knows(run.database, printed["client_id"], "x")


def test_an_unknown_app_has_no_secret_to_rotate(run):
    result, _ = run(rotate_app_secret, new_id())

    assert result.exit_code == 1
    assert "There is no app" in result.output
