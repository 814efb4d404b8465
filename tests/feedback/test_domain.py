"""A client speaks about a session that was held; the clinician answers once."""

from datetime import UTC, date, datetime

import pytest

from services.feedback.domain import AlreadyAnswered, Feedback, Ratings, SessionNotHeldYet
from services.feedback.events import FeedbackAnswered, FeedbackGiven

AT = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
RATINGS = Ratings(heard=9, mattered=8, pace=5, could_say=7, usable=6)


def given(session_on: date = date(2026, 11, 20)) -> Feedback:
    return Feedback.give("f", "p", "client", "clinician", AT, session_on, RATINGS, "the walk", None)


def test_the_clinician_hears_of_it() -> None:
    assert given().events == [FeedbackGiven("f", "client", "clinician")]


def test_the_client_hears_of_the_answer() -> None:
    feedback = given()

    feedback.reply("clinician", AT, "We slow down next time.", "Ten minutes less talk of tasks.")

    assert feedback.answer is not None
    assert feedback.answer.answered_by == "clinician"
    assert feedback.events[-1] == FeedbackAnswered("f", "client", "clinician")


def test_it_is_answered_once() -> None:
    feedback = given()
    feedback.reply("clinician", AT, "Thank you.")

    with pytest.raises(AlreadyAnswered):
        feedback.reply("clinician", AT, "Another.")
    assert len(feedback.events) == 2


def test_a_session_of_tomorrow_may_have_been_held_east_of_here_one_of_next_week_not() -> None:
    assert given(date(2026, 11, 21)).session_on == date(2026, 11, 21)

    with pytest.raises(SessionNotHeldYet):
        given(date(2026, 11, 22))


def test_an_event_carries_no_word_and_no_rating() -> None:
    assert vars(given().events[0]).keys() == {"feedback_id", "client_id", "clinician_id"}
