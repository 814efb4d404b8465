"""When sessions begin: right by the practice's clock, in every zone and over every change of it."""

import sys
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from services.practices.domain.recurrence import AHEAD, MOST, OutOfReach, RuleRefused, starts

AT = datetime(2026, 10, 1, tzinfo=UTC)
WEEKLY = "FREQ=WEEKLY;COUNT=3"


def utc(*times):
    return [datetime.fromisoformat(f"{time}Z") for time in times]


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        (
            "Europe/Warsaw",
            "2026-10-18T10:00",
            ["2026-10-18T08:00", "2026-10-25T09:00", "2026-11-01T09:00"],
        ),
        (
            "Europe/Warsaw",
            "2027-03-21T10:00",
            ["2027-03-21T09:00", "2027-03-28T08:00", "2027-04-04T08:00"],
        ),
        (
            "America/New_York",
            "2026-10-25T10:00",
            ["2026-10-25T14:00", "2026-11-01T15:00", "2026-11-08T15:00"],
        ),
        (
            "America/New_York",
            "2027-03-07T10:00",
            ["2027-03-07T15:00", "2027-03-14T14:00", "2027-03-21T14:00"],
        ),
        (
            "Asia/Kathmandu",
            "2026-10-25T10:00",
            ["2026-10-25T04:15", "2026-11-01T04:15", "2026-11-08T04:15"],
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-02T10:00",
            ["2026-10-01T23:30", "2026-10-08T23:00", "2026-10-15T23:00"],
        ),
        (
            "Australia/Lord_Howe",
            "2027-03-28T10:00",
            ["2027-03-27T23:00", "2027-04-03T23:30", "2027-04-10T23:30"],
        ),
    ],
)
def test_ten_stays_ten_whatever_the_offset_of_the_day(zone, start, expected):
    found = starts(datetime.fromisoformat(start), WEEKLY, zone, AT)

    assert list(found.values()) == utc(*expected)
    assert {at.astimezone(ZoneInfo(zone)).strftime("%H:%M") for at in found.values()} == {"10:00"}


