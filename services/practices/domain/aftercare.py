"""Aftercare: some days on which the clinician looks in on a client after the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from services.practices.domain.days import begins, ends, require_ahead, today

USUAL = tuple(timedelta(weeks=weeks) for weeks in (2, 4, 8, 12))


class CheckInsUnclear(Exception):
    """Check-ins lie within the aftercare, each on a day of its own, in order."""


@dataclass
class Aftercare:
    """Until which day, with which check-ins; `said` counts those whose day has come."""

    ends_on: date
    check_ins: list[date]
    said: int = 0

    @classmethod
    def arrange(
        cls, ends_on: date, check_ins: Sequence[date] | None, at: datetime, timezone: str
    ) -> "Aftercare":
        """`check_ins` None: after 2, 4, 8 and 12 weeks, as far as these lie within it."""
        require_ahead(ends_on, at, timezone)
        if check_ins is None:
            usual = [today(at, timezone) + after for after in USUAL]
            return cls(ends_on, [day for day in usual if day <= ends_on])
        for day in check_ins:
            require_ahead(day, at, timezone)
        if any(earlier >= later for earlier, later in pairwise([*check_ins, ends_on + timedelta(days=1)])):
            raise CheckInsUnclear(f"Name days up to {ends_on}, each once, the earliest first.")
        return cls(ends_on, list(check_ins))

    def due(self, at: datetime, timezone: str) -> list[date]:
        """The days that have come and were not said yet."""
        return [day for day in self.check_ins[self.said :] if begins(day, timezone) <= at]

    def is_over(self, at: datetime, timezone: str) -> bool:
        return ends(self.ends_on, timezone) <= at

    def next_at(self, timezone: str) -> datetime:
        left = self.check_ins[self.said :]
        return begins(left[0], timezone) if left else ends(self.ends_on, timezone)
