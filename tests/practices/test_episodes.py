"""The rules about episodes: every step in every state, and what each tells."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.practices.domain.aftercare import CheckInsUnclear
from services.practices.domain.days import NotAhead, begins
from services.practices.domain.episodes import (
    MOST_STEPS,
    Episode,
    EpisodeStatus,
    NotYourEpisode,
    SameClinician,
    StateForbids,
    Step,
    TooManySteps,
)
from services.practices.domain.members import NotAClinician, Role
from services.practices.events.episodes import (
    EpisodeAftercareArranged,
    EpisodeCheckInDue,
    EpisodeClosed,
    EpisodeEnded,
    EpisodePaused,
    EpisodePlanned,
    EpisodeResumeAsked,
    EpisodeResumed,
    EpisodeSnapshot,
    EpisodeStarted,
    EpisodeTransferred,
)
from tests.practices.made import AT, LATER, TODAY, client, last, member, said

ZONE = "Europe/Lisbon"
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
CLARA, DANIEL = member("m1"), member("m2")
ABOUT = ("e1", "c1", "m1")


def start(clinician=CLARA, by=CLARA):
    return Episode.start(id="e1", client=client(), clinician=clinician, by=by, at=AT)


def plan(starts_on=TODAY + WEEK):
    about = {"client": client(), "clinician": CLARA, "by": CLARA, "at": AT}
    return Episode.plan(id="e1", starts_on=starts_on, timezone=ZONE, **about)


def aftercare(episode, at=AT, clinician=CLARA, ends_on=TODAY + 13 * WEEK, check_ins=None):
    episode.arrange_aftercare(clinician, "m1", at, ZONE, ends_on, check_ins)


STEPS = {
    "activate": lambda episode: episode.activate("m1", AT),
    "pause": lambda episode: episode.pause("c1", AT, ZONE),
    "change_resume_date": lambda episode: episode.change_resume_date("c1", AT, ZONE, TODAY + DAY),
    "resume": lambda episode: episode.resume("c1", AT),
    "end": lambda episode: episode.end("c1", AT),
    "arrange_aftercare": aftercare,
    "close": lambda episode: episode.close("m1", AT),
    "transfer": lambda episode: episode.transfer(DANIEL, "m3", AT),
}
TABLE = {
    "planned": {"activate": "active", "end": "ended", "transfer": "planned"},
    "active": {"pause": "paused", "end": "ended", "transfer": "active"},
    "paused": {"change_resume_date": "paused", "resume": "active", "end": "ended", "transfer": "paused"},
    "ended": {"arrange_aftercare": "aftercare", "close": "closed", "transfer": "ended"},
    "aftercare": {"end": "closed", "close": "closed", "transfer": "aftercare"},
    "closed": {},
}
WAYS = {
    "planned": [],
    "active": ["activate"],
    "paused": ["activate", "pause"],
    "ended": ["activate", "end"],
    "aftercare": ["activate", "end", "arrange_aftercare"],
    "closed": ["activate", "end", "close"],
}


def in_state(status):
    episode = plan()
    for step in WAYS[status]:
        STEPS[step](episode)
    return episode


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("status", TABLE)
def test_each_step_in_each_state(status, step):
    episode = in_state(status)
    steps, events = list(episode.history), len(episode.events)

    if step in TABLE[status]:
        STEPS[step](episode)
        assert episode.status == TABLE[status][step]
        assert episode.history[:-1] == steps
    else:
        with pytest.raises(StateForbids, match=f"is {status}"):
            STEPS[step](episode)
        assert (episode.status, episode.history, len(episode.events)) == (status, steps, events)


def test_a_clinician_starts_an_episode_of_their_own():
    assert last(start()) == EpisodeStarted(*ABOUT, "active", AT)


def test_a_clinician_starts_no_episode_for_a_colleague():
    with pytest.raises(NotYourEpisode):
        start(DANIEL, by=CLARA)


def test_an_admin_starts_an_episode_for_a_clinician():
    assert start(DANIEL, by=member("m3", Role.ADMIN)).clinician_id == "m2"


def test_who_is_no_clinician_has_no_episode():
    owner = member("m3", Role.OWNER)

    with pytest.raises(NotAClinician):
        start(owner, by=owner)


def test_a_suspended_clinician_has_no_new_episode():
    clara, admin = member(), member("m3", Role.ADMIN)

    clara.suspend(by=admin)

    with pytest.raises(NotAClinician):
        start(clara, by=admin)


def test_a_planned_episode_starts_when_somebody_says_so():
    episode = plan(starts_on=date(2026, 7, 1))
    # Lisbon is an hour ahead of UTC in summer.
    assert last(episode) == EpisodePlanned(*ABOUT, "planned", datetime(2026, 6, 30, 23, tzinfo=UTC))

    episode.activate("m1", LATER)

    assert last(episode) == EpisodeStarted(*ABOUT, "active", LATER)
    assert [(step.kind, step.by, step.at) for step in episode.history] == [
        ("planned", "m1", AT),
        ("started", "m1", LATER),
    ]


@pytest.mark.parametrize("day", [TODAY, TODAY - DAY])
def test_what_is_planned_lies_ahead(day):
    with pytest.raises(NotAhead):
        plan(starts_on=day)
    with pytest.raises(NotAhead):
        start().pause("c1", AT, ZONE, resume_on=day)
    ended = in_state("ended")
    with pytest.raises(NotAhead):
        aftercare(ended, ends_on=day)
    with pytest.raises(NotAhead):
        aftercare(ended, check_ins=[day])


def test_a_pause_says_by_whom_and_never_why():
    episode = start()

    episode.pause("c1", LATER, ZONE, "It is too much", TODAY + WEEK)

    assert last(episode) == EpisodePaused(*ABOUT, "paused", LATER, "c1")
    assert "too much" not in repr(episode.events)
    assert [(one.kind, one.at, one.text) for one in episode.reasons] == [("paused", LATER, "It is too much")]
    assert episode.without_reasons().reasons == []


def test_no_earlier_reason_is_lost():
    episode = start()

    episode.pause("c1", AT, ZONE, "one")
    episode.resume("m1", AT)
    episode.pause("m1", AT, ZONE, "two")
    episode.end("c1", AT, "three")

    assert [one.text for one in episode.reasons] == ["one", "two", "three"]


def test_a_resume_date_asks_once_and_resumes_nothing():
    episode = start()
    episode.pause("c1", AT, ZONE, resume_on=TODAY + WEEK)
    day = begins(TODAY + WEEK, ZONE)

    episode.keep_time(day - timedelta(seconds=1), ZONE)
    before = said(episode)
    episode.keep_time(day, ZONE)
    episode.keep_time(day + WEEK, ZONE)

    assert "episode.resume_asked" not in before
    assert episode.events[2:] == [EpisodeResumeAsked(*ABOUT, "paused", day)]
    assert episode.status == "paused"


def test_another_resume_date_asks_again_and_the_same_does_not():
    episode = start()
    episode.pause("c1", AT, ZONE, resume_on=TODAY + DAY)
    episode.keep_time(AT + WEEK, ZONE)

    episode.change_resume_date("m1", AT, ZONE, TODAY + DAY)
    episode.keep_time(AT + 2 * WEEK, ZONE)
    once = said(episode).count("episode.resume_asked")
    episode.change_resume_date("m1", AT, ZONE, TODAY + 2 * DAY)
    episode.keep_time(AT + 3 * WEEK, ZONE)

    assert (once, said(episode).count("episode.resume_asked")) == (1, 2)
    assert [step.kind for step in episode.history] == ["started", "paused", "resume_date_changed"]


@pytest.mark.parametrize("step", ["resume", "end"])
def test_who_goes_on_or_ends_is_not_asked_any_more(step):
    episode = start()
    episode.pause("c1", AT, ZONE, resume_on=TODAY + DAY)

    STEPS[step](episode)
    episode.keep_time(AT + WEEK, ZONE)

    assert "episode.resume_asked" not in said(episode)
    assert (episode.resume_on, episode.next_at) == (None, None)


def test_a_resume_date_taken_back_asks_nobody():
    episode = start()
    episode.pause("c1", AT, ZONE, resume_on=TODAY + DAY)

    episode.change_resume_date("c1", AT, ZONE, None)
    episode.keep_time(AT + WEEK, ZONE)

    assert "episode.resume_asked" not in said(episode)


def test_going_on_and_ending_say_by_whom():
    episode = start()

    episode.pause("c1", AT, ZONE)
    episode.resume("m1", AT)
    assert last(episode) == EpisodeResumed(*ABOUT, "active", AT, "m1")
    episode.end("c1", LATER, "Enough")

    assert last(episode) == EpisodeEnded(*ABOUT, "ended", LATER, "c1")


def test_aftercare_looks_in_after_2_4_8_and_12_weeks_and_then_closes():
    episode = in_state("ended")
    aftercare(episode)
    assert last(episode) == EpisodeAftercareArranged(*ABOUT, "aftercare", AT, TODAY + 13 * WEEK)
    days = [TODAY + weeks * WEEK for weeks in (2, 4, 8, 12)]
    before = len(episode.events)

    for day in range(14 * 7):
        episode.keep_time(begins(TODAY + day * DAY, ZONE), ZONE)

    closed_at = begins(TODAY + 13 * WEEK + DAY, ZONE)
    assert episode.events[before:] == [
        *(EpisodeCheckInDue(*ABOUT, "aftercare", day, n) for n, day in enumerate(days, start=1)),
        EpisodeClosed(*ABOUT, "closed", closed_at, closed_by=None),
    ]
    assert (episode.history[-1].kind, episode.history[-1].by) == ("closed", None)


@pytest.mark.parametrize("step", ["end", "close"])
def test_whoever_ends_or_closes_aftercare_is_said_to_have_closed_it(step):
    episode = in_state("aftercare")

    getattr(episode, step)("c1", AT)

    assert last(episode) == EpisodeClosed(*ABOUT, "closed", AT, closed_by="c1")


def test_usual_check_ins_after_the_end_of_aftercare_are_left_out():
    episode = in_state("ended")

    aftercare(episode, ends_on=TODAY + 4 * WEEK)

    assert episode.aftercare.check_ins == [TODAY + 2 * WEEK, TODAY + 4 * WEEK]


def test_a_worker_that_was_away_says_each_check_in_once_and_then_closes():
    episode = in_state("ended")
    aftercare(episode)

    episode.keep_time(AT + 52 * WEEK, ZONE)
    episode.keep_time(AT + 53 * WEEK, ZONE)

    assert said(episode)[-5:] == ["episode.check_in_due"] * 4 + ["episode.closed"]
    assert said(episode).count("episode.check_in_due") == 4


def test_a_check_in_on_the_last_day_comes_before_the_end():
    episode = in_state("ended")
    aftercare(episode, ends_on=TODAY + WEEK, check_ins=[TODAY + WEEK])

    episode.keep_time(begins(TODAY + WEEK, ZONE), ZONE)
    on_the_day = episode.status
    episode.keep_time(begins(TODAY + WEEK + DAY, ZONE), ZONE)

    assert (on_the_day, episode.status) == ("aftercare", "closed")


def test_check_ins_of_ones_own_are_taken_as_they_are_and_may_be_none():
    days = [TODAY + DAY, TODAY + 3 * DAY]
    episode, other = in_state("ended"), in_state("ended")

    aftercare(episode, check_ins=days)
    aftercare(other, check_ins=[])

    assert (episode.aftercare.check_ins, other.aftercare.check_ins) == (days, [])


@pytest.mark.parametrize("days", [[2, 2], [3, 2], [8], [2, 8]])
def test_check_ins_are_in_order_each_once_and_within_the_aftercare(days):
    with pytest.raises(CheckInsUnclear):
        aftercare(in_state("ended"), ends_on=TODAY + WEEK, check_ins=[TODAY + day * DAY for day in days])


def test_a_day_begins_where_the_practice_is_also_when_clocks_change():
    # Santiago had no midnight on 2026-09-06: its clocks went from 24:00 to 01:00.
    assert begins(date(2026, 9, 6), "America/Santiago") == datetime(2026, 9, 6, 4, tzinfo=UTC)
    assert begins(date(2026, 3, 29), "Europe/Lisbon") == datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert begins(date(2026, 3, 30), "Europe/Lisbon") == datetime(2026, 3, 29, 23, tzinfo=UTC)


def test_another_clinician_may_look_after_the_end():
    episode = in_state("ended")

    aftercare(episode, at=LATER, clinician=DANIEL)

    assert last(episode).clinician_id == "m2"
    assert [(turn.clinician_id, turn.since, turn.until) for turn in episode.clinicians] == [
        ("m1", AT, LATER),
        ("m2", LATER, None),
    ]
    with pytest.raises(NotAClinician):
        aftercare(in_state("ended"), clinician=member("m3", Role.ADMIN))


def test_a_transfer_keeps_whose_it_was():
    episode = start()

    episode.transfer(DANIEL, "m3", LATER)

    assert last(episode) == EpisodeTransferred("e1", "c1", "m2", "active", "m1", LATER)
    assert [(turn.clinician_id, turn.until) for turn in episode.clinicians] == [("m1", LATER), ("m2", None)]
    assert (episode.history[-1].kind, episode.history[-1].by) == ("transferred", "m3")


def test_a_transfer_goes_to_another_active_clinician():
    away = member("m2")
    away.suspend(by=member("m3", Role.ADMIN))

    with pytest.raises(SameClinician):
        start().transfer(CLARA, "m3", AT)
    for nobody in (away, member("m4", Role.ADMIN)):
        with pytest.raises(NotAClinician):
            start().transfer(nobody, "m3", AT)


def test_a_transfer_of_what_rests_keeps_its_dates():
    episode = start()
    episode.pause("c1", AT, ZONE, resume_on=TODAY + DAY)

    episode.transfer(DANIEL, "m3", AT)
    episode.keep_time(AT + WEEK, ZONE)

    assert last(episode) == EpisodeResumeAsked("e1", "c1", "m2", "paused", AT + WEEK)


@pytest.mark.parametrize(("status", "step"), [(one, step) for one, steps in TABLE.items() for step in steps])
def test_with_very_many_steps_behind_it_only_stopping_and_handing_over_are_left(status, step):
    episode = in_state(status)
    episode.history = [Step("resumed", "c1", AT)] * MOST_STEPS

    if step in ("end", "close", "transfer"):
        STEPS[step](episode)
        assert episode.status == TABLE[status][step]
    else:
        with pytest.raises(TooManySteps, match="end it, and once it is closed"):
            STEPS[step](episode)
        assert (episode.status, len(episode.history)) == (status, MOST_STEPS)


def test_nor_is_it_handed_over_without_end():
    episode = start()
    episode.history = [Step("transferred", "m3", AT)] * 2 * MOST_STEPS

    with pytest.raises(TooManySteps):
        episode.transfer(DANIEL, "m3", AT)
    episode.end("c1", AT)

    assert episode.status == "ended"


@pytest.mark.parametrize("status", ["ended", "closed"])
def test_of_care_that_is_over_it_is_said_who_can_start_a_new_one(status):
    closes = "its clinician, an owner or an admin closes it, then " if status == "ended" else ""

    with pytest.raises(StateForbids, match=f"is {status}; {closes}an owner or an admin starts a new one"):
        in_state(status).require_under_way()


@pytest.mark.parametrize("status", TABLE)
def test_a_snapshot_tells_the_state(status):
    episode = in_state(status)

    began = episode.starts_at if status == "planned" else AT
    assert episode.snapshot() == EpisodeSnapshot(*ABOUT, status, began)


class Episodes(RuleBasedStateMachine):
    """No sequence of calls reaches an unknown state, and the events alone tell the same ones."""

    @initialize(planned=st.booleans())
    def begin(self, planned):
        self.episode = plan() if planned else start()
        self.at, self.statuses, self.heard = AT, [self.episode.status], 0
        self.steps = []

    @rule(step=st.sampled_from(sorted(STEPS)))
    def take(self, step):
        allowed = TABLE[self.episode.status]
        if step == "transfer" and self.episode.clinician_id == "m2":
            return
        try:
            STEPS[step](self.episode)
        except StateForbids:
            assert step not in allowed
        else:
            assert self.episode.status == allowed[step]

    @rule(days=st.integers(0, 40))
    def wait(self, days):
        self.at += days * DAY
        self.episode.keep_time(self.at, ZONE)

    @invariant()
    def events_tell_the_state(self):
        assert self.episode.status in set(EpisodeStatus)
        assert self.episode.events[-1].status == self.episode.status
        assert self.episode.events[-1].clinician_id == self.episode.clinician_id

    @invariant()
    def what_was_done_is_never_rewritten(self):
        assert self.episode.history[: len(self.steps)] == self.steps
        self.steps = list(self.episode.history)

    @invariant()
    def one_clinician_has_it(self):
        assert [turn.clinician_id for turn in self.episode.clinicians if turn.until is None] == [
            self.episode.clinician_id
        ]

    @invariant()
    def a_date_waits_only_in_a_pause_and_in_aftercare(self):
        assert self.episode.next_at is None or self.episode.status in ("paused", "aftercare")


Episodes.TestCase.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)
TestAnySequence = Episodes.TestCase
