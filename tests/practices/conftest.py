"""A prepared database of practices with one practice in it, and an application before it."""

import base64
import dataclasses
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from pymongo import MongoClient

from services.practices.domain.addresses import look_up
from services.practices.domain.apps import App, Grant, hash_of
from services.practices.domain.clients import Client
from services.practices.domain.covers import Cover
from services.practices.domain.episodes import Episode
from services.practices.domain.looks import Look
from services.practices.domain.members import Member, Role
from services.practices.domain.practices import Practice
from services.practices.domain.second_factors import SecondFactor
from services.practices.domain.sessions import Series
from services.practices.sign_in import SignIn, Tokens, grant_id, totp
from services.practices.sign_in.codes import MailedCodes
from services.practices.sign_in.errors import SecondFactorRequired
from services.practices.sign_in.second_factors import SecondFactors
from services.practices.store import COLLECTIONS
from services.practices.store.apps import Apps, Grants
from services.practices.store.codes import Codes
from services.practices.store.covers import Covers
from services.practices.store.episodes import Episodes
from services.practices.store.looks import Looks
from services.practices.store.people import Clients, Members, Practices
from services.practices.store.sessions import AllSeries
from services.practices.tokens import Subject, issue, key_set, make_first
from shared import logs
from shared.clock import now
from shared.ids import PLATFORM, new_id
from shared.security.tokens import Keys, Verifier
from shared.settings import Settings
from shared.store.client import connect
from shared.store.indexes import prepare
from shared.store.lock.database import DATA_KEYS, KEY_VAULT, OwnDatabase
from shared.store.lock.master import Master
from shared.web.application import create_app
from tests.queries.hooks import WATCH
from tests.requests import CONTACT_KEY, MASTER_KEY

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
        contact_public_key=CONTACT_KEY,
        smtp_url="smtp://127.0.0.1:1",
        mail_from="hello@mail.test",
    )


def every(store: Any) -> list[Any]:
    """All that a store has, of every practice."""
    return [store.get(*key) for key in store.all_keys()]


def always() -> bool:
    """To every round that asks whether to go on."""
    return True


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


@contextmanager
def before(of: type, name: str, happens: Callable[[], Any]) -> Iterator[None]:
    """The next time that this is called, something else happens right before it."""
    original = getattr(of, name)

    def later(*about: Any, **named: Any) -> Any:
        patch.undo()
        happens()
        return original(*about, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of, name, later)
        yield


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

    def supervisor(self, *of: Member) -> Member:
        supervisor = self.member(Role.SUPERVISOR)
        supervisor.supervises = {one.id for one in of}
        return Members(self.database).save(supervisor)

    def invited(self, *roles: Role, email: str | None = None) -> Member:
        member = Member.invited(
            practice_id=self.practice.id, roles=set(roles), at=now(), **self._about(email)
        )
        return Members(self.database).add(member)[0]

    def cover(self, absent: Member, by: Member) -> Cover:
        at = now()
        about = {"absent": absent, "by": by, "since": at, "until": at + timedelta(days=1), "at": at}
        return Covers(self.database).add(Cover.arrange(id=new_id(), **about))[0]  # type: ignore[arg-type]

    def client(self, email: str | None = None, enrolled_by: str = "somebody") -> Client:
        """Somebody who was invited and has come."""
        client = self._enrolled(email, enrolled_by)
        client.invite(self.practice, now())
        client.accept(now())
        return Clients(self.database).add(client)[0]

    def enrolled(self, email: str | None = None, enrolled_by: str = "somebody") -> Client:
        return Clients(self.database).add(self._enrolled(email, enrolled_by))[0]

    def invited_client(self, email: str | None = None) -> Client:
        """Somebody who was invited and has not come yet."""
        client = self._enrolled(email, "somebody")
        client.invite(self.practice, now())
        return Clients(self.database).add(client)[0]

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

    def series(self, episode: Episode) -> Series:
        about = {"id": new_id(), "timezone": self.practice.timezone, "rrule": None}
        return AllSeries(self.database).add(Series.schedule(episode, {"a": now()}, 50, **about))[0]

    def look(self, client: Client, by: Member) -> Look:
        about = {"reason": "An emergency", "owner_ids": [], "at": now()}
        return Looks(self.database).add(Look.begin(id=new_id(), client=client, by=by, **about))[0]

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

    def with_factor(self, member: Member) -> Member:
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

    def mailed(self, ticket: str, to: str | None = None) -> str:
        """The code that goes with this ticket, of several the one that goes there."""
        waiting = [code for codes in Codes(self.database).to_send(now()).values() for code in codes]
        mailed = MailedCodes(self.database, self.settings)
        letters = [mailed.letter(code) for code in waiting if code.ticket == hash_of(ticket)]
        (said,) = [said for said, emails in letters if to is None or to in emails]
        return said

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
    with MongoClient[dict[str, Any]](
        mongo_url, tz_aware=True, tzinfo=UTC, timeoutMS=5000, w="majority"
    ) as client:
        name = f"test_{uuid.uuid4().hex[:12]}_practices"
        database = OwnDatabase(client, name, Master(MASTER_KEY))
        prepare(database, COLLECTIONS)
        yield database
        WATCH.judge(name)
        client.drop_database(name)


