"""What the routes of sessions answer, and what the end of care does."""

import dataclasses
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from services.practices.domain.members import Role
from services.practices.store.episodes import Episodes
from services.practices.store.people import Clients, Members
from services.practices.store.sessions import AllSeries
from shared.clock import now
from shared.ids import new_id

WEEK = timedelta(weeks=1)


def local(world, **later):
    """A whole hour of the practice's clock, so much later than now."""
    there = now().astimezone(ZoneInfo(world.practice.timezone)) + timedelta(**later)
    return there.replace(minute=0, second=0, microsecond=0, tzinfo=None).isoformat(timespec="minutes")


@pytest.fixture
def care(world, http):
    return Care(world, http)


class Care:
    """Clara and her client Maya, in an episode."""

    def __init__(self, world, http):
        self.world, self.http = world, http
        self.clara, self.maya = world.member(Role.CLINICIAN), world.client()
        self.episode = world.episode(self.maya, self.clara)
        self.path = f"/v1/episodes/{self.episode.id}/sessions"
        self.list = f"/v1/clients/{self.maya.id}/sessions"

    def post(self, path, by=None, json=None, match='"1"', key=None):
        headers = self.world.bearer(by or self.clara)
        headers |= {"If-Match": match, "Idempotency-Key": key or new_id()}
        return self.http.post(path, json=json, headers=headers)

    def schedule(self, by=None, key=None, path=None, **about):
        body = {"starts": local(self.world, days=1), "minutes": 50, **about}
        return self.post(path or self.path, by, body, key=key)

    def get(self, path, by=None, **query):
        return self.http.get(path, headers=self.world.bearer(by or self.clara), query_string=query)

    def begun(self):
        """One that began an hour ago."""
        return self.schedule(starts=local(self.world, hours=-1)).json["sessions"][0]

    def told(self):
        found = self.world.database["series"].find()
        return [event["type"] for one in found for event in one.get("outbox", [])]


def test_a_single_session_is_a_series_of_one(care):
    answer = care.schedule()

    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/series/{answer.json['id']}"
    assert care.get(answer.headers["Location"]).json == answer.json
    [session] = answer.json["sessions"]
    assert (session["status"], session["clinician_id"]) == ("scheduled", care.clara.id)
    read = care.get(f"/v1/sessions/{session['id']}")
    assert (read.json, read.headers["ETag"]) == (session, '"1"')
    assert care.told() == ["session.scheduled"]


def test_a_rule_is_kept_in_the_practices_zone(care):
    care.world.database["practices"].update_many({}, {"$set": {"timezone": "Asia/Kathmandu"}})

    answer = care.schedule(starts=local(care.world, days=1)[:11] + "10:00", rrule="FREQ=WEEKLY;COUNT=10")
    care.world.database["practices"].update_many({}, {"$set": {"timezone": "Europe/Warsaw"}})
    read = care.get(f"/v1/series/{answer.json['id']}").json

    assert {session["starts_at"][11:] for session in answer.json["sessions"]} == {"04:15:00.000Z"}
    assert (read, read["timezone"]) == (answer.json, "Asia/Kathmandu")
    assert len(care.told()) == 10


def test_a_repeated_request_schedules_once_and_another_episode_is_another_request(care):
    key = new_id()
    daniel = care.world.member(Role.CLINICIAN, Role.ADMIN)
    other = care.world.episode(care.maya, daniel)

    answers = [care.schedule(key=key, path=path) for path in (care.path, care.path)]
    first = care.schedule(by=daniel, key=key)
    beside = care.schedule(by=daniel, key=key, path=f"/v1/episodes/{other.id}/sessions")
    differs = care.schedule(key=key, minutes=40)

    assert [one.status_code for one in (*answers, first, beside, differs)] == [201, 200, 201, 201, 422]
    assert answers[0].json == answers[1].json
    assert (beside.json["episode_id"], beside.json["id"] != first.json["id"]) == (other.id, True)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"starts": None}, 422),
        ({"starts": 1}, 422),
        ({"starts": "2026-02-30T10:00"}, 422),
        ({"starts": "2027-02-29T10:00"}, 422),
        ({"starts": "2026-11-20"}, 422),
        ({"starts": "2026-11-20T10:00\n"}, 422),
        ({"starts": "2026-11-20T25:00Z"}, 422),
        ({"minutes": 9}, 422),
        ({"minutes": 241}, 422),
        ({"minutes": "50"}, 422),
        ({"rrule": "FREQ=WEEKLY"}, 422),
        ({"rrule": 5}, 422),
        ({"rrule": "x" * 301}, 422),
        ({"practice_id": "p"}, 422),
        ({"clinician_id": "p"}, 422),
        ({"starts": "2099-11-20T10:00"}, 409),
        ({"starts": "2020-11-20T10:00"}, 409),
    ],
)
def test_what_cannot_be_scheduled_is_refused_with_a_problem(care, wrong, status):
    answer = care.schedule(**wrong)

    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert care.told() == []


