"""People of the domain's own tests: nothing is stored."""

from datetime import UTC, date, datetime

from services.practices.domain.apps import App
from services.practices.domain.clients import Client
from services.practices.domain.members import Member, Role
from services.practices.domain.practices import Practice

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 9, tzinfo=UTC)
TODAY = date(2026, 3, 2)


def practice(**about):
    given = {
        "name": "Harbour",
        "timezone": "Europe/Lisbon",
        "locale": "pt",
        "languages": ["pt", "en"],
        "crisis_texts": {"pt": "Ligue 112.", "en": "Call 112."},
    }
    return Practice.open(id="p1", **(given | about))


def member(id="m1", *roles):
    return Member.join(
        id=id,
        practice_id="p1",
        display_name="Clara",
        email="clara@example.org",
        address=id,
        roles=set(roles or (Role.CLINICIAN,)),
        language="en",
        timezone="Europe/Lisbon",
    )


def client(at=None, **about):
    given = {
        "id": "c1",
        "display_name": "Maya",
        "email": "maya@example.org",
        "address": "b",
        "language": "en",
        "timezone": "Europe/Lisbon",
        "enrolled_by": "m1",
        "adult": True,
        "at": AT,
    }
    return Client.enrol(at or practice(), **(given | about))


def app(id="app1"):
    return App.register(id=id, practice_id="platform", name="Demo EHR", secret="s3cret")


def said(aggregate):
    """The types of what it says, in order."""
    return [event.type for event in aggregate.events]


def last(aggregate):
    return aggregate.events[-1]
