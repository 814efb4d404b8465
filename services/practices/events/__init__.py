"""What practices says: one file for each kind of aggregate."""

from services.practices.events import apps, clients, covers, episodes, members, practices

EVENTS = (
    *practices.EVENTS,
    *members.EVENTS,
    *covers.EVENTS,
    *clients.EVENTS,
    *episodes.EVENTS,
    *apps.EVENTS,
)
