"""When sessions begin: by the practice's clock, once or by a rule (RFC 5545, 3.3.10).

Rules kept here:

- each begins at the same time of the wall clock, whatever the offset of that day;
- a time that the clock skips is read with the offset before the gap, so it moves forward by the gap; of one
  that comes twice the first is meant (RFC 5545, 3.3.5). A start with an offset of its own is that instant;
- a rule ends, has at most `MOST` dates, and the start is the first of them (RFC 5545 leaves it undefined
  where it is not);
- what is found is kept in UTC: a practice that changes its zone later moves nothing that was scheduled.

What rules may say is less than RFC 5545 has: days and weeks need no other filter than BYDAY. No rule is
followed beyond the two years, not even one that no date can keep: dateutil would follow it to the year 9999.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import MONTHLY, rrule, rrulestr

MOST = 104
LATE = timedelta(days=30)
"""What took place is written down at most so much later."""
AHEAD = timedelta(days=731)


class RuleRefused(Exception):
    """The recurrence rule cannot be used."""


class OutOfReach(Exception):
    """Sessions begin between 30 days ago and two years from now."""


_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = f"({'|'.join(_DAYS)})"
_ONCE = 12 * 9999
"""Months: so many later there is no other, so that a rule is kept in one month."""
_VALUES = {
    "FREQ": "DAILY|WEEKLY|MONTHLY",
    "INTERVAL": "[1-9][0-9]{0,2}",
    "COUNT": "[1-9][0-9]{0,5}",
    "UNTIL": "20[0-9]{6}(T[0-9]{6}Z)?",
    "WKST": _DAY,
    "BYDAY": rf"([+-]?[1-5])?{_DAY}(,([+-]?[1-5])?{_DAY}){{0,34}}",
    "BYMONTHDAY": "[+-]?(0?[1-9]|[12][0-9]|3[01])(,[+-]?(0?[1-9]|[12][0-9]|3[01])){0,30}",
    "BYSETPOS": "[+-]?[1-9][0-9]?(,[+-]?[1-9][0-9]?){0,9}",
}


def starts(start: datetime, rule: str | None, timezone: str, at: datetime) -> dict[str, datetime]:
    """Each start in UTC, in order, by the wall clock's time in ISO 8601.

    A `start` without offset is the practice's local time. Raises `RuleRefused`, and `OutOfReach` by `at`.
    """
    zone = ZoneInfo(timezone)
    first = _utc(start, zone) if start.tzinfo is None else start.astimezone(UTC)
    wall = start if start.tzinfo is None else start.astimezone(zone).replace(tzinfo=None, fold=0)
    if not at - LATE <= first <= at + AHEAD:
        raise _out_of_reach()
    walls = [wall] if rule is None else _dates(rule, wall, zone, at + AHEAD)
    return {one.isoformat(): first if one == wall else _utc(one, zone) for one in walls}


def _out_of_reach() -> OutOfReach:
    return OutOfReach("Begin at most 30 days ago, and let the last one be within two years from now.")


def _utc(wall: datetime, zone: ZoneInfo) -> datetime:
    # With fold 0 zoneinfo takes the offset before a change, for a gap as for an hour that comes twice.
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _dates(rule: str, wall: datetime, zone: ZoneInfo, horizon: datetime) -> list[datetime]:
    parts = _parts(rule)
    count, until = int(parts.pop("COUNT", 0)), parts.pop("UNTIL", None)
    ends = _instant(until, zone) if until else horizon
    walls = _walk(parts, wall, horizon.astimezone(zone).replace(tzinfo=None))
    within = takewhile(lambda one: _utc(one, zone) <= min(ends, horizon), walls)
    found = list(islice(within, count or MOST + 1))
    if max(len(found), count) > MOST:
        raise RuleRefused(f"The rule gives more than {MOST} dates; end it sooner by COUNT or UNTIL.")
    if not found or found[0] != wall:
        raise RuleRefused("The start is not the first of the rule's dates; begin on one of them.")
    if len(found) < count or ends > horizon:
        raise _out_of_reach()
    return found


def _parts(rule: str) -> dict[str, str]:
    pairs = [part.partition("=")[::2] for part in rule.upper().split(";")]
    parts = dict(pairs)
    if len(parts) < len(pairs) or not parts.keys() <= _VALUES.keys():
        raise RuleRefused(
            f"Write the rule as NAME=VALUE;NAME=VALUE, each name once, of {', '.join(_VALUES)}."
        )
    wrong = [name for name, value in parts.items() if not re.fullmatch(_VALUES[name], value, re.ASCII)]
    if wrong or "FREQ" not in parts:
        raise RuleRefused(
            f"Correct {', '.join(wrong) or 'FREQ'} (RFC 5545, 3.3.10); FREQ is DAILY, WEEKLY or MONTHLY."
        )
    if ("COUNT" in parts) == ("UNTIL" in parts):
        raise RuleRefused("End the rule by COUNT or by UNTIL, and not by both.")
    _require_fit(parts)
    return parts


def _require_fit(parts: Mapping[str, str]) -> None:
    monthly = parts.keys() & {"BYMONTHDAY", "BYSETPOS"} or re.search("[0-9]", parts.get("BYDAY", ""))
    if monthly and parts["FREQ"] != "MONTHLY":
        raise RuleRefused("Use BYMONTHDAY, BYSETPOS and numbers in BYDAY with FREQ=MONTHLY only.")
    if "BYSETPOS" in parts and not parts.keys() & {"BYDAY", "BYMONTHDAY"}:
        raise RuleRefused("Use BYSETPOS together with BYDAY or BYMONTHDAY.")


def _instant(until: str, zone: ZoneInfo) -> datetime:
    """UNTIL is an instant in UTC, or as many write it, a whole day of the practice."""
    try:
        last = datetime.strptime(until, "%Y%m%dT%H%M%S%z" if "T" in until else "%Y%m%d")  # noqa: DTZ007
    except ValueError:
        raise RuleRefused("Give UNTIL as a day, 20261231, or as a time in UTC, 20261231T170000Z.") from None
    return last if last.tzinfo else _utc(datetime.combine(last, time.max), zone)


def _walk(parts: dict[str, str], wall: datetime, last: datetime) -> Iterator[datetime]:
    """The dates from the start on, as far as this; none where the start is on no day of theirs."""
    if parts["FREQ"] == "MONTHLY":
        return _months(parts, wall, last)
    # Every seventh day is never a Monday, unless the first is one.
    days = parts.get("BYDAY")
    fits = days is None or _DAYS[wall.weekday()] in days.split(",")
    return iter(_rule(parts, wall).replace(until=last) if fits else ())


def _months(parts: dict[str, str], wall: datetime, last: datetime) -> Iterator[datetime]:
    """Month by month, since any of them may have none."""
    if not parts.keys() & {"BYDAY", "BYMONTHDAY"}:
        parts["BYMONTHDAY"] = str(wall.day)
    rule = _rule(parts, wall)
    for month in rrule(MONTHLY, wall.replace(day=1), int(parts.get("INTERVAL", 1)), until=last):
        yield from (one for one in rule.replace(dtstart=month, interval=_ONCE) if one >= wall)


def _rule(parts: Mapping[str, str], wall: datetime) -> rrule:
    return rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=wall)
