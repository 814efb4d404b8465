"""Short ways to ask what became of a person and of their sign-ins."""

from services.practices.domain.clients import Client
from services.practices.sign_in import NothingToExchange, SignIn
from services.practices.store.people import Clients, Members
from services.practices.tokens import key_set
from shared.clock import now
from shared.security.tokens import Keys, Verifier


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens.access_token}"}


def again(world, person):
    store = Clients(world.database) if isinstance(person, Client) else Members(world.database)
    return store.get(person.practice_id, person.id)


def told(world, collection):
    return [event["type"] for found in world.database[collection].find() for event in found.get("outbox", [])]


def id_of(world, tokens):
    keys = Keys(lambda: key_set(world.database))
    verifier = Verifier(keys, world.settings.issuer, world.settings.audience)
    return verifier.verify(tokens.access_token).sign_in_id


def refreshes(world, tokens, at=None):
    try:
        return SignIn(world.database, world.settings).by_refresh_token(tokens.refresh_token, at or now())
    except NothingToExchange:
        return None
