"""Whoever leaves hands over every open episode, whatever happens meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from scripts.waiting import until
from services.practices import removals
from services.practices.domain.episodes import Episode
from services.practices.domain.members import MemberStatus, Role
from services.practices.domain.removals import WATCHED, HandOverIncomplete, NotTheirEpisode, Removal
from services.practices.removals import hand_over, hand_over_due
from services.practices.store.episodes import Episodes
from services.practices.store.people import Members
from shared.clock import now
from shared.ids import new_id
from shared.store.aggregates import StaleVersion
from tests.practices.conftest import always, before


def plan(others=None, **hand_over):
    return Removal(by="a1", at=now(), hand_over=hand_over, others=others)


def test_every_episode_is_named_or_the_rest_is():
    plan(e1="m2", e2="m3").require_complete(["e1", "e2"])
    plan("m2").require_complete(["e1", "e2"])
    plan("m2", e1="m3").require_complete(["e1", "e2"])

    with pytest.raises(HandOverIncomplete) as missing:
        plan(e1="m2").require_complete(["e3", "e1", "e2"])
    with pytest.raises(NotTheirEpisode) as strange:
        plan("m2", e9="m2").require_complete(["e1"])

    assert missing.value.errors == {"hand_over": ["e2", "e3"]}
    assert strange.value.errors == {"hand_over": ["e9"]}


def test_an_episode_that_nobody_named_goes_to_who_has_the_rest():
    assert plan("m2", e1="m3").successor("e1") == "m3"
    assert plan("m2", e1="m3").successor("late") == "m2"
    assert plan(e1="m4", e2="m3").successor("late") is None
    assert plan().successor("late") is None


@pytest.fixture
def remove(world, http):
    ada = world.member(Role.ADMIN)

    def remove(member, **body):
        version = Members(world.database).get(world.practice.id, member.id).version
        headers = {**world.bearer(ada), "If-Match": f'"{version}"'}
        return http.post(f"/v1/members/{member.id}/removal", json=body, headers=headers)

    return remove


def clinicians(world):
    return {one["_id"]: one["clinician_id"] for one in world.database["episodes"].find({})}


def told(world, episode):
    found = world.database["episodes"].find_one({"_id": episode.id})
    return [event["type"] for event in found["outbox"]]


def due(world):
    return Members(world.database).due("removal_due", now() + timedelta(days=1))


def test_each_episode_goes_to_whom_the_removal_names(world, clara, daniel, remove):
    eva = world.member(Role.CLINICIAN)
    first, second, third = (world.episode(world.client(), clara) for _ in range(3))
    other = world.episode(world.client(), daniel)

    answer = remove(clara, hand_over={first.id: eva.id}, others=daniel.id)

    assert (answer.status_code, answer.json["status"]) == (200, "removed")
    assert clinicians(world) == {
        first.id: eva.id,
        second.id: daniel.id,
        third.id: daniel.id,
        other.id: daniel.id,
    }
    assert told(world, first) == ["episode.started", "episode.transferred"]


def test_without_a_clinician_for_each_nothing_happens_and_the_list_says_which(world, clara, daniel, remove):
    first, second = (world.episode(world.client(), clara) for _ in range(2))

    answer = remove(clara, hand_over={first.id: daniel.id})

    assert (answer.status_code, answer.json["type"]) == (409, "/problems/hand-over-incomplete")
    assert answer.json["errors"] == {"hand_over": [second.id]}
    assert set(clinicians(world).values()) == {clara.id}
    assert Members(world.database).get(world.practice.id, clara.id).active


def test_a_closed_episode_stays_as_it_was(world, clara, daniel, remove):
    closed = world.episode(world.client(), clara)
    world.database["episodes"].update_one({"_id": closed.id}, {"$set": {"status": "closed"}})

    assert remove(clara).status_code == 200
    assert clinicians(world) == {closed.id: clara.id}


@pytest.mark.parametrize("who", ["nobody", "stranger", "admin", "suspended", "invited", "themselves"])
def test_only_active_clinicians_of_the_practice_take_over(world, clara, remove, who):
    episode = world.episode(world.client(), clara)
    named = {
        "nobody": lambda: new_id(),
        "stranger": lambda: world.another_practice().member(Role.CLINICIAN).id,
        "admin": lambda: world.member(Role.ADMIN).id,
        "suspended": lambda: suspended(world).id,
        "invited": lambda: world.invited(Role.CLINICIAN).id,
        "themselves": lambda: clara.id,
    }[who]()

    answers = [remove(clara, others=named), remove(clara, hand_over={episode.id: named})]

    expected = 404 if who in ("nobody", "stranger") else 409
    assert [answer.status_code for answer in answers] == [expected, expected]
    assert Members(world.database).get(world.practice.id, clara.id).active


def suspended(world):
    member = world.member(Role.CLINICIAN)
    world.suspend(member)
    return member


def test_only_open_episodes_of_the_one_who_leaves_are_named(world, clara, daniel, remove):
    there = world.another_practice()
    foreign = there.episode(there.client(), there.member(Role.CLINICIAN))
    ours = world.episode(world.client(), daniel)

    for id in (foreign.id, ours.id, new_id()):
        answer = remove(clara, hand_over={id: daniel.id})
        assert (answer.status_code, answer.json["errors"]) == (409, {"hand_over": [id]})


@pytest.mark.parametrize(
    "wrong",
    [
        {"hand_over": []},
        {"hand_over": {"e": 1}},
        {"hand_over": {"a.b": "m"}},
        {"hand_over": {"$set": "m"}},
        {"others": ["m"]},
        {"all": "m"},
    ],
)
def test_what_is_no_plan_is_refused_by_field(world, clara, remove, wrong):
    answer = remove(clara, **wrong)

    assert (answer.status_code, answer.json["errors"]["body"].keys()) == (422, wrong.keys())


class Killed(BaseException):
    """As kill -9: nothing of the process runs any more."""


@pytest.mark.parametrize("written", [0, 1, 2])
def test_what_a_kill_left_is_finished_by_the_timer(world, clara, daniel, remove, monkeypatch, written):
    episodes = [world.episode(world.client(), clara) for _ in range(3)]
    save, saved = Episodes.save, []

    def dies(self, episode):
        if len(saved) == written:
            raise Killed
        saved.append(episode.id)
        return save(self, episode)

    with monkeypatch.context() as patch:
        patch.setattr(Episodes, "save", dies)
        with pytest.raises(Killed):
            remove(clara, others=daniel.id)
    left = list(clinicians(world).values()).count(clara.id)

    hand_over_due(world.database, now(), always)
    hand_over_due(world.database, now() + removals.AGAIN_AFTER, always)

    assert left == 3 - written
    assert set(clinicians(world).values()) == {daniel.id}
    assert all(told(world, one) == ["episode.started", "episode.transferred"] for one in episodes)


def test_the_workers_timer_does_it_and_ends_when_told(world, clara, daniel, remove, monkeypatch):
    episode = world.episode(world.client(), clara)
    with monkeypatch.context() as patch:
        patch.setattr(Episodes, "save", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            remove(clara, others=daniel.id)
    stopping = threading.Event()
    about = (world.database, world.settings, "me", stopping)

    timer = threading.Thread(target=removals.handing_over, args=about)
    timer.start()
    missing = until({"handed over": lambda: clinicians(world) == {episode.id: daniel.id}}, 10.0)
    stopping.set()
    timer.join(5)

    assert not missing
    assert not timer.is_alive()


def test_an_episode_that_was_just_being_started_is_handed_over_too(world, clara, daniel, remove):
    client = world.client()
    started = Episode.start(id=new_id(), client=client, clinician=clara, by=clara, at=now())

    remove(clara, others=daniel.id)
    late, _ = Episodes(world.database).add(started)
    hand_over_due(world.database, now(), always)

    assert clinicians(world) == {late.id: daniel.id}


def test_whoever_starts_episodes_while_a_clinician_leaves_leaves_none_behind(
    world, http, clara, daniel, remove
):
    ada, clients = world.member(Role.ADMIN), [world.client() for _ in range(12)]
    app, by = http.application, world.bearer(ada)

    def start(client):
        headers = {**by, "Idempotency-Key": new_id()}
        path = f"/v1/clients/{client.id}/episodes"
        return app.test_client().post(path, json={"clinician_id": clara.id}, headers=headers).status_code

    with ThreadPoolExecutor(5) as pool:
        starting = [pool.submit(start, client) for client in clients[:8]]
        left = remove(clara, others=daniel.id)
        starting += [pool.submit(start, client) for client in clients[8:]]
    hand_over_due(world.database, now() + removals.AGAIN_AFTER, always)

    assert left.status_code == 200
    assert {one.result() for one in starting} <= {201, 409}
    assert set(clinicians(world).values()) <= {daniel.id}
    assert [one.result() for one in starting[8:]] == [409] * 4


def test_a_transfer_that_met_another_change_is_tried_again(world, clara, daniel, remove, monkeypatch):
    episode = world.episode(world.client(), clara)
    save, refused = Episodes.save, []

    def stale_once(self, one):
        if not refused:
            refused.append(one.id)
            raise StaleVersion
        return save(self, one)

    monkeypatch.setattr(Episodes, "save", stale_once)
    remove(clara, others=daniel.id)

    assert clinicians(world) == {episode.id: daniel.id}


def test_a_removal_is_watched_for_a_while_and_then_forgotten(world, clara, remove):
    remove(clara)

    hand_over_due(world.database, now(), always)
    watched = due(world)
    hand_over_due(world.database, now() + WATCHED, always)

    assert [one.id for one in watched] == [clara.id]
    assert due(world) == []


def test_nobody_gets_a_client_whom_the_plan_did_not_mean_for_them(world, clara, daniel, remove):
    known = world.episode(world.client(), clara)
    started = Episode.start(id=new_id(), client=world.client(), clinician=clara, by=clara, at=now())

    remove(clara, hand_over={known.id: daniel.id})
    late, _ = Episodes(world.database).add(started)
    hand_over_due(world.database, now() + WATCHED, always)

    assert clinicians(world) == {known.id: daniel.id, late.id: clara.id}
    assert [one.id for one in due(world)] == [clara.id]


def test_who_cannot_work_any_more_when_it_is_their_turn_gets_nobody(
    world, http, clara, daniel, remove, monkeypatch
):
    eva = world.member(Role.CLINICIAN)
    his, hers = (world.episode(world.client(), clara) for _ in range(2))
    with monkeypatch.context() as patch:
        patch.setattr(Episodes, "save", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            remove(clara, hand_over={his.id: daniel.id}, others=eva.id)
    world.suspend(daniel)

    hand_over_due(world.database, now(), always)
    kept = clinicians(world)
    warnings = http.get("/v1/practice", headers=world.bearer(world.member(Role.ADMIN))).json["warnings"]
    daniel = Members(world.database).get(world.practice.id, daniel.id)
    daniel.reinstate(by=world.member(Role.OWNER))
    Members(world.database).save(daniel)
    hand_over_due(world.database, now() + WATCHED, always)

    assert kept == {his.id: clara.id, hers.id: eva.id}
    assert any("the clinician of 1 cannot work" in warning for warning in warnings)
    assert clinicians(world) == {his.id: daniel.id, hers.id: eva.id}


def test_nobody_is_removed_whose_successor_has_the_client_already(world, clara, daniel, remove):
    maya = world.client()
    hers, his = world.episode(maya, clara), world.episode(maya, daniel)
    other = world.episode(world.client(), clara)

    refused = remove(clara, others=daniel.id)
    eva = world.member(Role.CLINICIAN)
    done = remove(clara, others=daniel.id, hand_over={hers.id: eva.id})

    assert (refused.status_code, refused.json["type"]) == (409, "/problems/successor-cares")
    assert refused.json["errors"] == {"hand_over": [hers.id]}
    assert done.status_code == 200
    assert clinicians(world) == {hers.id: eva.id, his.id: daniel.id, other.id: daniel.id}


def test_an_episode_that_the_office_gave_to_another_stays_with_them(
    world, clara, daniel, remove, monkeypatch
):
    eva, episode = world.member(Role.CLINICIAN), world.episode(world.client(), clara)
    episode.transfer(eva, by=eva.id, at=now())
    Episodes(world.database).save(episode)

    # As it was listed a moment before.
    monkeypatch.setattr(Episodes, "open_of", lambda *_: [episode.id])
    remove(clara, others=daniel.id)

    assert clinicians(world) == {episode.id: eva.id}


def test_an_episode_that_closes_while_it_is_handed_over_is_done(world, clara, daniel, remove):
    episode = world.episode(world.client(), clara)

    def close():
        world.database["episodes"].update_one({"_id": episode.id}, {"$set": {"status": "closed"}})

    with before(Episodes, "get", close):
        # As it was listed a moment before.
        done = hand_over(world.database, left(world, clara, daniel), now())

    assert done
    assert clinicians(world) == {episode.id: clara.id}


def left(world, clara, daniel):
    clara.remove(world.member(Role.ADMIN), plan(daniel.id), [])
    return Members(world.database).save(clara)


def test_a_record_that_cannot_be_read_holds_up_no_other(world, clara, daniel, remove, monkeypatch):
    broken = world.member(Role.CLINICIAN)
    remove(broken)
    world.database["members"].update_one({"_id": broken.id}, {"$unset": {"display_name": ""}})
    episode = world.episode(world.client(), clara)
    with monkeypatch.context() as patch:
        patch.setattr(Episodes, "save", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            remove(clara, others=daniel.id)

    hand_over_due(world.database, now(), always)

    assert clinicians(world)[episode.id] == daniel.id


def test_an_episode_that_cannot_be_read_holds_up_no_other_of_the_same_clinician(world, clara, daniel, remove):
    episodes = sorted(world.episode(world.client(), clara).id for _ in range(3))
    world.database["episodes"].update_one({"_id": episodes[0]}, {"$set": {"locked_record": b"changed"}})

    removed = remove(clara, others=daniel.id)
    hand_over_due(world.database, now() + removals.AGAIN_AFTER, always)

    assert removed.status_code == 200
    assert clinicians(world) == {episodes[0]: clara.id} | dict.fromkeys(episodes[1:], daniel.id)


def test_who_is_removed_is_out_with_the_next_request(world, http, clara, remove):
    by = world.bearer(clara)

    remove(clara)

    assert http.get("/v1/me", headers=by).status_code == 404
    assert Members(world.database).get(world.practice.id, clara.id).status is MemberStatus.REMOVED
