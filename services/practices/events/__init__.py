"""What practices says: one file for each kind of aggregate."""

from services.practices.events import apps, clients, covers, episodes, looks, members, practices, sessions

EVENTS = (
    *practices.EVENTS,
    *members.EVENTS,
    *covers.EVENTS,
    *clients.EVENTS,
    *looks.EVENTS,
    *episodes.EVENTS,
    *sessions.EVENTS,
    *apps.EVENTS,
)
