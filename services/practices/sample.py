"""A small practice to try things with: the same ids and secrets however often it is loaded."""

import hmac
from base64 import urlsafe_b64encode
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
    practice = _practice(database)
    staff = {name: _member(database, settings, practice, name) for name in STAFF}
    clients = [_client(database, settings, practice, staff[CLINICIAN], name) for name in CLIENTS]
    for client in clients:
        _episode(database, client, staff[CLINICIAN])
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


def _practice(database: Any) -> Practice:
    return Practices(database).add(
        Practice.open(
            id=PRACTICE,
            name="Harbour Practice",
            timezone=TIMEZONE,
            locale="en",
            languages=["en"],
            crisis_texts={"en": CRISIS_TEXT},
        )
    )[0]


def _member(database: Any, settings: Settings, practice: Practice, name: str) -> Member:
    about = _about(settings, name)
    member = Member.join(practice_id=practice.id, roles=STAFF[name], **about)
    sealed = SecondFactors(database, settings).sealed(_secret(settings, member.id))
    member.second_factor = SecondFactor(sealed_secret=sealed, enrolled_at=now(), recovery_codes=[])
    return Members(database).add(reached(settings, member))[0]


def _secret(settings: Settings, member_id: str) -> bytes:
    """Of the authenticator, as long as one is (RFC 4226)."""
    return hmac.digest(settings.key("sample"), member_id.encode(), "sha1")


def _client(database: Any, settings: Settings, practice: Practice, by: Member, name: str) -> Client:
    client = Client.enrol(practice, adult=True, at=now(), enrolled_by=by.id, **_about(settings, name))
    client.invite(practice, now())
    client.accept(now())
    return Clients(database).add(reached(settings, client))[0]


def _episode(database: Any, client: Client, clinician: Member) -> Episode:
    id = derived_from("sample", "episode", client.id)
    return Episodes(database).add(
        Episode.start(id=id, client=client, clinician=clinician, by=clinician, at=now())
    )[0]


def _about(settings: Settings, name: str) -> dict[str, str]:
    email = f"{name.split()[0].lower()}@example.org"
    return {
        "id": derived_from("sample", name),
        "display_name": name,
        "email": email,
        "address": look_up(email, settings.key("email")),
        "language": "en",
        "timezone": TIMEZONE,
    }


def _shown(person: Member | Client, *roles: str) -> dict[str, str]:
    return {"name": person.display_name, "email": person.email, "role": ", ".join(roles), "id": person.id}