def test_overlaps_are_told_and_allowed_and_say_nothing_of_the_other_client(care):
    noah = care.world.client()
    there = care.world.episode(noah, care.clara)
    other = care.schedule(path=f"/v1/episodes/{there.id}/sessions")

    answer = care.schedule(rrule="FREQ=DAILY;COUNT=2")

    first, second = answer.json["sessions"]
    assert other.json["warnings"] == []
    assert [(one["kind"], one["session_ids"]) for one in answer.json["warnings"]] == [
        ("overlap", [first["id"]])
    ]
    assert other.json["sessions"][0]["id"] not in str(answer.json)
    moved = care.post(
        f"/v1/sessions/{second['id']}/move", json={"starts": local(care.world, days=1), "minutes": 10}
    )
    assert [one["session_ids"] for one in moved.json["warnings"]] == [[second["id"]]]


def test_warnings_are_for_those_who_plan_the_clinicians_day(care):
    there = care.world.episode(care.world.client(), care.clara)
    care.schedule(path=f"/v1/episodes/{there.id}/sessions")
    app, key = granted(care), new_id()
    made = care.schedule(by=app, key=key)
    path, session = made.headers["Location"], made.json["sessions"][0]
    set_status(care, "paused")

    def kinds(answer):
        return [one["kind"] for one in answer.json["warnings"]]

    assert kinds(care.get(path)) == kinds(care.get(path, office(care))) == ["overlap", "paused"]
    supervisor = care.world.member(Role.SUPERVISOR)
    supervisor.supervises = {care.clara.id}
    Members(care.world.database).save(supervisor)
    for answer in (
        made,
        care.schedule(by=app, key=key),
        care.get(path, app),
        care.get(path, care.maya),
        care.get(path, supervisor),
        care.post(f"/v1/sessions/{session['id']}/move", app, {"starts": local(care.world, days=1, hours=1)}),
    ):
        assert (answer.status_code in (200, 201), kinds(answer)) == (True, [])


def test_what_cannot_be_opened_of_another_client_stands_in_nobodys_way(care):
    there = care.world.episode(care.world.client(), care.clara)
    other = care.schedule(path=f"/v1/episodes/{there.id}/sessions").json
    care.world.database["series"].update_one({"_id": other["id"]}, {"$set": {"locked_record": b"tampered"}})
    session = care.schedule(starts=local(care.world, days=2)).json["sessions"][0]

    moved = care.post(f"/v1/sessions/{session['id']}/move", json={"starts": local(care.world, days=1)})

    assert (moved.status_code, [one["kind"] for one in moved.json["warnings"]]) == (200, ["overlap"])


def test_one_after_the_other_is_no_overlap(care):
    care.schedule(minutes=60)

    assert care.schedule(starts=local(care.world, days=1, hours=1)).json["warnings"] == []


def set_status(care, status, **more):
    care.world.database["episodes"].update_one({"_id": care.episode.id}, {"$set": {"status": status, **more}})


def test_while_paused_one_can_be_scheduled_and_is_warned(care):
    set_status(care, "paused")

    assert [one["kind"] for one in care.schedule(by=office(care)).json["warnings"]] == ["paused"]


def office(care):
    return care.world.member(Role.ADMIN)


@pytest.mark.parametrize("status", ["ended", "closed"])
def test_in_care_that_is_over_nothing_is_scheduled(care, status):
    set_status(care, status)

    answer = care.schedule(by=office(care))

    assert (answer.status_code, answer.json["type"]) == (409, "/problems/episode-over")
    assert "an owner or an admin" in answer.json["detail"]


def test_moving_needs_the_version_seen_and_moves_one(care):
    _, session, _ = care.schedule(rrule="FREQ=WEEKLY;COUNT=3").json["sessions"]
    path, body = f"/v1/sessions/{session['id']}/move", {"starts": local(care.world, days=9)}

    moved = care.post(path, json=body)
    stale = care.post(path, json=body)

    assert (moved.status_code, moved.headers["ETag"], stale.status_code) == (200, '"2"', 412)
    assert moved.json["id"] == session["id"]
    assert moved.json["history"][0]["starts_at"] == session["starts_at"]
    assert care.told() == ["session.scheduled"] * 3 + ["session.moved"]
    missing = care.http.post(path, json=body, headers=care.world.bearer(care.clara))
    assert missing.status_code == 428


