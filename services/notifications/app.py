"""The parts of notifications."""

from services.notifications.api import api
from services.notifications.handlers import subscriber
from services.notifications.store import COLLECTIONS
from shared.security import access
from shared.service import Service

service = Service(
    name="notifications",
    title="Notifications: what people are told.",
    collections=COLLECTIONS,
    apis=(api,),
    subscriber=subscriber,
    standings=access.standings,
)
