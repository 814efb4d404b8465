"""The parts of partners."""

from services.partners.api import api, standings
from services.partners.handlers import subscriber
from services.partners.sender.process import run
from services.partners.store import COLLECTIONS
from shared.service import Service

service = Service(
    name="partners",
    title="Partners: apps register endpoints and are told of public events by signed webhooks.",
    collections=COLLECTIONS,
    apis=(api,),
    subscriber=subscriber,
    standings=standings,
    parts={"sender": run},
)