def test_held_and_missed_are_said_after_the_start_and_corrected(care):
    session, later = care.begun(), care.schedule().json["sessions"][0]

    early = care.post(f"/v1/sessions/{later['id']}/held")
    held = care.post(f"/v1/sessions/{session['id']}/held")
    missed = care.post(f"/v1/sessions/{session['id']}/missed", match='"2"')

    assert (early.status_code, early.json["type"]) == (409, "/problems/session-not-begun")
    assert [one.json["status"] for one in (held, missed)] == ["held", "missed"]
    assert [change["what"] for change in missed.json["history"]] == ["held", "missed"]


def test_a_client_cancels_what_follows_and_is_told_where_help_is(care):
    _, session, last = care.schedule(rrule="FREQ=WEEKLY;COUNT=3").json["sessions"]
    body = {"scope": "following", "reason": "I am moving away"}

    answer = care.post(f"/v1/sessions/{session['id']}/cancellation", care.maya, body)

    assert (answer.status_code, answer.json["status"], answer.json["reason"]) == (
        200,
        "cancelled",
        "I am moving away",
    )
    assert answer.json["notice"]["crisis_text"] == "Call 112."
    assert care.get(f"/v1/sessions/{last['id']}").json["status"] == "cancelled"
    assert care.told().count("session.cancelled") == 2
    stored = str([one["outbox"] for one in care.world.database["series"].find()])
    assert "moving away" not in stored


def test_why_it_was_cancelled_is_for_client_and_clinician_and_not_for_the_office_or_apps(care):
    session = care.schedule().json["sessions"][0]
    path = f"/v1/sessions/{session['id']}"
    app = granted(care)
    care.post(f"{path}/cancellation", care.clara, {"reason": "Ill"})

    def reason(by):
        return care.get(path, by).json["reason"]

    assert [reason(by) for by in (care.clara, care.maya)] == ["Ill", "Ill"]
    assert [reason(by) for by in (office(care), app)] == [None, None]


@pytest.mark.parametrize(
    "body", [{"scope": "all"}, {"scope": None}, {"reason": ""}, {"reason": "x" * 2_001}, {"by": "me"}]
)
def test_a_wrong_cancellation_cancels_nothing(care, body):
    session = care.schedule().json["sessions"][0]

    assert care.post(f"/v1/sessions/{session['id']}/cancellation", json=body).status_code == 422
    assert care.told() == ["session.scheduled"]


@pytest.fixture
def listed(care):
    """Two series that interleave."""
    care.schedule(rrule="FREQ=WEEKLY;COUNT=4")
    care.schedule(starts=local(care.world, days=3), rrule="FREQ=WEEKLY;COUNT=3")
    return care


def test_the_list_is_in_order_across_series_and_its_pages_hold_each_once(listed):
    whole = listed.get(listed.list).json["items"]
    seen, cursor = [], {}
    while True:
        page = listed.get(listed.list, limit=3, **cursor).json
        seen += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert seen == whole
    assert len(whole) == 7
    assert [one["starts_at"] for one in whole] == sorted(one["starts_at"] for one in whole)
    assert len({one["series_id"] for one in whole[:2]}) == 2


def test_a_page_goes_on_from_its_place_though_the_session_there_was_moved(listed):
    whole = [one["id"] for one in listed.get(listed.list).json["items"]]
    page = listed.get(listed.list, limit=3).json
    listed.post(f"/v1/sessions/{whole[2]}/move", json={"starts": local(listed.world, days=300)})

    rest = listed.get(listed.list, limit=10, cursor=page["next"]).json["items"]

    assert [one["id"] for one in rest] == [*whole[3:], whole[2]]


def test_care_that_began_while_it_was_listed_is_listed(care, monkeypatch):
    found = AllSeries.sessions_of

    def begun_meanwhile(self, *about, **asked):
        episode = care.world.episode(care.maya, care.world.member(Role.CLINICIAN))
        care.world.series(episode)
        return found(self, *about, **asked)

    monkeypatch.setattr(AllSeries, "sessions_of", begun_meanwhile)

    assert len(care.get(care.list).json["items"]) == 1


def test_the_list_is_filtered_by_time_and_state(listed):
    items = listed.get(listed.list).json["items"]
    middle, last = items[2]["starts_at"], items[-1]
    listed.post(f"/v1/sessions/{last['id']}/cancellation", json={})

    def ids(**query):
        return [one["id"] for one in listed.get(listed.list, **query).json["items"]]

    assert ids(**{"from": middle}) == [one["id"] for one in items[2:]]
    assert ids(until=middle) == [one["id"] for one in items[:2]]
    assert ids(status="cancelled") == [last["id"]]
    assert ids(**{"from": middle}, status="scheduled") == [one["id"] for one in items[2:-1]]
    assert ids(status="held") == []