@pytest.fixture
def database(prepared: Any) -> Any:
    """The prepared database, empty."""
    for name in prepared.list_collection_names():
        if name not in ("prepared", KEY_VAULT, DATA_KEYS):
            prepared[name].delete_many({})
    return prepared


@pytest.fixture
def world(database: Any, settings: Settings) -> World:
    make_first(database, settings)
    return World(database, settings, opened(database))


@pytest.fixture
def olivia(world: World) -> Member:
    return world.member(Role.OWNER)


@pytest.fixture
def clara(world: World) -> Member:
    return world.member(Role.CLINICIAN)


@pytest.fixture
def daniel(world: World) -> Member:
    return world.member(Role.CLINICIAN)


@pytest.fixture
def maya(world: World) -> Client:
    return world.client()


@pytest.fixture
def http(world: World) -> Iterator[FlaskClient]:
    from services.practices.app import service

    verifier = Verifier(Keys(lambda: key_set(world.database)), world.settings.issuer, world.settings.audience)
    app = create_app(service, world.settings, world.database, verifier)
    with app.test_client() as client:
        yield client


@pytest.fixture
def run(database: Any, mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command of the operator's: (result, what it printed)."""
    for name, value in {
        "TANDEM_ENVIRONMENT": "development",
        "TANDEM_MONGO_URL": mongo_url,
        "TANDEM_AMQP_URL": "amqp://unused",
        "TANDEM_DATABASE_PREFIX": database.name.removesuffix("practices"),
        "TANDEM_ISSUER": "http://practices.test",
        "TANDEM_JWKS_URL": "http://practices.test/jwks",
        "TANDEM_SECRET_KEY": base64.b64encode(b"k" * 32).decode(),
        "TANDEM_MASTER_KEY": MASTER_KEY,
        "TANDEM_CONTACT_PUBLIC_KEY": CONTACT_KEY,
        "TANDEM_SMTP_URL": "smtp://127.0.0.1:1",
        "TANDEM_MAIL_FROM": "hello@mail.test",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(logs, "set_up", lambda *_, **__: None)
    make_first(database, Settings.read("practices"))
    connect(Settings.read("practices")).vault.prepare()

    def run(command: Any, *arguments: str) -> Any:
        result = CliRunner().invoke(command, arguments)
        return result, json.loads(result.stdout) if result.exit_code == 0 else None

    run.database = database  # type: ignore[attr-defined]
    return run


@pytest.fixture
def as_(world: World, http: FlaskClient) -> Any:
    """as_(somebody).get("/me")"""
    from tests.practices.asking import Asking

    return lambda who: Asking(world, http, who)