@pytest.mark.parametrize(
    ("zone", "skipped", "moved"),
    [
        ("Europe/Warsaw", "2027-03-28T02:30", "2027-03-28T01:30"),
        ("America/New_York", "2027-03-14T02:30", "2027-03-14T07:30"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45"),
    ],
)
def test_a_time_that_the_clock_skips_moves_forward_by_the_gap(zone, skipped, moved):
    assert list(starts(datetime.fromisoformat(skipped), None, zone, AT).values()) == utc(moved)


@pytest.mark.parametrize(
    ("zone", "twice", "first"),
    [
        ("Europe/Warsaw", "2026-10-25T02:30", "2026-10-25T00:30"),
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30"),
        ("Australia/Lord_Howe", "2027-04-04T01:45", "2027-04-03T14:45"),
    ],
)
def test_of_a_time_that_comes_twice_the_first_is_meant(zone, twice, first):
    assert list(starts(datetime.fromisoformat(twice), None, zone, AT).values()) == utc(first)


def test_only_the_skipped_date_of_a_rule_moves():
    found = starts(datetime.fromisoformat("2027-03-27T02:30"), "FREQ=DAILY;COUNT=3", "Europe/Warsaw", AT)

    assert list(found.values()) == utc("2027-03-27T01:30", "2027-03-28T01:30", "2027-03-29T00:30")


def test_an_instant_stays_that_instant_even_the_second_of_two_equal_hours():
    second = datetime.fromisoformat("2026-10-25T01:30Z")

    found = starts(second, "FREQ=DAILY;COUNT=2", "Europe/Warsaw", AT)

    assert found == {
        "2026-10-25T02:30:00": second,
        "2026-10-26T02:30:00": datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("rule", "dates"),
    [
        ("FREQ=DAILY;COUNT=3", ["2026-11-20", "2026-11-21", "2026-11-22"]),
        ("freq=weekly;interval=2;count=2", ["2026-11-20", "2026-12-04"]),
        ("FREQ=WEEKLY;BYDAY=FR,MO;COUNT=3", ["2026-11-20", "2026-11-23", "2026-11-27"]),
        ("FREQ=WEEKLY;UNTIL=20261204", ["2026-11-20", "2026-11-27", "2026-12-04"]),
        ("FREQ=WEEKLY;UNTIL=20261204T090000Z", ["2026-11-20", "2026-11-27", "2026-12-04"]),
        ("FREQ=WEEKLY;UNTIL=20261204T085959Z", ["2026-11-20", "2026-11-27"]),
        ("FREQ=MONTHLY;BYDAY=3FR;COUNT=2", ["2026-11-20", "2026-12-18"]),
        ("FREQ=MONTHLY;BYMONTHDAY=20,-1;COUNT=3", ["2026-11-20", "2026-11-30", "2026-12-20"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=15;COUNT=2", ["2026-11-20", "2026-12-21"]),
        ("FREQ=WEEKLY;WKST=SU;COUNT=1", ["2026-11-20"]),
    ],
)
def test_a_rule_gives_the_dates_of_rfc_5545(rule, dates):
    found = starts(datetime.fromisoformat("2026-11-20T10:00"), rule, "Europe/Warsaw", AT)

    assert list(found) == [f"{date}T10:00:00" for date in dates]


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "weekly",
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;INTERVAL=2",
        "COUNT=3",
        "FREQ=WEEKLY;COUNT=3;UNTIL=20261204",
        "FREQ=WEEKLY;COUNT=3;COUNT=4",
        "FREQ=WEEKLY;COUNT=0",
        "FREQ=WEEKLY;COUNT=-1",
        "FREQ=WEEKLY;COUNT=105",
        "FREQ=DAILY;COUNT=999999",
        "FREQ=DAILY;UNTIL=20280101",
        "FREQ=YEARLY;COUNT=2",
        "FREQ=HOURLY;COUNT=2",
        "FREQ=MINUTELY;COUNT=2",
        "FREQ=SECONDLY;COUNT=2",
        "FREQ=WEEKLY;COUNT=2;BYHOUR=3",
        "FREQ=WEEKLY;COUNT=2;BYMONTH=3",
        "FREQ=WEEKLY;COUNT=2;BYEASTER=0",
        "FREQ=WEEKLY;COUNT=2;X-MINE=1",
        "FREQ=WEEKLY;COUNT=2;BYDAY=2FR",
        "FREQ=WEEKLY;COUNT=2;BYDAY=XX",
        "FREQ=WEEKLY;COUNT=2;BYDAY=",
        "FREQ=WEEKLY;COUNT=2;INTERVAL=0",
        "FREQ=WEEKLY;COUNT=2;BYMONTHDAY=20",
        "FREQ=MONTHLY;COUNT=2;BYMONTHDAY=32",
        "FREQ=MONTHLY;COUNT=2;BYSETPOS=1",
        "FREQ=WEEKLY;COUNT=2;",
        "DTSTART:20261120T100000\nRRULE:FREQ=WEEKLY;COUNT=2",
        "RRULE:FREQ=WEEKLY;COUNT=2",
        "FREQ=WEEKLY;UNTIL=20261399",
        "FREQ=WEEKLY;UNTIL=99991231",
        "FREQ=WEEKLY;UNTIL=20261204T100000",
        "FREQ=WEEKLY;UNTIL=٢٠٢٦١٢٠٤",
        # None, or not beginning with the start.
        "FREQ=WEEKLY;UNTIL=20261119",
        "FREQ=WEEKLY;BYDAY=MO;COUNT=3",
        "FREQ=MONTHLY;BYMONTHDAY=31,-1;BYSETPOS=2;COUNT=2",
    ],
)
def test_a_rule_without_end_sense_or_start_is_refused(rule):
    with pytest.raises(RuleRefused, match=r"\.$"):
        starts(datetime.fromisoformat("2026-11-20T10:00"), rule, "Europe/Warsaw", AT)


@pytest.mark.parametrize(
    "rule", ["FREQ=WEEKLY", "FREQ=MONTHLY;INTERVAL=12", "FREQ=WEEKLY;COUNT=3;UNTIL=20261204"]
)
def test_a_rule_is_ended_in_one_way(rule):
    with pytest.raises(RuleRefused, match="End the rule"):
        starts(datetime.fromisoformat("2026-11-20T10:00"), rule, "Europe/Warsaw", AT)


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        ("2026-08-31T23:59", None),
        ("2028-10-02T00:00", None),
        ("2099-12-31T23:59", None),
        ("2000-01-01T00:00Z", None),
        ("2026-10-02T10:00", "FREQ=MONTHLY;COUNT=26"),
        ("2026-10-02T10:00", "FREQ=MONTHLY;UNTIL=20281002"),
        ("2026-10-02T10:00", "FREQ=MONTHLY;INTERVAL=24;UNTIL=20991231"),
        ("2026-10-02T10:00", "FREQ=MONTHLY;BYDAY=1FR;BYMONTHDAY=2;COUNT=9"),
        ("2027-02-28T10:00", "FREQ=MONTHLY;INTERVAL=12;BYDAY=4SU;BYMONTHDAY=28;COUNT=2"),
        ("2099-10-02T10:00", "FREQ=WEEKLY;COUNT=2"),
        ("2000-10-02T10:00", "FREQ=WEEKLY;COUNT=2"),
    ],
)
def test_what_is_long_ago_or_more_than_two_years_away_is_refused(start, rule):
    with pytest.raises(OutOfReach):
        starts(datetime.fromisoformat(start), rule, "UTC", AT)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=99,98,97,96,95,94,93,92,91,90;COUNT=2",
        "FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=5MO;COUNT=2",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31;UNTIL=20270101",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=20;BYDAY=3FR;COUNT=104",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO;COUNT=2",
        "FREQ=DAILY;INTERVAL=999;COUNT=104",
        "FREQ=WEEKLY;INTERVAL=999;COUNT=104",
        "FREQ=DAILY;COUNT=999999",
    ],
)
def test_no_rule_is_followed_beyond_two_years(rule):
    calls = 0

    def count(*_):
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        with pytest.raises((RuleRefused, OutOfReach)):
            starts(datetime.fromisoformat("2026-11-20T10:00"), rule, "UTC", AT)
    finally:
        sys.setprofile(None)

    # To the year 9999 it is hundreds of thousands.
    assert calls < 20_000


