"""What the end of care does to the sessions that were still to come, whatever is killed or broken."""

from datetime import timedelta

import pytest

from services.practices.calling_off import call_off, call_off_due
from services.practices.domain.members import Role
from services.practices.domain.sessions import Scope, Series
from services.practices.store.episodes import Episodes
from services.practices.store.sessions import AllSeries
from shared.clock import now
from shared.ids import new_id
from shared.store.aggregates import OUTBOX_LIMIT
from shared.store.client import StoreUnavailable
from tests.practices.conftest import always, killed

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
ONE_BEHIND = ["scheduled", *["cancelled"] * 3]


@pytest.fixture
def care(world, as_):
    return Care(world, as_)


class Care:
    """Clara's and Maya's: one session behind, three to come, the last of which somebody cancelled."""

    def __init__(self, world, as_):
        self.world, self.database, self.as_ = world, world.database, as_
        self.clara, self.maya = world.member(Role.CLINICIAN), world.client()
        self.id = world.episode(self.maya, self.clara).id
        self.path = f"/episodes/{self.id}"
        self.schedule(-HOUR)
        self.first = self.schedule(DAY, WEEK)
        last = self.schedule(30 * DAY)
        about = {"by": "maya", "at": now(), "reason": None, "by_client": True}
        last.cancel(last.sessions[0], self.episode, Scope.THIS, **about)
        AllSeries(self.database).save(last)

    @property
    def episode(self):
        return Episodes(self.database).get(self.world.practice.id, self.id)

    def schedule(self, *later):
        starts = {str(one): now() + one for one in later}
        about = {"id": new_id(), "timezone": "Europe/Lisbon", "rrule": None}
        return AllSeries(self.database).add(Series.schedule(self.episode, starts, 50, **about))[0]

    def end(self):
        return self.as_(self.maya).post(f"{self.path}/end", match=1)

    def end_and_be_killed(self):
        with killed(AllSeries, "to_come"):
            self.end()

    def arrange_aftercare(self):
        body = {"ends_on": (now() + WEEK).date().isoformat(), "check_ins": []}
        answer = self.as_(self.clara).post(f"{self.path}/aftercare", body, match=2)
        assert answer.status_code == 200

    @property
    def statuses(self):
        """In the order of their starts."""
        found = self.database["series"].find()
        every = [session for one in found for session in one["sessions"]]
        return [one["status"] for one in sorted(every, key=lambda one: one["starts_at"])]

    def look(self, minutes=2):
        call_off_due(self.database, now() + timedelta(minutes=minutes), always)

    def tamper(self, collection, id):
        self.database[collection].update_one({"_id": id}, {"$set": {"locked_record": b"tampered"}})


def test_whoever_ends_care_is_answered_when_what_was_to_come_is_cancelled(care):
    answer = care.end()

    assert (answer.status_code, care.statuses) == (200, ONE_BEHIND)


def test_whoever_closes_aftercare_is_answered_when_what_was_to_come_of_it_is_cancelled(care):
    care.end()
    care.arrange_aftercare()
    care.schedule(2 * DAY)

    closed = care.as_(care.clara).post(f"{care.path}/closure", match=3)

    assert (closed.status_code, care.statuses) == (200, ["scheduled", *["cancelled"] * 4])


def test_it_is_done_once_however_often(care):
    care.end()

    for _ in range(2):
        assert call_off(care.database, care.episode)
    care.look()

    assert care.statuses == ONE_BEHIND
    assert care.world.told("series").count("session.cancelled") == 3


def test_what_was_killed_before_it_cancelled_is_made_up_for_and_changes_no_version(care):
    care.end_and_be_killed()
    before = care.episode.version

    care.look(minutes=0)
    early = care.statuses
    care.look()

    assert early.count("cancelled") == 1
    assert care.statuses == ONE_BEHIND
    assert (care.episode.call_off_at, care.episode.version) == (None, before)
    assert list(Episodes(care.database).to_call_off(now() + WEEK)) == []


def test_aftercare_brings_back_nothing_and_keeps_what_is_made_in_it(care):
    care.end_and_be_killed()
    care.arrange_aftercare()
    care.schedule(2 * DAY)

    care.look()
    care.look()

    assert care.statuses == ["scheduled", "cancelled", "scheduled", "cancelled", "cancelled"]
    assert care.episode.call_off_at is None


def test_what_is_made_in_aftercare_while_the_timer_looks_is_kept(care):
    care.end_and_be_killed()
    ended = care.episode
    care.arrange_aftercare()
    care.schedule(2 * DAY)

    call_off(care.database, ended)

    assert care.statuses == ["scheduled", "cancelled", "scheduled", "cancelled", "cancelled"]


def test_a_series_that_changed_meanwhile_is_still_called_off(care, monkeypatch):
    get, changed = AllSeries.get, set()

    def changed_once(self, *about):
        series = get(self, *about)
        if series.id not in changed:
            changed.add(series.id)
            other = get(self, *about)
            other.events.append(other.snapshot())
            self.save(other)
        return series

    monkeypatch.setattr(AllSeries, "get", changed_once)
    care.end()

    assert (care.statuses, len(changed)) == (ONE_BEHIND, 2)


def test_what_has_too_much_to_say_is_no_failure_of_the_end_and_left_to_the_timer(care):
    (record,) = care.database["series"].find_one({"_id": care.first.id})["outbox"][:1]
    full = {"outbox": [record] * OUTBOX_LIMIT, "due": now()}
    care.database["series"].update_one({"_id": care.first.id}, {"$set": full})

    answer = care.end()
    care.look()
    waiting, left = care.statuses, care.episode.call_off_at
    care.database["series"].update_one({"_id": care.first.id}, {"$set": {"outbox": []}})
    care.look()

    assert (answer.status_code, answer.json["status"]) == (200, "ended")
    assert (waiting.count("cancelled"), left is None) == (1, False)
    assert (care.statuses, care.episode.call_off_at) == (ONE_BEHIND, None)


def test_a_database_that_is_away_after_the_end_was_saved_is_no_failure_of_it(care, monkeypatch):
    def away(*_):
        raise StoreUnavailable("away")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(AllSeries, "to_come", away)
        answer = care.end()
    care.look()

    assert (answer.status_code, care.statuses) == (200, ONE_BEHIND)


def test_an_episode_that_cannot_be_read_holds_up_no_other(care, as_):
    care.end_and_be_killed()
    other = Care(care.world, as_)
    other.end_and_be_killed()
    care.tamper("episodes", care.id)

    care.look()

    assert other.episode.call_off_at is None
    assert care.statuses.count("cancelled") == 1 + 3
    assert [id for _, id in Episodes(care.database).to_call_off(now())] == [care.id]


def test_a_series_that_cannot_be_read_holds_up_no_other_and_no_answer(care):
    other = care.schedule(3 * DAY)
    care.tamper("series", care.first.id)

    answer = care.end()
    care.look()

    assert (answer.status_code, care.episode.status) == (200, "ended")
    assert AllSeries(care.database).get(care.world.practice.id, other.id).sessions[0].status == "cancelled"
    assert care.statuses.count("cancelled") == 2
    assert care.episode.call_off_at is not None
