"""The time, in the one form Tandem uses: aware UTC, whole milliseconds, as MongoDB keeps it."""

from datetime import UTC, datetime


def now() -> datetime:
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
