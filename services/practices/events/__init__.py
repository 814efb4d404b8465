"""What practices says: one file for each kind of aggregate."""

from services.practices.events import apps, clients, episodes, members, practices

EVENTS = (*practices.EVENTS, *members.EVENTS, *clients.EVENTS, *episodes.EVENTS, *apps.EVENTS)
