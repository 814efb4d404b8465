"""The parts of practices."""

from services.practices.access import crisis_text, standings
from services.practices.api import APIS
from services.practices.calling_off import calling_off
from services.practices.commands import COMMANDS
from services.practices.dates import keeping_time
from services.practices.events import EVENTS
from services.practices.handlers import subscriber
from services.practices.mailer import send_letters
from services.practices.removals import handing_over
from services.practices.sample import require_none_in_production
from services.practices.store import COLLECTIONS
from services.practices.store.apps import Apps, Grants
from services.practices.store.covers import Covers
from services.practices.store.episodes import Episodes
from services.practices.store.looks import Looks
from services.practices.store.people import Clients, Members, Practices
from services.practices.store.sessions import AllSeries
from services.practices.tokens import keeping_fresh, key_set, make_first
from shared.service import Service

service = Service(
    name="practices",
    title="Practices: people, care, and who may come in.",
    events=EVENTS,
    collections=COLLECTIONS,
    apis=APIS,
    subscriber=subscriber,
    standings=standings,
    crisis_text=crisis_text,
    timers=(send_letters, keeping_fresh, handing_over, keeping_time, calling_off),
    commands=COMMANDS,
    preparations=(make_first,),
    requirements=(require_none_in_production,),
    keys=key_set,
    republished=(Practices, Members, Covers, Clients, Looks, Episodes, AllSeries, Apps, Grants),
)
