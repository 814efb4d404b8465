"""Sessions: what may become of them."""

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from services.practices.domain.episodes import Episode, EpisodeStatus, Turn
from services.practices.domain.sessions import (
    MOST_CHANGES,
    EpisodeOver,
    Scope,
    Series,
    SessionBegun,
    SessionNotBegun,
    SessionNotScheduled,
    SessionStatus,
    TooManyChanges,
)

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
EPISODE = Episode(
    id="e",
    practice_id="p",
    client_id="maya",
    clinician_id="clara",
    started_at=AT,
    clinicians=[Turn("clara", AT)],
)
TRANSFERRED_AT = AT + timedelta(days=3)
TRANSFERRED = dataclasses.replace(
    EPISODE,
    clinician_id="daniel",
    clinicians=[Turn("clara", AT, TRANSFERRED_AT), Turn("daniel", TRANSFERRED_AT)],
)


def series(*starts, episode=EPISODE, minutes=50):
    local = {at.isoformat(): at for at in starts or (AT + HOUR, AT + WEEK, AT + 2 * WEEK)}
    made = Series.schedule(episode, local, minutes, id=str(uuid.uuid4()), timezone="UTC", rrule=None)
    made.said = [event.type for event in made.events]
    made.events.clear()
    return made


def types(made):
    return [event.type for event in made.events]


def test_each_session_is_told_and_keeps_an_id_of_its_own():
    starts = {"a": AT, "b": AT + WEEK}

    first, second = (
        Series.schedule(EPISODE, starts, 50, id="0" * 32, timezone="UTC", rrule=None) for _ in range(2)
    )

    assert types(first) == ["session.scheduled"] * 2
    assert [one.id for one in first.sessions] == [one.id for one in second.sessions]
    assert len({one.id for one in first.sessions}) == 2
    assert first.events[0].ends_at - first.events[0].starts_at == timedelta(minutes=50)


@pytest.mark.parametrize("status", [EpisodeStatus.ENDED, EpisodeStatus.CLOSED])
def test_nothing_is_scheduled_or_moved_in_care_that_is_over(status):
    over, made = dataclasses.replace(EPISODE, status=status), series()

    with pytest.raises(EpisodeOver):
        series(episode=over)
    with pytest.raises(EpisodeOver):
        made.move(made.sessions[0], over, AT + 2 * HOUR, None, "clara", AT)


def test_moving_moves_one_and_remembers_where_it_was():
    made = series()
    _, second, third = made.sessions
    before = second.id, third.starts_at

    made.move(second, EPISODE, AT + WEEK + HOUR, None, "clara", AT)

    assert (second.starts_at, second.ends_at - second.starts_at) == (AT + WEEK + HOUR, timedelta(minutes=50))
    assert (second.id, third.starts_at) == before
    assert [(change.what, change.by, change.starts_at) for change in second.history] == [
        ("moved", "clara", AT + WEEK)
    ]
    assert types(made) == ["session.moved"]


def test_moving_to_where_it_is_says_nothing():
    made = series()

    made.move(made.sessions[0], EPISODE, AT + HOUR, 50, "clara", AT)

    assert made.events == made.sessions[0].history == []


def test_a_session_is_held_or_missed_once_it_has_begun_and_may_be_corrected():
    made = series(AT)
    session = made.sessions[0]

    with pytest.raises(SessionNotBegun):
        made.settle(session, EPISODE, SessionStatus.HELD, "clara", AT - HOUR)
    for outcome in (SessionStatus.HELD, SessionStatus.HELD, SessionStatus.MISSED):
        made.settle(session, EPISODE, outcome, "clara", AT)

    assert types(made) == ["session.held", "session.missed"]
    assert [(change.what, change.status) for change in session.history] == [
        ("held", "scheduled"),
        ("missed", "held"),
    ]
    with pytest.raises(SessionNotScheduled):
        made.move(session, EPISODE, AT + HOUR, None, "clara", AT)


def test_a_session_belongs_to_who_held_it_whoever_comes_after():
    made = series(AT)

    made.settle(made.sessions[0], EPISODE, SessionStatus.HELD, "clara", AT)
    made.settle(made.sessions[0], TRANSFERRED, SessionStatus.MISSED, "daniel", AT)

    assert made.events[-1].clinician_id == made.sessions[0].clinician_id == "clara"


