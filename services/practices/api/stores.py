"""What requests load, change and save."""

from typing import Any

from services.practices.domain.addresses import look_up
from services.practices.domain.members import Member
from services.practices.domain.practices import Practice
from services.practices.store.apps import Apps, Grants
from services.practices.store.covers import Covers
from services.practices.store.episodes import Episodes, Ratings, Wishes
from services.practices.store.looks import Looks
from services.practices.store.people import Clients, Members, Practices
from services.practices.store.sessions import AllSeries, Sessions
from services.practices.store.sign_in import SignIns
from shared.web.context import caller, database, settings


def practices() -> Practices:
    return Practices(database())


def members() -> Members:
    return Members(database())


def covers() -> Covers:
    return Covers(database())


def clients() -> Clients:
    return Clients(database())


def episodes() -> Episodes:
    return Episodes(database())


def all_series() -> AllSeries:
    return AllSeries(database())


def sessions() -> Sessions:
    return Sessions(database())


def looks() -> Looks:
    return Looks(database())


def wishes() -> Wishes:
    return Wishes(database())


def ratings() -> Ratings:
    return Ratings(database())


def apps() -> Apps:
    return Apps(database())


def grants() -> Grants:
    return Grants(database())


def people() -> Any:
    """The store of those of the caller's kind."""
    return members() if caller().kind == "member" else clients()


def sign_ins() -> SignIns:
    return SignIns(database())


def own_practice() -> Practice:
    return practices().get(caller().practice_id, caller().practice_id)


def myself() -> Member:
    return members().get(caller().practice_id, caller().id)


def address_of(email: str) -> str:
    return look_up(email, settings().key("email"))


def external_key() -> bytes:
    """By which what apps call clients is found."""
    return settings().key("external_id")
