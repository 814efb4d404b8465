"""Requests about episodes: who may take which step, and who reads what was written about it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from services.practices.domain.episodes import MOST_STEPS, EpisodeOpen, Reason, Step
from services.practices.domain.members import Role
from services.practices.store.episodes import Episodes
from shared.clock import now
from shared.ids import new_id
from shared.safety import NOBODY_WATCHES
from tests.practices.asking import problem
from tests.practices.conftest import every

STEPS = ("activation", "pause", "resumption", "end", "aftercare", "closure", "transfer")


def ahead(days=7):
    return (now() + timedelta(days=days)).date().isoformat()


@pytest.fixture
def episode(world, maya, clara):
    return world.episode(maya, clara)


@pytest.fixture
def path(episode):
    return f"/episodes/{episode.id}"


def test_an_episode_is_planned_and_starts_when_the_clinician_says_so(world, as_, maya, clara):
    world.episode(maya, world.member(Role.CLINICIAN))
    olivia = world.member(Role.OWNER)

    planned = as_(olivia).post(
        f"/clients/{maya.id}/episodes", {"clinician_id": clara.id, "starts_on": ahead()}
    )
    path = f"/episodes/{planned.json['id']}"
    started = as_(clara).post(f"{path}/activation", match=1)

    assert (planned.json["status"], planned.json["started_at"]) == ("planned", None)
    assert (started.json["status"], started.json["history"][1]["by"]) == ("active", clara.id)
    assert world.told("episodes")[-2:] == ["episode.planned", "episode.started"]


def test_the_whole_way_of_an_episode(world, as_, clara, maya, path):
    by_client, by_clinician = as_(maya), as_(clara)

    answers = [
        by_client.post(f"{path}/pause", {"resume_on": ahead(), "reason": "Too much"}, match=1),
        by_clinician.put(f"{path}/resume-date", {"resume_on": ahead(9)}, match=2),
        by_client.post(f"{path}/resumption", match=3),
        by_client.post(f"{path}/end", {"reason": "Enough"}, match=4),
        by_clinician.post(f"{path}/aftercare", {"ends_on": ahead(100)}, match=5),
        by_clinician.post(f"{path}/closure", match=6),
    ]

    assert [answer.status_code for answer in answers] == [200] * 6
    statuses = ["paused", "paused", "active", "ended", "aftercare", "closed"]
    assert [answer.json["status"] for answer in answers] == statuses
    assert [step["by"] for step in answers[-1].json["history"]] == [
        *(clara.id, maya.id, clara.id),
        *(maya.id, maya.id, clara.id, clara.id),
    ]
    assert [one["text"] for one in answers[-1].json["reasons"]] == ["Too much", "Enough"]
    assert len(answers[4].json["aftercare"]["check_ins"]) == 4
    assert world.told("episodes") == [
        *("episode.started", "episode.paused", "episode.resumed"),
        *("episode.ended", "episode.aftercare_arranged", "episode.closed"),
    ]


def test_the_office_sees_what_was_done_and_not_what_was_written(as_, olivia, clara, maya, path, episode):
    as_(maya).post(f"{path}/end", {"reason": "It hurts"}, match=1)

    office, listed = as_(olivia).get(path), as_(olivia).get(f"/clients/{maya.id}/episodes")

    assert office.json["history"][1]["kind"] == "ended"
    assert "It hurts" not in office.text + listed.text
    assert "It hurts" in as_(clara).get(path).text
    assert "It hurts" in as_(maya).get(f"/clients/{maya.id}/episodes").text
    closed = as_(olivia).post(f"{path}/closure", match=2)
    assert (closed.status_code, closed.json["reasons"]) == (200, [])


def test_a_repeated_start_tells_the_office_no_more_than_reading(world, as_, olivia, maya, clara):
    start, body = f"/clients/{maya.id}/episodes", {"clinician_id": clara.id}
    made = as_(olivia).post(start, body, key="k")
    as_(maya).post(f"/episodes/{made.json['id']}/pause", {"reason": "It hurts"}, match=1)

    again = as_(olivia).post(start, body, key="k")

    assert (again.status_code, again.json["status"], again.json["reasons"]) == (200, "paused", [])
    assert again.json == as_(olivia).get(f"/episodes/{made.json['id']}").json
    assert again.headers["ETag"] == '"2"'


@pytest.mark.parametrize("step", ["pause", "end"])
def test_who_writes_why_is_told_where_help_is(world, as_, clara, maya, path, step):
    world.change_practice(languages=["en", "pt"], crisis_texts={"en": "Call 112.", "pt": "Ligue 112."})
    world.database["clients"].update_one({"_id": maya.id}, {"$set": {"language": "pt"}})
    other = world.episode(world.client(), clara)

    by_client = as_(maya).post(f"{path}/{step}", {"reason": "It hurts"}, match=1)
    by_clinician = as_(clara).post(f"/episodes/{other.id}/{step}", {"reason": "Away"}, match=1)

    assert by_client.json["notice"] == {"text": NOBODY_WATCHES, "crisis_text": "Ligue 112."}
    assert (by_clinician.status_code, by_clinician.json["notice"]) == (200, None)
    assert as_(maya).get(path).json["notice"] is None
    assert [one["notice"] for one in as_(maya).get(f"/clients/{maya.id}/episodes").json["items"]] == [None]


def test_a_client_can_end_however_much_is_behind_it(world, as_, maya, clara, episode, path):
    episodes = Episodes(world.database)
    kept = episodes.get(world.practice.id, episode.id)
    kept.history = [Step("paused", maya.id, now())] * MOST_STEPS
    kept.reasons = [Reason("paused", now(), "\N{ROLLING ON THE FLOOR LAUGHING}" * 2_000)] * (MOST_STEPS // 2)
    episodes.save(kept)

    paused = as_(maya).post(f"{path}/pause", match=2)
    ended = as_(maya).post(f"{path}/end", {"reason": "Enough"}, match=2)
    closed = as_(clara).post(f"{path}/closure", match=3)

    assert problem(paused) == (409, "too-many-steps")
    assert [one.status_code for one in (ended, closed)] == [200, 200]


def test_what_was_written_is_in_no_event(world, as_, maya, path):
    as_(maya).post(f"{path}/pause", {"reason": "It hurts"}, match=1)

    (kept,) = every(Episodes(world.database))
    assert [reason.text for reason in kept.reasons] == ["It hurts"]
    assert "It hurts" not in repr(world.database["episodes"].find_one())


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("pause", {"resume_on": "2020-01-01"}),
        ("pause", {"reason": 1}),
        ("pause", {"resume_on": "soon"}),
        ("pause", {"by": "somebody"}),
        ("end", {"reason": "x" * 2001}),
        ("end", {"ended_at": "2020-01-01T00:00:00Z"}),
        ("transfer", {}),
        ("aftercare", {}),
        ("aftercare", {"ends_on": "2199-01-01", "check_ins": ["2199-01-01"] * 53}),
    ],
)
def test_what_is_no_such_step_changes_nothing(world, as_, olivia, path, episode, step, body):
    answer = as_(olivia).post(f"{path}/{step}", body, match=1)

    assert answer.status_code in (409, 422)
    assert Episodes(world.database).get(world.practice.id, episode.id).version == 1


@pytest.mark.parametrize("step", ["activation", "resumption", "aftercare", "closure"])
def test_a_step_out_of_turn_says_when_it_can_be_taken(as_, clara, path, step):
    body = {"ends_on": ahead()} if step == "aftercare" else {}

    answer = as_(clara).post(f"{path}/{step}", body, match=1)

    assert problem(answer) == (409, "state-forbids")
    assert "is active; it can be" in answer.json["detail"]


def test_a_step_names_the_version_seen(as_, maya, path):
    assert as_(maya).post(f"{path}/pause").status_code == 428
    assert as_(maya).post(f"{path}/pause", match=7).status_code == 412


def test_a_repeated_start_starts_once(world, as_, maya, clara):
    world.episode(maya, clara)
    other = world.member(Role.ADMIN, Role.CLINICIAN)

    first, again = (as_(other).post(f"/clients/{maya.id}/episodes", key="k") for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json


def test_a_client_has_one_open_episode_with_a_clinician_and_may_have_several_clinicians(
    world, as_, olivia, maya, clara, path
):
    daniel, start = world.member(Role.CLINICIAN), f"/clients/{maya.id}/episodes"

    second = as_(olivia).post(start, {"clinician_id": clara.id})
    beside = as_(olivia).post(start, {"clinician_id": daniel.id})
    crossed = as_(olivia).post(f"{path}/transfer", {"clinician_id": daniel.id}, match=1)
    as_(clara).post(f"{path}/end", match=1)
    ended = as_(olivia).post(start, {"clinician_id": clara.id})
    as_(clara).post(f"{path}/closure", match=2)
    back = as_(olivia).post(start, {"clinician_id": clara.id})

    assert problem(second) == problem(crossed) == problem(ended) == (409, "episode-open")
    assert "end and close it first, as that clinician, an owner or an admin may" in ended.json["detail"]
    assert (beside.status_code, back.status_code) == (201, 201)
    assert back.json["id"] != path.removeprefix("/episodes/")


def test_of_many_who_start_at_once_one_does(world, maya, clara):
    def start(_):
        try:
            return world.episode(maya, clara)
        except EpisodeOpen:
            return None

    with ThreadPoolExecutor(8) as pool:
        started = [one for one in pool.map(start, range(16)) if one]

    assert len(started) == 1


def test_a_transfer_ends_the_access_of_the_one_before_and_begins_the_others(
    world, as_, olivia, clara, maya, path
):
    daniel = world.member(Role.CLINICIAN)
    before = as_(daniel).get(path)

    moved = as_(olivia).post(f"{path}/transfer", {"clinician_id": daniel.id}, match=1)

    assert [turn["clinician_id"] for turn in moved.json["clinicians"]] == [clara.id, daniel.id]
    assert (before.status_code, as_(daniel).get(path).status_code) == (404, 200)
    assert as_(clara).get(path).status_code == as_(clara).get(f"/clients/{maya.id}").status_code == 404
    assert as_(clara).get("/clients").json["items"] == []
    assert "episode.transferred" in world.told("episodes")


def test_a_transfer_goes_to_another_active_clinician_of_this_practice(world, as_, olivia, clara, path):
    stranger = world.another_practice().member(Role.CLINICIAN)
    gone, admin = world.member(Role.CLINICIAN), world.member(Role.ADMIN)
    world.suspend(gone)

    def transfer(to):
        return problem(as_(olivia).post(f"{path}/transfer", {"clinician_id": to.id}, match=1))

    assert transfer(clara) == (409, "same-clinician")
    assert transfer(gone) == transfer(admin) == (409, "not-a-clinician")
    assert transfer(stranger)[0] == 404


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("maya", {"pause", "resumption", "end"}),
        ("clara", {"activation", "pause", "resumption", "end", "aftercare", "closure"}),
        ("olivia", {"activation", "pause", "end", "aftercare", "closure", "transfer"}),
        ("daniel", set()),
        ("noah", set()),
        ("stranger", set()),
    ],
)
def test_who_may_take_which_step(world, as_, request, path, who, may):
    others = {
        "daniel": lambda: world.member(Role.CLINICIAN),
        "noah": world.client,
        "stranger": lambda: world.another_practice().member(Role.OWNER, Role.CLINICIAN),
    }
    by = as_(others[who]() if who in others else request.getfixturevalue(who))

    # Without If-Match, who is entitled is asked for it.
    statuses = {step: by.post(f"{path}/{step}").status_code for step in STEPS}

    assert statuses == {step: 428 if step in may else 404 for step in STEPS}


def test_ending_aftercare_is_the_clients_right_too(world, as_, clara, maya, path):
    as_(clara).post(f"{path}/end", match=1)
    as_(clara).post(f"{path}/aftercare", {"ends_on": ahead(30), "check_ins": [ahead(9)]}, match=2)

    answer = as_(maya).post(f"{path}/end", match=3)

    assert answer.json["status"] == "closed"
    assert answer.json["aftercare"] == {"ends_on": ahead(30), "check_ins": [ahead(9)]}


def test_a_clinician_sees_the_client_until_the_episode_is_closed(as_, clara, maya, path):
    by, seen = as_(clara), []

    for match, step in enumerate(("pause", "end", "closure"), start=1):
        by.post(f"{path}/{step}", match=match)
        seen.append((by.get(f"/clients/{maya.id}").status_code, len(by.get("/clients").json["items"])))

    assert seen == [(200, 1), (200, 1), (404, 0)]


def test_readiness_is_rated_by_the_client_and_read_by_who_reads_what_they_write(
    world, as_, maya, clara, olivia, path
):
    rated = as_(maya).post(f"{path}/readiness", {"importance": 8, "confidence": 3}, key="k")
    again = as_(maya).post(f"{path}/readiness", {"importance": 8, "confidence": 3}, key="k")
    as_(maya).post(f"{path}/readiness", {"importance": 9, "confidence": 0})

    assert (rated.status_code, rated.json["offer"], again.status_code) == (201, None, 200)
    for who in (maya, clara):
        items = as_(who).get(f"{path}/readiness").json["items"]
        assert [(one["importance"], one["confidence"]) for one in items] == [(9, 0), (8, 3)]
    for who in (olivia, world.client(), world.member(Role.CLINICIAN)):
        assert as_(who).get(f"{path}/readiness").status_code == 404
    assert as_(clara).post(f"{path}/readiness", {"importance": 1, "confidence": 1}).status_code == 404
    assert as_(maya).get(path).headers["ETag"] == '"1"'


def test_one_key_serves_one_episode(world, as_, maya, path):
    other = world.episode(maya, world.member(Role.CLINICIAN))

    answers = [
        as_(maya).post(f"{one}/readiness", {"importance": 5, "confidence": 5}, key="k")
        for one in (path, f"/episodes/{other.id}")
    ]

    assert [answer.status_code for answer in answers] == [201, 201]


@pytest.mark.parametrize(
    ("threshold", "importance", "confidence", "offered"),
    [(None, 0, 0, False), (4, 3, 9, True), (4, 9, 3, True), (4, 4, 4, False)],
)
def test_below_the_practices_threshold_a_pause_is_offered(
    world, as_, maya, path, threshold, importance, confidence, offered
):
    world.change_practice(policy={} if threshold is None else {"readiness_threshold": threshold})

    rating = {"importance": importance, "confidence": confidence}
    answer = as_(maya).post(f"{path}/readiness", rating)

    assert bool(answer.json["offer"]) == offered
    if offered:
        assert "You can pause" in answer.json["offer"]


def test_who_pauses_already_is_offered_no_pause(world, as_, maya, path):
    world.change_practice(policy={"readiness_threshold": 10})
    as_(maya).post(f"{path}/pause", match=1)

    assert as_(maya).post(f"{path}/readiness", {"importance": 0, "confidence": 0}).json["offer"] is None


def test_no_score_is_in_any_event(world, as_, maya, path):
    as_(maya).post(f"{path}/readiness", {"importance": 7, "confidence": 3})

    (event,) = world.database["readiness"].find_one()["outbox"]

    assert event["type"] == "episode.readiness_rated"
    assert event["data"].keys() == {"rating_id", "episode_id", "client_id", "clinician_id", "rated_at"}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"importance": 5},
        {"importance": 11, "confidence": 5},
        {"importance": -1, "confidence": 5},
        {"importance": "5", "confidence": 5},
        {"importance": 5.5, "confidence": 5},
        {"importance": 5, "confidence": 5, "client_id": "x"},
    ],
)
def test_a_ruler_goes_from_0_to_10(as_, maya, path, wrong):
    assert problem(as_(maya).post(f"{path}/readiness", wrong)) == (422, "invalid")


def test_after_the_end_readiness_is_not_asked_for(as_, maya, path):
    as_(maya).post(f"{path}/end", match=1)

    answer = as_(maya).post(f"{path}/readiness", {"importance": 5, "confidence": 5})

    assert problem(answer) == (409, "state-forbids")


def test_of_an_absent_episode_nobody_learns_anything(as_, maya):
    by = as_(maya)

    for method, rest in (("GET", ""), ("POST", "/pause"), ("POST", "/readiness"), ("DELETE", "/wish")):
        assert by(method, f"/episodes/{new_id()}{rest}").status_code == 404
