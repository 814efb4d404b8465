"""Sessions: what may become of them."""

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from services.practices.domain.episodes import Episode, EpisodeStatus
from services.practices.domain.sessions import (
    EpisodeOver,
    Scope,
    Series,
    SessionBegun,
    SessionNotBegun,
    SessionNotScheduled,
    SessionStatus,
)

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
EPISODE = Episode(id="e", practice_id="p", client_id="maya", clinician_id="clara", started_at=AT)


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
    transferred = dataclasses.replace(EPISODE, clinician_id="daniel")

    made.settle(made.sessions[0], EPISODE, SessionStatus.HELD, "clara", AT)
    made.settle(made.sessions[0], transferred, SessionStatus.MISSED, "daniel", AT)

    assert made.events[-1].clinician_id == made.sessions[0].clinician_id == "clara"


@pytest.mark.parametrize(("scope", "left"), [(Scope.THIS, [0, 2]), (Scope.FOLLOWING, [0])])
def test_cancelling_takes_this_one_or_what_follows_too(scope, left):
    made = series()

    made.cancel(made.sessions[1], scope, "maya", AT, "Away", by_client=True)

    assert [number for number, one in enumerate(made.sessions) if one.scheduled] == left
    assert set(made.reasons.values()) == {"Away"}
    assert made.reasons.keys() == {one.id for one in made.sessions if not one.scheduled}
    assert types(made) == ["session.cancelled"] * (3 - len(left))
    assert all("Away" not in str(event) for event in made.events)
    with pytest.raises(SessionNotScheduled):
        made.cancel(made.sessions[1], Scope.THIS, "maya", AT, None, by_client=True)
    with pytest.raises(SessionNotScheduled):
        made.settle(made.sessions[1], EPISODE, SessionStatus.HELD, "clara", AT + 2 * WEEK)


def test_a_client_cancels_before_it_begins_and_the_practice_later_too():
    made = series(AT)

    with pytest.raises(SessionBegun):
        made.cancel(made.sessions[0], Scope.THIS, "maya", AT, None, by_client=True)
    made.cancel(made.sessions[0], Scope.THIS, "clara", AT, None, by_client=False)

    assert made.sessions[0].status is SessionStatus.CANCELLED


def test_a_snapshot_tells_all_that_was_told_of_each():
    made = series()
    made.cancel(made.sessions[2], Scope.THIS, "maya", AT, "Away", by_client=True)

    told = made.snapshot()

    assert told.statuses == dict(
        zip([one.id for one in made.sessions], ["scheduled", "scheduled", "cancelled"], strict=True)
    )
    assert told.starts_at[made.sessions[1].id] == AT + WEEK
    assert "Away" not in str(told)
