"""What dates bring, however many workers look, and whichever of them is killed."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from services.practices.dates import do_what_is_due, keeping_time
from services.practices.domain.days import today
from services.practices.domain.members import Role
from services.practices.store.episodes import Episodes
from shared.clock import now
from shared.store.aggregates import OutboxFull
from shared.store.lease import Lease
from tests.practices.conftest import every

ZONE = "Europe/Lisbon"
DAY = timedelta(days=1)


class Killed(BaseException):
    """As a kill ends a process: nothing catches it."""


@pytest.fixture
def lease(world):
    return Lease(world.database["leases"], "dates")


@pytest.fixture
def in_aftercare(world):
    """`count` episodes in aftercare, with check-ins in 1 and in 2 days, over after 3."""

    def arrange(count=1):
        clara, episodes = world.member(Role.CLINICIAN), Episodes(world.database)
        first, at = today(now(), ZONE), now()
        for _ in range(count):
            episode = world.episode(world.client(), clara)
            episode.end(clara.id, at)
            days = [first + DAY, first + 2 * DAY]
            episode.arrange_aftercare(clara, clara.id, at, ZONE, first + 3 * DAY, days)
            episodes.save(episode)

    return arrange


def said(world, type="episode.check_in_due"):
    """How often each episode said it, by its own number where it has one."""
    found = {}
    for episode in world.database["episodes"].find():
        events = [event for event in episode["outbox"] if event["type"] == type]
        found[episode["_id"]] = [event["data"].get("number") for event in events]
    return found


def test_a_check_in_is_said_when_its_day_has_come(world, lease, in_aftercare):
    in_aftercare()
    before = now()

    do_what_is_due(world.database, before, lease.hold)
    early = list(said(world).values())
    do_what_is_due(world.database, before + DAY, lease.hold)
    do_what_is_due(world.database, before + DAY, lease.hold)

    assert early == [[]]
    assert list(said(world).values()) == [[1]]


def test_aftercare_that_is_over_is_closed(world, lease, in_aftercare):
    in_aftercare()

    for days in range(5):
        do_what_is_due(world.database, now() + days * DAY, lease.hold)

    (episode,) = every(Episodes(world.database))
    assert (episode.status, episode.next_at) == ("closed", None)
    assert list(said(world).values()) == [[1, 2]]
    assert list(said(world, "episode.closed").values()) == [[None]]


def test_both_are_asked_once_whether_to_go_on(world, lease):
    episodes = Episodes(world.database)
    episode = world.episode(world.client(), world.member(Role.CLINICIAN))
    episode.pause("c1", now(), ZONE, resume_on=today(now(), ZONE) + DAY)
    episodes.save(episode)

    for days in range(4):
        do_what_is_due(world.database, now() + days * DAY, lease.hold)

    assert list(said(world, "episode.resume_asked").values()) == [[None]]
    assert episodes.get(world.practice.id, episode.id).status == "paused"


def test_two_workers_say_each_check_in_once(world, in_aftercare):
    in_aftercare(count=12)
    at = now() + 2 * DAY

    def work(name):
        # Each believes that it holds the lease, as at a takeover.
        do_what_is_due(world.database, at, Lease(world.database["leases"], name).hold)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ["one", "other"]))

    assert list(said(world).values()) == [[1, 2]] * 12


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_killed_worker_left_the_next_one_says(world, lease, in_aftercare, monkeypatch, when):
    in_aftercare(count=5)
    at, save, left = now() + DAY, Episodes.save, iter([True, True, False])

    def until_killed(self, episode, to=None):
        goes_on = next(left)
        if goes_on or when == "after":
            save(self, episode, to)
        if not goes_on:
            raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(Episodes, "save", until_killed)
        with pytest.raises(Killed):
            do_what_is_due(world.database, at, lease.hold)
    half = sorted(said(world).values())
    world.database["leases"].delete_many({})
    do_what_is_due(world.database, at, Lease(world.database["leases"], "dates").hold)

    assert half.count([1]) == (3 if when == "after" else 2)
    assert list(said(world).values()) == [[1]] * 5


def test_only_who_holds_the_lease_looks(world, lease, in_aftercare):
    in_aftercare()
    assert Lease(world.database["leases"], "dates").hold()

    do_what_is_due(world.database, now() + DAY, lease.hold)

    assert list(said(world).values()) == [[]]


def test_one_record_that_cannot_be_read_holds_up_no_other(world, lease, in_aftercare):
    in_aftercare(count=2)
    broken = world.database["episodes"].find_one()
    world.database["episodes"].update_one({"_id": broken["_id"]}, {"$set": {"aftercare": "?"}})

    do_what_is_due(world.database, now() + DAY, lease.hold)

    assert sorted(said(world).values()) == [[], [1]]


def test_what_somebody_changes_meanwhile_is_left_to_the_next_round(world, lease, in_aftercare, monkeypatch):
    in_aftercare()

    def full(*_):
        raise OutboxFull

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Episodes, "save", full)
        do_what_is_due(world.database, now() + DAY, lease.hold)
    do_what_is_due(world.database, now() + DAY, lease.hold)

    assert list(said(world).values()) == [[1]]


def test_the_timer_looks_and_stops(world, in_aftercare):
    in_aftercare()
    world.database["episodes"].update_many({}, {"$set": {"next_at": now(), "aftercare.check_ins": []}})
    world.database["episodes"].update_many({}, {"$set": {"aftercare.ends_on": "2020-01-01"}})
    stopping = threading.Event()
    about = (world.database, world.settings, "me", stopping)
    timer = threading.Thread(target=keeping_time, args=about, daemon=True)

    with world.database["episodes"].watch() as written:
        timer.start()
        deadline = time.monotonic() + 20
        while [None] not in said(world, "episode.closed").values():
            assert time.monotonic() < deadline, "it did not happen in time"
            written.try_next()
    stopping.set()
    timer.join(5)

    assert not timer.is_alive()
