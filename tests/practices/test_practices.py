"""What a practice decides for itself."""

from datetime import UTC, datetime

import pytest

from services.practices.domain.members import Role
from services.practices.domain.practices import (
    DEFAULTS,
    WEEKDAYS,
    HoursUnclear,
    LanguageNotOffered,
    Practice,
)
from services.practices.events.practices import PracticeChanged, PracticeOpened, PracticeSnapshot
from services.practices.store.people import Practices
from shared.ids import new_id

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
TEXTS = {"pt": "Ligue 112.", "en": "Call 112."}


def practice(**about):
    given = {"name": "Harbour", "timezone": "Europe/Lisbon", "locale": "pt", "languages": ["pt", "en"]}
    return Practice.open(id="p1", **(given | {"crisis_texts": TEXTS} | about))


def span(begins, ends):
    return {"from": begins, "to": ends}


def test_opening_tells_what_others_must_know_of_a_practice():
    (opened,) = practice().events

    assert type(opened) is PracticeOpened
    assert (opened.name, opened.timezone, opened.locale) == ("Harbour", "Europe/Lisbon", "pt")
    assert (opened.languages, opened.crisis_texts) == (["pt", "en"], TEXTS)
    assert (opened.working_hours, opened.on_call, opened.quiet_hours) == ({}, None, None)
    assert {name: getattr(opened, name) for name in DEFAULTS} == DEFAULTS


def test_a_change_tells_the_whole_state_and_changes_only_what_is_given():
    harbour = practice()

    harbour.change(working_hours={"monday": [span("09:00", "17:00")]}, policy={"break_glass": True})

    changed = harbour.events[-1]
    assert type(changed) is PracticeChanged
    assert (changed.name, changed.crisis_texts) == ("Harbour", TEXTS)
    assert (changed.working_hours, changed.break_glass) == ({"monday": [span("09:00", "17:00")]}, True)
    assert changed.rating_window_hours == 24
    assert vars(harbour.snapshot()) == vars(changed)
    assert type(harbour.snapshot()) is PracticeSnapshot


def test_what_changes_nothing_is_not_told():
    harbour = practice()

    harbour.change(name="Harbour", languages=["pt", "en"])

    assert len(harbour.events) == 1


def test_a_policy_value_goes_back_to_its_default():
    harbour = practice()

    harbour.change(policy={"fair_chance_sessions": 6, "readiness_threshold": 7})
    set_then = harbour.values | {}
    harbour.change(policy={"fair_chance_sessions": None})

    assert (set_then["fair_chance_sessions"], set_then["readiness_threshold"]) == (6, 7)
    assert (harbour.values["fair_chance_sessions"], harbour.values["readiness_threshold"]) == (3, 7)
    assert "fair_chance_sessions" in harbour.defaults
    assert "readiness_threshold" not in harbour.defaults


@pytest.mark.parametrize(
    "change",
    [
        {"crisis_texts": {**TEXTS, "de": "112"}},
        {"languages": ["pt"]},
    ],
)
def test_a_crisis_text_is_in_a_language_that_is_offered(change):
    with pytest.raises(LanguageNotOffered):
        practice().change(**change)


def test_a_language_goes_together_with_its_crisis_text():
    harbour = practice()

    harbour.change(languages=["pt"], crisis_texts={"pt": "Ligue 112."})

    assert harbour.events[-1].languages == ["pt"]


@pytest.mark.parametrize(
    "spans",
    [
        [span("17:00", "09:00")],
        [span("09:00", "09:00")],
        [span("09:00", "13:00"), span("12:59", "17:00")],
        [span("14:00", "17:00"), span("09:00", "15:00")],
    ],
)
def test_hours_that_overlap_or_end_before_they_begin_are_refused(spans):
    with pytest.raises(HoursUnclear):
        practice().change(working_hours={"friday": spans})


def test_hours_are_kept_in_order_and_closed_days_left_out():
    harbour = practice()

    harbour.change(
        working_hours={
            "friday": [span("14:00", "24:00"), span("09:00", "13:00"), span("13:00", "14:00")],
            "sunday": [],
        }
    )

    assert harbour.working_hours == {
        "friday": [span("09:00", "13:00"), span("13:00", "14:00"), span("14:00", "24:00")]
    }


