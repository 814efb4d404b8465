"""What practices says: one file for each kind of aggregate."""

from services.practices.events import (
    apps,
    clients,
    covers,
    episodes,
    looks,
    members,
    people,
    practices,
    readiness,
    sessions,
    wishes,
)

EVENTS = (
    *practices.EVENTS,
    *members.EVENTS,
    *people.EVENTS,
    *covers.EVENTS,
    *clients.EVENTS,
    *looks.EVENTS,
    *episodes.EVENTS,
    *wishes.EVENTS,
    *readiness.EVENTS,
    *sessions.EVENTS,
    *apps.EVENTS,
)
