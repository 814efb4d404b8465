"""What practices says: one file for each kind of aggregate."""

from services.practices.events import apps, clients, episodes, members, practices, readiness, wishes

EVENTS = (
    *practices.EVENTS,
    *members.EVENTS,
    *clients.EVENTS,
    *episodes.EVENTS,
    *wishes.EVENTS,
    *readiness.EVENTS,
    *apps.EVENTS,
)
