"""Makes anew, of everybody, what was made with a key that an operator changed.

People are found by a keyed hash of their address, and members pass a second factor that is encrypted, both
with keys of TANDEM_SECRET_KEY; how to reach them is encrypted to TANDEM_CONTACT_PUBLIC_KEY.
"""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from services.practices.contacts import reached
from services.practices.domain.addresses import look_up
from services.practices.domain.clients import Client
from services.practices.domain.members import Member
from services.practices.domain.people import Person
from services.practices.sign_in.second_factors import SecondFactors
from services.practices.store.people import Clients, Members
from services.practices.tokens import require_opened
from shared.settings import Settings, SettingsRefused
from shared.store.client import StoreUnavailable

RENEWED, AS_IT_WAS, LEFT = "renewed", "as_it_was", "left"
Renewal = Callable[[Person], bool]
"""Changes a person; whether anything had to be."""

log = logging.getLogger(__name__)


def renew_look_ups(database: Any, settings: Settings) -> Counter[str]:
    """What people are found by; and who has a second factor that nobody can open enrols another."""
    # A key that is merely mistyped does not open the signing keys either: then nothing is touched.
    require_opened(database, settings)
    key, external = settings.key("email"), settings.key("external_id")
    factors = SecondFactors(database, settings)

    def renew(person: Person) -> bool:
        before = person.address
        person.address = look_up(person.email, key)
        if isinstance(person, Client):
            person.look_up_anew(external)
        elif isinstance(person, Member) and factors.is_lost(person):
            person.second_factor = None
            return True
        return person.address != before

    return _everybody(database, renew)


def renew_contacts(database: Any, settings: Settings) -> Counter[str]:
    """How to reach people, for notifications with another key."""
    return _everybody(database, lambda person: bool(reached(settings, person)))


def _everybody(database: Any, renew: Renewal) -> Counter[str]:
    """How many became what."""
    stores = (Members(database), Clients(database))
    return Counter(_become(store, *key, renew) for store in stores for key in store.all_keys())


def _become(store: Any, practice_id: str, id: str, renew: Renewal) -> str:
    became = AS_IT_WAS

    def change(person: Person) -> None:
        nonlocal became
        # Who was removed has no address, and is neither found nor reached.
        became = RENEWED if person.email and renew(person) else AS_IT_WAS

    try:
        store.change(practice_id, id, change)
    except (StoreUnavailable, SettingsRefused):
        raise
    except Exception as error:  # noqa: BLE001 - one record that cannot be read holds up no other
        about = {"practice_id": practice_id, "id": id, "error": type(error).__name__}
        log.error("Person not renewed", extra=about)
        return LEFT
    return became
