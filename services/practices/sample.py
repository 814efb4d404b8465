"""A small practice to try things with: the same ids and secrets however often it is loaded."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from services.practices.contacts import reached
from services.practices.domain.addresses import look_up
from services.practices.domain.apps import App
from services.practices.domain.clients import Client
from services.practices.domain.episodes import Episode
from services.practices.domain.members import Member, Role
from services.practices.domain.practices import Practice
from services.practices.domain.second_factors import SecondFactor
from services.practices.sign_in import totp
from services.practices.sign_in.second_factors import SecondFactors
from services.practices.store.apps import Apps
from services.practices.store.episodes import Episodes
from services.practices.store.people import Clients, Members, Practices
from shared.clock import now
from shared.ids import PLATFORM, derived_from
from shared.settings import Settings, SettingsRefused

PRACTICE = derived_from("sample", "practice")
APP = derived_from("sample", "app")
STAFF = {
    "Olivia Ortiz": {Role.OWNER},
    "Clara Costa": {Role.CLINICIAN},
    "Daniel Dube": {Role.CLINICIAN},
}
CLIENTS = ("Maya Moreno", "Noah Novak")
CLINICIAN = "Clara Costa"
TIMEZONE = "Europe/Lisbon"
CRISIS_TEXT = "In danger? Call 112. To talk to somebody now, day or night, call 1411."


def load(database: Any, settings: Settings) -> dict[str, Any]:
    """Add what is not there yet; gives who there is and how staff and the app sign in."""
    practice = _kept(Practices(database), PRACTICE, _practice)
    staff = {name: _member(database, settings, name) for name in STAFF}
    clients = [_client(database, settings, practice, staff[CLINICIAN], name) for name in CLIENTS]
    for client in clients:
        _start(database, client, staff[CLINICIAN])
    secret = urlsafe_b64encode(settings.key("sample")).decode().rstrip("=")
    app, _ = Apps(database).add(
        App.register(
            id=APP,
            practice_id=PLATFORM,
            name="Demo EHR",
            secret=secret,
            description="Keeps the practice's diary.",
            contact_email="demo@example.org",
        )
    )
    return {
        "practice_id": practice.id,
        "people": [
            *(
                {
                    **_shown(member, *sorted(member.roles)),
                    "totp_secret": totp.base32(_secret(settings, member.id)),
                }
                for member in staff.values()
            ),
            *(_shown(client, "client") for client in clients),
        ],
        "app": {"id": app.id, "name": app.name, "client_secret": secret},
    }


def require_none_in_production(database: Any, settings: Settings) -> None:
    """Known by their ids, whatever became of their names: anybody can read the sample's addresses here."""
    if settings.development:
        return
    if Practices(database).find(PRACTICE, PRACTICE) or Apps(database).find(PLATFORM, APP):
        raise SettingsRefused(
            f"The database {settings.database_name} holds the sample practice, which production refuses: "
            "name databases of its own by TANDEM_DATABASE_PREFIX, or set TANDEM_ENVIRONMENT to development."
        )


def _kept(store: Any, id: str, make: Callable[[str], Any]) -> Any:
    """What is there, whatever somebody made of it in trying things; a new one if nothing is."""
    return store.find(PRACTICE, id) or store.add(make(id))[0]


def _practice(id: str) -> Practice:
    return Practice.open(
        id=id,
        name="Harbour Practice",
        timezone=TIMEZONE,
        locale="en",
        languages=["en"],
        crisis_texts={"en": CRISIS_TEXT},
    )


def _member(database: Any, settings: Settings, name: str) -> Member:
    def join(id: str) -> Member:
        about = _about(settings, name)
        member = Member.join(id=id, practice_id=PRACTICE, roles=STAFF[name], **about)
        sealed = SecondFactors(database, settings).sealed(_secret(settings, id))
        member.second_factor = SecondFactor(sealed_secret=sealed, enrolled_at=now(), recovery_codes=[])
        return reached(settings, member)

    return _kept(Members(database), derived_from("sample", name), join)


def _secret(settings: Settings, member_id: str) -> bytes:
    """Of the authenticator, as long as one is (RFC 4226)."""
    return hmac.digest(settings.key("sample"), member_id.encode(), "sha1")


def _client(database: Any, settings: Settings, practice: Practice, by: Member, name: str) -> Client:
    def enrol(id: str) -> Client:
        about = _about(settings, name)
        client = Client.enrol(practice, id=id, adult=True, at=now(), enrolled_by=by.id, **about)
        client.invite(practice, now())
        client.accept(now())
        return reached(settings, client)

    return _kept(Clients(database), derived_from("sample", name), enrol)


def _start(database: Any, client: Client, clinician: Member) -> None:
    def start(id: str) -> Episode:
        return Episode.start(id=id, client=client, clinician=clinician, by=clinician, at=now())

    _kept(Episodes(database), derived_from("sample", "episode", client.id), start)


def _about(settings: Settings, name: str) -> dict[str, str]:
    email = f"{name.split()[0].lower()}@example.org"
    return {
        "display_name": name,
        "email": email,
        "address": look_up(email, settings.key("email")),
        "language": "en",
        "timezone": TIMEZONE,
    }


def _shown(person: Member | Client, *roles: str) -> dict[str, str]:
    return {"name": person.display_name, "email": person.email, "role": ", ".join(roles), "id": person.id}
