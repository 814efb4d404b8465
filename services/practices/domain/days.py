"""Calendar days, as the practice's time zone has them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class NotAhead(Exception):
    """A date to come lies after today."""


def begins(day: date, timezone: str) -> datetime:
    """Its first moment; where a clock change leaves out midnight, the first that there is."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def ends(day: date, timezone: str) -> datetime:
    return begins(day + timedelta(days=1), timezone)


def today(at: datetime, timezone: str) -> date:
    return at.astimezone(ZoneInfo(timezone)).date()


def require_ahead(day: date, at: datetime, timezone: str) -> None:
    if day <= today(at, timezone):
        raise NotAhead(f"{day} is not ahead any more; name a day after today.")
