"""A prepared database of practices with one practice in it, and an application before it."""

import base64
import dataclasses
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo import MongoClient
from pymongo.monitoring import CommandListener

from services.practices.domain.addresses import look_up
from services.practices.domain.apps import App, Grant, hash_of
from services.practices.domain.clients import Client
from services.practices.domain.episodes import Episode
from services.practices.domain.members import Member, Role
from services.practices.domain.practices import Practice
from services.practices.domain.second_factors import SecondFactor
from services.practices.sign_in import SignIn, Tokens, grant_id, totp
from services.practices.sign_in.codes import MailedCodes
from services.practices.sign_in.errors import SecondFactorRequired
from services.practices.sign_in.second_factors import SecondFactors
from services.practices.store import COLLECTIONS
from services.practices.store.apps import Apps, Grants
from services.practices.store.codes import Codes
from services.practices.store.episodes import Episodes
from services.practices.store.people import Clients, Members, Practices
from services.practices.tokens import Subject, issue, key_set, make_first
from shared.clock import now
from shared.ids import PLATFORM, new_id
from shared.security.tokens import Keys, Verifier
from shared.settings import Settings
from shared.store.indexes import prepare
from shared.web.application import create_app
from tests.queries.hooks import WATCH

SECRET = "s3cret"
TOTP = b"authenticator-secret"


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


class Killed(BaseException):
    """What a process that is killed does not catch."""


@contextmanager
def killed(of: type, name: str, after: bool = False) -> Iterator[None]:
    """Whatever calls this ends there, or right after it."""
    original = getattr(of, name)

    def die(*about: Any) -> None:
        if after:
            original(*about)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of, name, die)
        with pytest.raises(Killed):
            yield


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
        about = self._about(email)
        client = Client.enrol(self.practice, adult=True, at=now(), enrolled_by=enrolled_by, **about)
        return Clients(self.database).add(client)[0]

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

    def enrolled(self, member: Member) -> Member:
        """The same, with an authenticator whose secret is TOTP."""
        sealed = SecondFactors(self.database, self.settings).sealed(TOTP)
        member.second_factor = SecondFactor(sealed_secret=sealed, enrolled_at=now(), recovery_codes=[])
        return Members(self.database).save(member)

    def code(self, at: datetime | None = None, secret: bytes = TOTP) -> str:
        """What the authenticator shows."""
        return totp.password(secret, totp.step_of(at or now()))

    def asked(self, email: str, device: str | None = None, at: datetime | None = None) -> tuple[str, str]:
        """The code that the mail says, and the ticket that goes with it."""
        ticket = MailedCodes(self.database, self.settings).ask(email, device, at or now())
        return self.mailed(ticket), ticket

    def mailed(self, ticket: str) -> str:
        """The code that goes with this ticket."""
        waiting = [code for _, codes in Codes(self.database).to_send(now()) for code in codes]
        (code,) = [code for code in waiting if code.ticket == hash_of(ticket)]
        return MailedCodes(self.database, self.settings).letter(code)[0]

    def signed_in(self, person: Member | Client, at: datetime | None = None) -> Tokens:
        """What they have after signing in, with the second factor where they need one."""
        sign_in, at, kind = SignIn(self.database, self.settings), at or now(), type(person).__name__.lower()
        code, ticket = self.asked(person.email, at=at)
        try:
            return sign_in.by_code(person.email, code, ticket, person.practice_id, kind, at)
        except SecondFactorRequired as required:
            enrolling = base64.b32decode(required.enrolment["secret"]) if required.enrolment else TOTP
            if not required.enrolment:
                unused = {"second_factor.last_step": 0}
                self.database["members"].update_one({"_id": person.id}, {"$set": unused})
            return sign_in.by_second_factor(required.ticket, self.code(at, enrolling), at)

    def bearer(self, someone: Member | Client | App) -> dict[str, str]:
        kind = type(someone).__name__.lower()
        sign_in_id = "" if kind == "app" else new_id()
        subject = Subject(someone.id, kind, someone.practice_id, sign_in_id)
        return {"Authorization": f"Bearer {issue(self.database, self.settings, subject, now())}"}

    def invited(self, person: Member | Client) -> Any:
        """The same, who has not accepted yet."""
        store: Any = Members(self.database) if isinstance(person, Member) else Clients(self.database)
        store.collection.update_one({"_id": person.id}, {"$set": {"status": "invited"}})
        return store.get(person.practice_id, person.id)

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
