"""Leave cover: who stands in for whom, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest

from services.practices.domain.covers import Cover, CoverUnclear
from services.practices.domain.members import Member, NotAClinician, NotYourself, Role, StatusForbids
from services.practices.domain.removals import Removal
from services.practices.events.covers import CoverArranged, CoverCancelled, CoverSnapshot
from services.practices.store.covers import Covers
from shared.clock import now
from shared.ids import new_id

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def member(id, *roles):
    about = {"display_name": "C", "email": "c@x.org", "address": id, "language": "en", "timezone": "UTC"}
    return Member.join(id=id, practice_id="p1", roles=set(roles or [Role.CLINICIAN]), **about)


def arrange(absent=None, by=None, since=AT, until=AT + 14 * DAY):
    absent, by = absent or member("m1"), by or member("m2")
    return Cover.arrange(id="v1", absent=absent, by=by, since=since, until=until, at=AT)


def suspended(id):
    one = member(id)
    one.suspend(by=member("a1", Role.ADMIN))
    return one


def removed(id):
    one = member(id)
    one.remove(member("a1", Role.ADMIN), Removal(by="a1", at=AT, hand_over={}), [])
    return one


def test_a_cover_tells_who_for_whom_and_when():
    assert arrange().events == [CoverArranged("v1", "m1", "m2", AT, AT + 14 * DAY)]


def test_somebody_suspended_can_be_covered():
    assert arrange(absent=suspended("m1")).stands


@pytest.mark.parametrize(
    ("parties", "refusal"),
    [
        ({"by": member("m1")}, NotYourself),
        ({"by": member("m2", Role.ADMIN)}, NotAClinician),
        ({"by": suspended("m2")}, NotAClinician),
        ({"absent": member("m1", Role.ADMIN)}, NotAClinician),
        ({"absent": removed("m1")}, StatusForbids),
    ],
)
def test_active_clinicians_stand_in_for_clinicians(parties, refusal):
    with pytest.raises(refusal):
        arrange(**parties)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (AT + DAY, AT),
        (AT + DAY, AT + DAY),
        (AT, AT + 367 * DAY),
        (AT - 2 * DAY, AT - DAY),
        (AT - DAY, AT),
    ],
)
def test_a_cover_begins_before_it_ends_and_ends_in_the_year_to_come(since, until):
    with pytest.raises(CoverUnclear):
        arrange(since=since, until=until)


def test_a_cover_is_cancelled_once():
    cover = arrange()

    cover.cancel(AT + DAY)
    cover.cancel(AT + 2 * DAY)

    assert cover.cancelled_at == AT + DAY
    assert cover.events[1:] == [CoverCancelled("v1")]
    assert cover.snapshot() == CoverSnapshot("v1", "m1", "m2", AT, AT + 14 * DAY, False)


# In the store and over HTTP


def stored(world, absent, by, since, until):
    at = now()
    cover = Cover.arrange(id=new_id(), absent=absent, by=by, since=at + since, until=at + until, at=at)
    return Covers(world.database).add(cover)[0]


def test_a_cover_holds_from_its_beginning_to_its_end_and_not_once_cancelled(world, clara, daniel):
    covers, practice, at = Covers(world.database), world.practice.id, now()
    cover = stored(world, clara, daniel, DAY, 3 * DAY)
    cancelled = stored(world, world.member(Role.CLINICIAN), daniel, DAY, 3 * DAY)
    cancelled.cancel(at)
    covers.save(cancelled)

    def current(when, by=daniel, of=practice):
        return covers.current(of, by.id, when)

    assert [current(when) for when in (at, cover.since, cover.until - DAY, cover.until)] == [
        [],
        [clara.id],
        [clara.id],
        [],
    ]
    assert current(at + 2 * DAY, by=clara) == []
    assert current(at + 2 * DAY, of=new_id()) == []


def body(by, **about):
    at = now()
    return {
        "covered_by": by.id,
        "since": (at + DAY).isoformat(),
        "until": (at + 9 * DAY).isoformat(),
    } | about


@pytest.fixture
def ask(world, http):
    def ask(by, method, path, **about):
        headers = world.bearer(by) | about.pop("headers", {"Idempotency-Key": new_id()})
        return http.open(path, method=method, headers=headers, **about)

    return ask


def test_the_office_arranges_a_cover_and_a_clinician_their_own(world, ask, clara, daniel):
    path = f"/v1/members/{clara.id}/covers"

    by_office = ask(world.member(Role.ADMIN), "POST", path, json=body(daniel))
    by_clara = ask(clara, "POST", path, json=body(daniel))
    by_daniel = ask(daniel, "POST", path, json=body(daniel))

    assert [answer.status_code for answer in (by_office, by_clara, by_daniel)] == [201, 201, 404]
    assert (by_clara.json["member_id"], by_clara.json["covered_by"]) == (clara.id, daniel.id)
    listed = ask(daniel, "GET", path)
    assert {item["id"] for item in listed.json["items"]} == {by_office.json["id"], by_clara.json["id"]}
    (first, _) = world.database["covers"].find({})
    assert [event["type"] for event in first["outbox"]] == ["cover.arranged"]


def test_a_repeat_finds_the_cover_and_of_another_member_makes_another(world, ask, clara, daniel):
    ada, eva = world.member(Role.ADMIN), world.member(Role.CLINICIAN)
    same = {"headers": {"Idempotency-Key": "k"}, "json": body(eva)}

    answers = [
        ask(ada, "POST", f"/v1/members/{one.id}/covers", **{**same, "headers": dict(same["headers"])})
        for one in (clara, clara, daniel)
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 201]
    assert [answer.json["member_id"] for answer in answers] == [clara.id, clara.id, daniel.id]


def test_a_cover_is_cancelled_by_the_office_or_by_who_is_away(world, ask, clara, daniel):
    cover = stored(world, clara, daniel, DAY, 3 * DAY)
    path, seen = f"/v1/covers/{cover.id}", {"If-Match": '"1"'}

    by_daniel = ask(daniel, "DELETE", path, headers=dict(seen))
    unseen = ask(clara, "DELETE", path, headers={})
    by_clara = ask(clara, "DELETE", path, headers=dict(seen))
    again = ask(world.member(Role.OWNER), "DELETE", path, headers={"If-Match": '"2"'})

    answers = (by_daniel, unseen, by_clara, again)
    assert [answer.status_code for answer in answers] == [404, 428, 200, 200]
    assert by_clara.json["cancelled_at"] == again.json["cancelled_at"] is not None


def test_covers_of_another_practice_are_absent(world, ask, clara, daniel):
    cover = stored(world, clara, daniel, DAY, 3 * DAY)
    there = world.another_practice()
    olivia, stranger = there.member(Role.OWNER), there.member(Role.CLINICIAN)

    answers = [
        ask(olivia, "DELETE", f"/v1/covers/{cover.id}", headers={"If-Match": '"1"'}),
        ask(olivia, "GET", f"/v1/members/{clara.id}/covers"),
        ask(olivia, "POST", f"/v1/members/{clara.id}/covers", json=body(stranger)),
        ask(world.member(Role.OWNER), "POST", f"/v1/members/{clara.id}/covers", json=body(stranger)),
        ask(world.client(), "GET", f"/v1/members/{clara.id}/covers"),
    ]

    assert {answer.status_code for answer in answers} == {404}


@pytest.mark.parametrize(
    "wrong",
    [
        {"covered_by": None},
        {"since": "2026-03-01"},
        {"until": "2026-03-01T09:00:00"},
        {"until": 7},
        {"member_id": "x"},
    ],
)
def test_what_is_no_cover_is_refused_by_field(world, ask, clara, daniel, wrong):
    answer = ask(clara, "POST", f"/v1/members/{clara.id}/covers", json=body(daniel, **wrong))

    assert (answer.status_code, answer.json["errors"]["body"].keys()) == (422, wrong.keys())


def test_a_time_that_cannot_be_is_told_with_the_way_out(ask, clara, daniel):
    backwards = body(daniel, until=now().isoformat())

    answer = ask(clara, "POST", f"/v1/members/{clara.id}/covers", json=backwards)

    assert (answer.status_code, answer.json["type"]) == (409, "/problems/cover-unclear")
