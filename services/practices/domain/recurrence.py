"""When sessions begin: by the practice's clock, once or by a rule (RFC 5545, 3.3.10).

Rules kept here:

- each begins at the same time of the wall clock, whatever the offset of that day;
- a time that the clock skips is read with the offset before the gap, so it moves forward by the gap; of one
  that comes twice the first is meant (RFC 5545, 3.3.5). A start with an offset of its own is that instant;
- a rule ends, has at most `MOST` dates, and the start is the first of them (RFC 5545 leaves it undefined
  where it is not);
- what is found is kept in UTC: a practice that changes its zone later moves nothing that was scheduled.

What rules may say is less than RFC 5545 has: days and weeks need no other filter than BYDAY, and without
some others a rule that no date can keep, which dateutil would follow to the year 9999, is followed soon.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

MOST = 104
LATE = timedelta(days=30)
"""What took place is written down at most so much later."""
AHEAD = timedelta(days=731)


class RuleRefused(Exception):
    """The recurrence rule cannot be used."""


class OutOfReach(Exception):
    """Sessions begin between 30 days ago and two years from now."""


_DAY = "(MO|TU|WE|TH|FR|SA|SU)"
_VALUES = {
    "FREQ": "DAILY|WEEKLY|MONTHLY",
    "INTERVAL": "[1-9][0-9]{0,2}",
    "COUNT": "[1-9][0-9]{0,5}",
    "UNTIL": "[0-9]{8}(T[0-9]{6}Z)?",
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
    walls = [wall] if rule is None else _dates(rule, wall, zone)
    found = {one.isoformat(): first if one == wall else _utc(one, zone) for one in walls}
    if not all(at - LATE <= one <= at + AHEAD for one in found.values()):
        raise OutOfReach("Begin at most 30 days ago, and let the last one be within two years from now.")
    return found


def _utc(wall: datetime, zone: ZoneInfo) -> datetime:
    # With fold 0 zoneinfo takes the offset before a change, for a gap as for an hour that comes twice.
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _dates(rule: str, wall: datetime, zone: ZoneInfo) -> list[datetime]:
    parts = _parts(rule)
    until = parts.pop("UNTIL", None)
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    endless = rrulestr(text, dtstart=wall)
    found = list(islice(_before(until, endless, zone), MOST + 1))
    if len(found) > MOST:
        raise RuleRefused(f"The rule gives more than {MOST} dates; end it sooner by COUNT or UNTIL.")
    if not found or found[0] != wall:
        raise RuleRefused("The start is not the first of the rule's dates; begin on one of them.")
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


def _before(until: str | None, walls: Iterable[datetime], zone: ZoneInfo) -> Iterator[datetime]:
    """Those up to UNTIL, which is an instant in UTC, or as many write it, a whole day of the practice."""
    if until is None:
        return iter(walls)
    try:
        last = datetime.strptime(until, "%Y%m%dT%H%M%S%z" if "T" in until else "%Y%m%d")  # noqa: DTZ007
    except ValueError:
        raise RuleRefused("Give UNTIL as a day, 20261231, or as a time in UTC, 20261231T170000Z.") from None
    if last.tzinfo is None:
        return takewhile(lambda wall: wall.date() <= last.date(), walls)
    return takewhile(lambda wall: _utc(wall, zone) <= last, walls)