def test_quiet_hours_may_pass_midnight_and_have_a_length():
    harbour = practice()

    harbour.change(quiet_hours=span("22:00", "07:00"))
    with pytest.raises(HoursUnclear):
        practice().change(quiet_hours=span("22:00", "22:00"))

    assert harbour.events[-1].quiet_hours == span("22:00", "07:00")


def test_what_is_missing_is_warned_of_until_it_is_there():
    harbour = practice(crisis_texts={"en": "Call 112."})

    before = list(harbour.warnings(on_call_is_here=False, without_clinician=2))
    harbour.change(
        crisis_texts=TEXTS, working_hours={day: [span("09:00", "17:00")] for day in WEEKDAYS}, on_call="m1"
    )

    assert len(before) == 4
    assert "crisis text in pt" in before[0]
    assert list(harbour.warnings(on_call_is_here=True, without_clinician=0)) == []
    (gone,) = harbour.warnings(on_call_is_here=False, without_clinician=0)
    assert "no active member any more" in gone


# Over HTTP


def change(world, http, body, by=None, version=None):
    by = by or world.member(Role.ADMIN)
    version = version or Practices(world.database).get(world.practice.id, world.practice.id).version
    headers = {**world.bearer(by), "If-Match": f'"{version}"'}
    return http.patch("/v1/practice", json=body, headers=headers)


def test_everybody_reads_the_crisis_text_of_their_practice(world, http):
    answer = http.get("/v1/practice", headers=world.bearer(world.client()))

    assert answer.json["crisis_texts"] == {"en": "Call 112."}


def test_a_client_reads_neither_policy_nor_warnings(world, http):
    answer = http.get("/v1/practice", headers=world.bearer(world.client()))

    assert answer.json.keys().isdisjoint({"policy", "defaults", "warnings", "on_call"})


def test_a_change_is_seen_and_told(world, http):
    clara = world.member(Role.CLINICIAN)
    body = {
        "name": "Quay",
        "timezone": "Europe/Madrid",
        "languages": ["en", "es"],
        "crisis_texts": {"en": "Call 112.", "es": "Llame al 112."},
        "working_hours": {"monday": [span("09:00", "13:00"), span("14:00", "18:00")]},
        "on_call": clara.id,
        "quiet_hours": span("21:30", "07:00"),
        "policy": {"review_interval_days": 42, "not_on_track_rule": "schueller-2015"},
    }

    answer = change(world, http, body)
    read = http.get("/v1/practice", headers=world.bearer(clara))

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert (read.json, read.headers["ETag"]) == (answer.json, '"2"')
    assert {name: answer.json[name] for name in body if name != "policy"} == {
        name: value for name, value in body.items() if name != "policy"
    }
    assert answer.json["policy"] == {**DEFAULTS, **body["policy"]}
    assert set(answer.json["defaults"]) == DEFAULTS.keys() - body["policy"].keys()
    assert answer.json["warnings"] == []
    (stored,) = world.database["practices"].find({})
    assert [event["type"] for event in stored["outbox"]] == ["practice.opened", "practice.changed"]
    assert stored["outbox"][-1]["data"]["review_interval_days"] == 42


def test_only_what_is_given_changes(world, http):
    change(world, http, {"quiet_hours": span("21:30", "07:00"), "policy": {"break_glass": True}})

    answer = change(world, http, {"policy": {"rating_window_hours": 12}, "on_call": None})

    assert answer.json["quiet_hours"] == span("21:30", "07:00")
    assert (answer.json["policy"]["break_glass"], answer.json["policy"]["rating_window_hours"]) == (True, 12)


def test_a_change_names_the_version_seen(world, http):
    by = world.bearer(world.member(Role.OWNER))

    unseen = http.patch("/v1/practice", json={"name": "Quay"}, headers=by)
    stale = http.patch("/v1/practice", json={"name": "Quay"}, headers={**by, "If-Match": '"7"'})

    assert (unseen.status_code, stale.status_code) == (428, 412)