@given(
    start=st.dates(AT.date() + timedelta(days=1), AT.date() + timedelta(days=200)),
    days=st.sampled_from(
        ["", ";BYMONTHDAY=-1", ";BYMONTHDAY=13;BYDAY=FR", ";BYMONTHDAY=1,15,31", ";BYDAY=2TU,-1FR"]
        + [f";BYDAY=MO,WE,FR;BYSETPOS={position}" for position in ("1", "-1", "2,-2", "13")]
    ),
    interval=st.integers(1, 5),
    count=st.integers(1, 12),
)
def test_months_are_those_of_dateutil_as_far_as_two_years(start, days, interval, count):
    at, end = datetime.combine(start, AT.time()), AT + AHEAD
    every = rrulestr(f"FREQ=MONTHLY;INTERVAL={interval}{days}", dtstart=at)
    expected = list(takewhile(lambda one: one.replace(tzinfo=UTC) <= end, islice(every, count)))

    try:
        found = starts(at, f"FREQ=MONTHLY;INTERVAL={interval}{days};COUNT={count}", "UTC", AT)
    except RuleRefused:
        assert expected[:1] != [at]
    except OutOfReach:
        assert len(expected) < count
    else:
        assert [datetime.fromisoformat(one) for one in found] == expected
        assert len(found) == count


ZONES = [
    "Europe/Warsaw",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Africa/Casablanca",
    "Pacific/Auckland",
    "America/Santiago",
    "UTC",
]


@given(
    zone=st.sampled_from(ZONES),
    start=st.datetimes(datetime.fromisoformat("2026-10-02"), datetime.fromisoformat("2027-05-01")).map(
        lambda at: at.replace(second=0, microsecond=0)
    ),
    freq=st.sampled_from(["DAILY", "WEEKLY"]),
    count=st.integers(1, 70),
)
def test_each_begins_when_the_wall_clock_says_so_in_order_and_as_many_as_asked(zone, start, freq, count):
    found = starts(start, f"FREQ={freq};COUNT={count}", zone, AT)

    there = ZoneInfo(zone)
    step = timedelta(days=1 if freq == "DAILY" else 7)
    assert list(found) == [(start + step * number).isoformat() for number in range(count)]
    instants = list(found.values())
    assert all(earlier < later for earlier, later in pairwise(instants))
    for wall, at in found.items():
        shown, asked = at.astimezone(there).replace(tzinfo=None, fold=0), datetime.fromisoformat(wall)
        skipped = asked.replace(tzinfo=there).astimezone(UTC).astimezone(there).replace(tzinfo=None) != asked
        assert shown > asked if skipped else shown == asked
        # The first of two: half an hour or an hour earlier the clock showed another time.
        assert not any(
            (at - timedelta(minutes=gap)).astimezone(there).replace(tzinfo=None) == asked for gap in (30, 60)
        )


@given(
    rule=st.text(st.sampled_from("FREQ=DAILYWKMONTHCU;BSP+-0123456789,TZ "), max_size=60)
    | st.builds(
        "FREQ={};INTERVAL={};{};COUNT={}".format,
        st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]),
        st.integers(0, 30),
        st.sampled_from(["BYDAY=MO,FR", "BYDAY=-1FR", "BYMONTHDAY=31", "BYMONTHDAY=1,15;BYSETPOS=-1"]),
        st.integers(0, 120),
    )
)
def test_whatever_a_rule_says_it_is_refused_or_gives_few_dates_in_reach(rule):
    start = datetime.fromisoformat("2026-11-20T10:00")

    try:
        found = list(starts(start, rule, "Europe/Warsaw", AT).values())
    except (RuleRefused, OutOfReach):
        return

    assert found[0] == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert 1 <= len(found) <= MOST
    assert found[-1] <= AT + AHEAD
