"""A prepared database of practices with one practice in it, and an application before it."""

import base64
import dataclasses
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo import MongoClient
from pymongo.monitoring import CommandListener

from services.practices.domain.addresses import look_up
from services.practices.domain.apps import App, Grant
from services.practices.domain.clients import Client
from services.practices.domain.episodes import Episode
from services.practices.domain.members import Member, Role
from services.practices.domain.practices import Practice
from services.practices.sign_in import SignIn, grant_id
from services.practices.store import COLLECTIONS
from services.practices.store.apps import Apps, Grants
from services.practices.store.episodes import Episodes
from services.practices.store.people import Clients, Members, Practices
from services.practices.store.sign_in import SignIns
from services.practices.tokens import Subject, issue, key_set, make_first
from shared.clock import now
from shared.ids import PLATFORM, new_id
from shared.security.tokens import Keys, Verifier
from shared.settings import Settings
from shared.store.indexes import prepare
from shared.web.application import create_app
from tests.queries.hooks import WATCH

SECRET = "s3cret"


@pytest.fixture
def settings() -> Settings:
    return Settings(
        service="practices",
        mongo_url="mongodb://of-the-fixture",
        amqp_url="amqp://unused",
        issuer="https://practices.test",
        jwks_url="https://practices.test/.well-known/jwks.json",
        secret_key=base64.b64encode(b"k" * 32).decode(),
        environment="development",
        smtp_url="smtp://127.0.0.1:1",
        mail_from="hello@mail.test",
    )


class Commands(CommandListener):
    """What was asked of the database: (command, collection)."""

    def __init__(self) -> None:
        self.names: list[tuple[str, Any]] = []

    def started(self, event: Any) -> None:
        self.names.append((event.command_name, event.command.get(event.command_name)))

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


@dataclass
class World:
    """One practice, and short ways to put people into it."""

    database: Any
    settings: Settings
    practice: Practice

    def another_practice(self) -> "World":
        return dataclasses.replace(self, practice=opened(self.database))

    def member(self, *roles: Role, email: str | None = None) -> Member:
        member = Member.join(practice_id=self.practice.id, roles=set(roles), **self._about(email))
        return Members(self.database).add(member)[0]

    def client(self, email: str | None = None, enrolled_by: str = "somebody") -> Client:
        """Somebody who was invited and has come."""
        client = self._enrolled(email, enrolled_by)
        client.invite(self.practice, now())
        client.accept(now())
        return Clients(self.database).add(client)[0]

    def enrolled(self, email: str | None = None, enrolled_by: str = "somebody") -> Client:
        return Clients(self.database).add(self._enrolled(email, enrolled_by))[0]

    def _enrolled(self, email: str | None, enrolled_by: str) -> Client:
        about = self._about(email)
        return Client.enrol(self.practice, adult=True, at=now(), enrolled_by=enrolled_by, **about)

    def change_practice(self, **given: Any) -> None:
        self.database["practices"].update_one({"_id": self.practice.id}, {"$set": given})

    def told(self, collection: str) -> list[str]:
        """The types of events that wait to be told, aggregate by aggregate."""
        found = self.database[collection].find()
        return [event["type"] for one in found for event in one.get("outbox", [])]

    def episode(self, client: Client, clinician: Member) -> Episode:
        episode = Episode.start(id=new_id(), client=client, clinician=clinician, by=clinician, at=now())
        return Episodes(self.database).add(episode)[0]

    def app(self) -> App:
        app = App.register(id=new_id(), practice_id=PLATFORM, name="Demo EHR", secret=SECRET)
        return Apps(self.database).add(app)[0]

    def grant(self, app: App, *scopes: str) -> Grant:
        grant = Grant.give(
            id=grant_id(self.practice.id, app.id),
            practice_id=self.practice.id,
            app_id=app.id,
            event_types=[],
            scopes=list(scopes),
            given_at=now(),
            givings={new_id(): None},
        )
        return self.grants().add(grant)[0]

    def revoke(self, grant: Grant) -> None:
        grant.revoke(now())
        self.grants().save(grant)

    def code_for(self, email: str) -> str:
        """The code that the last mail to this address would say."""
        sign_in = SignIn(self.database, self.settings)
        waiting = dict(SignIns(self.database).to_send(now()))
        return sign_in.unsealed(waiting[sign_in.address(email)][-1])

    def bearer(self, someone: Member | Client | App) -> dict[str, str]:
        kind = type(someone).__name__.lower()
        subject = Subject(someone.id, kind, someone.practice_id)
        return {"Authorization": f"Bearer {issue(self.database, self.settings, subject, now())}"}

    def in_practice(self, app: App) -> App:
        """The app with a token of this practice."""
        return dataclasses.replace(app, practice_id=self.practice.id)

    def suspend(self, member: Member) -> None:
        by = self.member(Role.OWNER)
        member.suspend(by=by)
        Members(self.database).save(member)

    def grants(self) -> Grants:
        return Grants(self.database)

    def _about(self, email: str | None) -> dict[str, str]:
        id = new_id()
        email = email or f"{id}@example.org"
        return {
            "id": id,
            "display_name": "Somebody",
            "email": email,
            "address": look_up(email, self.settings.key("email")),
            "language": "en",
            "timezone": "Europe/Lisbon",
        }


def opened(database: Any) -> Practice:
    practice = Practice.open(
        id=new_id(),
        name="Harbour",
        timezone="Europe/Lisbon",
        locale="en",
        languages=["en"],
        crisis_texts={"en": "Call 112."},
    )
    return Practices(database).add(practice)[0]


@pytest.fixture(scope="session")
def prepared(mongo_url: str) -> Iterator[Any]:
    """One database for all: each collection and index is a file that mongod holds open."""
    with MongoClient[dict[str, Any]](mongo_url, tz_aware=True, timeoutMS=5000, w="majority") as client:
        name = f"test_{uuid.uuid4().hex[:12]}_practices"
        prepare(client[name], COLLECTIONS)
        yield client[name]
        WATCH.judge(name)
        client.drop_database(name)


@pytest.fixture
def database(prepared: Any) -> Any:
    """The prepared database, empty."""
    for name in prepared.list_collection_names():
        if name != "prepared":
            prepared[name].delete_many({})
    return prepared


@pytest.fixture
def world(database: Any, settings: Settings) -> World:
    make_first(database, settings)
    return World(database, settings, opened(database))


@pytest.fixture
def http(world: World) -> Iterator[FlaskClient]:
    from services.practices.app import service

    verifier = Verifier(Keys(lambda: key_set(world.database)), world.settings.issuer, world.settings.audience)
    app = create_app(service, world.settings, world.database, verifier)
    with app.test_client() as client:
        yield client


@pytest.fixture
def as_(world: World, http: FlaskClient) -> Any:
    """as_(somebody).get("/me")"""
    from tests.practices.asking import Asking

    return lambda who: Asking(world, http, who)