@pytest.mark.parametrize("who", ["clinician", "client", "suspended"])
def test_who_is_not_of_the_office_changes_nothing(world, http, who):
    someone = world.client() if who == "client" else world.member(Role.CLINICIAN)
    if who == "suspended":
        someone = world.member(Role.OWNER)
        world.suspend(someone)

    answer = http.patch("/v1/practice", json={"name": 7}, headers=world.bearer(someone))

    assert answer.status_code == 404


def test_the_office_changes_its_own_practice_only(world, http):
    there = world.another_practice()

    change(world, http, {"name": "Quay"})

    assert Practices(world.database).get(there.practice.id, there.practice.id).name == "Harbour"


@pytest.mark.parametrize(
    "body",
    [
        {"name": " "},
        {"name": "x" * 201},
        {"timezone": "Mars/Base"},
        {"locale": "English"},
        {"languages": []},
        {"languages": ["en", "en"]},
        {"languages": ["en\n"]},
        {"crisis_texts": {"en": ""}},
        {"crisis_texts": {"en": "x" * 2001}},
        {"crisis_texts": {"English": "Call 112."}},
        {"working_hours": {"someday": []}},
        {"working_hours": {"monday": [{"from": "9:00", "to": "17:00"}]}},
        {"working_hours": {"monday": [{"from": "24:00", "to": "24:00"}]}},
        {"working_hours": {"monday": [{"from": "09:00", "to": "17:00", "note": "x"}]}},
        {"working_hours": {"monday": [{"from": "09:00"}]}},
        {"quiet_hours": {"from": "22:00", "to": "24:00"}},
        {"on_call": 7},
        {"policy": {"fair_chance_sessions": 0}},
        {"policy": {"fair_chance_sessions": "3"}},
        {"policy": {"review_interval_days": 6}},
        {"policy": {"days_until_quiet": 91}},
        {"policy": {"readiness_threshold": 11}},
        {"policy": {"not_on_track_rule": "own"}},
        {"policy": {"risk_acknowledgement_minutes": 241}},
        {"policy": {"rating_window_hours": 0}},
        {"policy": {"break_glass": "yes"}},
        {"policy": {"unknown": 1}},
        {"id": "x"},
        {"practice_id": "x"},
    ],
)
def test_what_cannot_be_is_refused_by_field(world, http, body):
    answer = change(world, http, body)

    assert answer.status_code == 422
    assert answer.json["errors"]["body"].keys() == body.keys()
    assert Practices(world.database).get(world.practice.id, world.practice.id).version == 1


@pytest.mark.parametrize(
    ("body", "type"),
    [
        ({"crisis_texts": {"de": "112"}}, "language-not-offered"),
        ({"working_hours": {"monday": [span("17:00", "09:00")]}}, "hours-unclear"),
        ({"quiet_hours": span("09:00", "09:00")}, "hours-unclear"),
    ],
)
def test_what_contradicts_itself_is_refused_with_a_way_out(world, http, body, type):
    answer = change(world, http, body)

    assert (answer.status_code, answer.json["type"]) == (409, f"/problems/{type}")


def test_the_on_call_person_is_an_active_member_of_this_practice(world, http):
    stranger = world.another_practice().member(Role.CLINICIAN)
    clara = world.member(Role.CLINICIAN)
    world.suspend(clara)

    answers = [change(world, http, {"on_call": id}) for id in (stranger.id, new_id(), clara.id)]

    assert [answer.status_code for answer in answers] == [404, 404, 409]


def test_an_on_call_person_who_left_and_clients_left_behind_are_warned_of(world, http):
    clara = world.member(Role.CLINICIAN)
    world.episode(world.client(), clara)
    change(world, http, {"on_call": clara.id, "working_hours": {"monday": [span("09:00", "17:00")]}})

    world.suspend(clara)

    warnings = http.get("/v1/practice", headers=world.bearer(world.member(Role.ADMIN))).json["warnings"]
    assert len(warnings) == 2
    assert "on-call" in warnings[0]
    assert "the clinician of 1 cannot" in warnings[1]