@pytest.mark.parametrize(("scope", "left"), [(Scope.THIS, [0, 2]), (Scope.FOLLOWING, [0])])
def test_cancelling_takes_this_one_or_what_follows_too(scope, left):
    made = series()

    made.cancel(made.sessions[1], EPISODE, scope, "maya", AT, "Away", by_client=True)

    assert [number for number, one in enumerate(made.sessions) if one.scheduled] == left
    assert set(made.reasons.values()) == {"Away"}
    assert made.reasons.keys() == {one.id for one in made.sessions if not one.scheduled}
    assert types(made) == ["session.cancelled"] * (3 - len(left))
    assert all("Away" not in str(event) for event in made.events)
    with pytest.raises(SessionNotScheduled):
        made.cancel(made.sessions[1], EPISODE, Scope.THIS, "maya", AT, None, by_client=True)
    with pytest.raises(SessionNotScheduled):
        made.settle(made.sessions[1], EPISODE, SessionStatus.HELD, "clara", AT + 2 * WEEK)


def test_a_client_cancels_before_it_begins_and_the_practice_later_too():
    made = series(AT)

    with pytest.raises(SessionBegun):
        made.cancel(made.sessions[0], EPISODE, Scope.THIS, "maya", AT, None, by_client=True)
    made.cancel(made.sessions[0], EPISODE, Scope.THIS, "clara", AT, None, by_client=False)

    assert made.sessions[0].status is SessionStatus.CANCELLED


def test_a_snapshot_tells_all_that_was_told_of_each():
    made = series()
    made.cancel(made.sessions[2], EPISODE, Scope.THIS, "maya", AT, "Away", by_client=True)

    told = made.snapshot()

    assert told.statuses == dict(
        zip([one.id for one in made.sessions], ["scheduled", "scheduled", "cancelled"], strict=True)
    )
    assert told.starts_at[made.sessions[1].id] == AT + WEEK
    assert "Away" not in str(told)


STEPS = {
    "move": lambda made, one: made.move(one, TRANSFERRED, one.starts_at + HOUR, None, "m", AT),
    "settle": lambda made, one: made.settle(one, TRANSFERRED, SessionStatus.HELD, "m", one.starts_at),
    "cancel": lambda made, one: made.cancel(one, TRANSFERRED, Scope.THIS, "m", AT, None, by_client=False),
    "call_off": lambda made, one: made.call_off(TRANSFERRED, "m", AT),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("starts_at", "whose"), [(AT + WEEK, "daniel"), (AT + HOUR, "clara")])
def test_whatever_becomes_of_a_session_after_a_transfer_names_whose_it_was_then(step, starts_at, whose):
    made = series(starts_at)

    STEPS[step](made, made.sessions[0])

    assert made.events[-1].clinician_id == made.sessions[0].clinician_id == whose


def test_of_a_time_before_the_start_it_is_the_first_clinicians():
    assert (
        TRANSFERRED.clinician_at(AT - WEEK) == series(AT - WEEK, episode=TRANSFERRED).sessions[0].clinician_id
    )
    assert TRANSFERRED.clinician_at(AT - WEEK) == "clara"


@pytest.mark.parametrize(
    ("made_in", "status", "left"),
    [
        ("active", "ended", 1),
        ("active", "aftercare", 1),
        ("active", "closed", 1),
        ("aftercare", "aftercare", 3),
        ("aftercare", "closed", 1),
    ],
)
def test_the_end_cancels_what_was_made_before_it_and_begins_after_it(made_in, status, left):
    made = series(AT - HOUR, AT + HOUR, AT + WEEK, episode=of(made_in))

    made.call_off(of(status), "platform", AT)

    assert len([one for one in made.sessions if one.scheduled]) == left


def test_in_aftercare_only_sessions_that_were_made_in_it_are_moved():
    made_before, made_in_it = series(AT), series(AT, episode=of("aftercare"))

    made_in_it.move(made_in_it.sessions[0], of("aftercare"), AT + WEEK, None, "clara", AT)

    assert made_in_it.sessions[0].starts_at == AT + WEEK
    with pytest.raises(EpisodeOver, match="schedule another one"):
        made_before.move(made_before.sessions[0], of("aftercare"), AT + WEEK, None, "clara", AT)


def of(status):
    return dataclasses.replace(EPISODE, status=EpisodeStatus(status))


def test_a_session_that_was_changed_very_often_can_still_be_cancelled_or_settled():
    held, cancelled = series(AT), series(AT)
    for made in (held, cancelled):
        for number in range(MOST_CHANGES):
            made.move(made.sessions[0], EPISODE, AT + (number + 1) * HOUR, None, "clara", AT)
        with pytest.raises(TooManyChanges, match="cancel it and schedule another one"):
            made.move(made.sessions[0], EPISODE, AT, None, "clara", AT)

    held.settle(held.sessions[0], EPISODE, SessionStatus.HELD, "clara", AT + WEEK)
    cancelled.cancel(cancelled.sessions[0], EPISODE, Scope.THIS, "maya", AT, None, by_client=True)

    assert [one.sessions[0].status for one in (held, cancelled)] == ["held", "cancelled"]
    with pytest.raises(TooManyChanges):
        held.settle(held.sessions[0], EPISODE, SessionStatus.MISSED, "clara", AT + WEEK)
