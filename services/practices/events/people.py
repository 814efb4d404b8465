"""What practices says of how to reach somebody, member or client."""

from dataclasses import dataclass
from typing import ClassVar

from shared.messaging.audience import INTERNAL


@dataclass(frozen=True)
class PersonContactSet:
    """How to reach somebody, encrypted to notifications (a JWE): nobody else reads it. None: not any more."""

    type: ClassVar = "person.contact_set"
    audience: ClassVar = INTERNAL
    person_id: str
    contact: str | None


@dataclass(frozen=True)
class PersonSnapshot(PersonContactSet):
    """How to reach somebody, as it is."""

    type: ClassVar = "person.snapshot"
    audience: ClassVar = INTERNAL


EVENTS = (
    PersonContactSet,
    PersonSnapshot,
)