@pytest.mark.parametrize("query", [{"status": "gone"}, {"from": "yesterday"}, {"until": "2026"}, {"x": "1"}])
def test_a_wrong_filter_is_refused(care, query):
    assert care.get(care.list, **query).status_code == 422


def test_a_cursor_is_of_one_list_with_its_filters(listed):
    cursor = listed.get(listed.list, limit=1).json["next"]

    assert listed.get(listed.list, limit=1, cursor=cursor, status="scheduled").status_code == 422


def granted(care, *more):
    app = care.world.app()
    scopes = ["session.schedule", "session.list", "session.read", "session.move", "session.cancel", *more]
    care.world.grant(app, *scopes)
    client = Clients(care.world.database).get(care.world.practice.id, care.maya.id)
    client.consent_to(app, now())
    Clients(care.world.database).save(client)
    return dataclasses.replace(app, practice_id=care.world.practice.id)


def test_an_app_keeps_sessions_with_a_grant_and_the_clients_consent(care):
    app = granted(care)

    session = care.schedule(by=app).json["sessions"][0]
    path = f"/v1/sessions/{session['id']}"

    assert care.get(path, app).status_code == 200
    assert care.get(care.list, app).json["items"] == [session]
    assert care.post(f"{path}/move", app, {"starts": local(care.world, days=2)}).status_code == 200
    assert care.post(f"{path}/held", app, match='"2"').status_code == 404
    assert care.post(f"{path}/cancellation", app, {}, match='"2"').json["notice"] is None


def test_without_consent_or_grant_an_app_finds_nothing(care):
    app, session = granted(care), care.schedule().json["sessions"][0]
    path = f"/v1/sessions/{session['id']}"
    client = Clients(care.world.database).get(care.world.practice.id, care.maya.id)
    client.withdraw_consent_to(app.id, now())
    Clients(care.world.database).save(client)

    assert [care.get(path, app).status_code, care.get(care.list, app).status_code] == [404, 404]
    assert care.schedule(by=app).status_code == 404


def test_who_is_not_entitled_finds_what_nobody_finds(care):
    session = care.schedule().json["sessions"][0]
    there = care.world.another_practice()
    strangers = [
        care.world.member(Role.CLINICIAN),
        care.world.client(),
        there.member(Role.OWNER),
        care.world.app(),
    ]

    def answers(method, path, by, **headers):
        answer = care.http.open(
            path,
            method=method,
            headers={**care.world.bearer(by), **headers},
            json={"x": 1} if method == "POST" else None,
        )
        return answer.status_code, {**answer.json, "correlation_id": ""}, answer.headers.get("ETag")

    for by in strangers:
        for method, path, real in (
            ("GET", "/v1/sessions/{}", session["id"]),
            ("GET", "/v1/series/{}", session["series_id"]),
            ("POST", "/v1/sessions/{}/move", session["id"]),
            ("POST", "/v1/sessions/{}/held", session["id"]),
            ("POST", "/v1/sessions/{}/missed", session["id"]),
            ("POST", "/v1/sessions/{}/cancellation", session["id"]),
            ("POST", "/v1/episodes/{}/sessions", care.episode.id),
            ("GET", "/v1/clients/{}/sessions", care.maya.id),
        ):
            foreign, absent = (answers(method, path.format(id), by) for id in (real, new_id()))
            assert foreign == absent
            assert foreign[0] == 404


def test_a_client_neither_schedules_nor_moves_nor_settles(care):
    session = care.begun()
    path = f"/v1/sessions/{session['id']}"

    assert care.schedule(by=care.maya).status_code == 404
    assert care.get(path, care.maya).status_code == 200
    for what in ("move", "held", "missed"):
        assert care.post(f"{path}/{what}", care.maya, {}).status_code == 404


def test_after_a_transfer_what_is_to_come_is_the_new_clinicians_and_what_was_held_stays(care):
    past, future = care.begun(), care.schedule().json["sessions"][0]
    care.post(f"/v1/sessions/{past['id']}/held")
    daniel = care.world.member(Role.CLINICIAN)
    episodes = Episodes(care.world.database)
    episode = episodes.get(care.world.practice.id, care.episode.id)
    episode.transfer(daniel, by=daniel.id, at=now())
    episodes.save(episode)

    clinicians = [one["clinician_id"] for one in care.get(care.list, daniel).json["items"]]

    assert clinicians == [care.clara.id, daniel.id]
    assert care.get(f"/v1/sessions/{future['id']}", daniel).json["clinician_id"] == daniel.id
