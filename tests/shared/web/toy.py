"""A made-up service: notes that a client or a clinician writes, and that the other one agrees with."""

import copy
from dataclasses import dataclass, field
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from marshmallow import fields

from shared.settings import Settings
from shared.store.aggregates import KeyReused, StaleVersion
from shared.web.allows import allows
from shared.web.application import create_app
from shared.web.blueprint import Blueprint
from shared.web.context import caller, database
from shared.web.creates import creates
from shared.web.cursors import page
from shared.web.schemas import Choice, Day, Flag, Id, Moment, PageQuery, Schema, Text, Whole, page_of
from tests.issuer import AUDIENCE, ISSUER, Issuer


class Status(StrEnum):
    OPEN = "open"
    AGREED = "agreed"


class NoteNotOpen(Exception):
    """Only an open note can be agreed."""


class ClientUnknown(Exception):
    """There is no such client."""


@dataclass
class Note:
    id: str
    practice_id: str
    client_id: str
    text: str
    stars: int | None = None
    status: Status = Status.OPEN
    version: int = 0
    events: list[Any] = field(default_factory=list)


class Memory:
    """Aggregates in a dictionary, with the promises of shared.store.aggregates that HTTP leans on."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], tuple[Any, str | None]] = {}
        self.asked: list[str] = []

    def look(self, practice_id: str, id: str) -> Any:
        self.asked.append("look")
        return copy.deepcopy(self.documents.get((practice_id, id), (None, None))[0])

    def open(self, seen: Any) -> Any:
        return seen

    def add(self, made: Any, fingerprint: str | None = None) -> tuple[Any, bool]:
        before = self.repeated(made.practice_id, made.id, fingerprint)
        return (before, False) if before else (self._put(made, fingerprint), True)

    def repeated(self, practice_id: str, id: str, fingerprint: str | None) -> Any:
        found, print_of_it = self.documents.get((practice_id, id), (None, None))
        if found and print_of_it != fingerprint:
            raise KeyReused("Send a new Idempotency-Key with a new body.")
        return copy.deepcopy(found)

    def save(self, changed: Any) -> Any:
        found, fingerprint = self.documents[changed.practice_id, changed.id]
        if found.version != changed.version:
            raise StaleVersion("Load it again.")
        return self._put(changed, fingerprint)

    def list(self, practice_id: str, client_id: str, limit: int, after: str | None) -> Any:
        found = sorted((note for note, _ in self.documents.values()), key=lambda note: note.id)
        mine = [n for n in found if (n.practice_id, n.client_id) == (practice_id, client_id)]
        return [note for note in mine if after is None or note.id > after][:limit]

    def _put(self, aggregate: Any, fingerprint: str | None) -> Any:
        aggregate.version += 1
        self.documents[aggregate.practice_id, aggregate.id] = (copy.deepcopy(aggregate), fingerprint)
        return aggregate


class NoteBody(Schema):
    text = Text(200, required=True)
    stars = Whole(1, 5)
    due = Day()
    at = Moment()
    urgent = Flag()
    about = fields.List(Id())


class NoteView(Schema):
    id = Id(required=True)
    client_id = Id(required=True)
    text = Text(200, required=True)
    stars = Whole(1, 5, allow_none=True)
    status = Choice(Status, required=True)


class AnswerBody(Schema):
    stars = Whole(1, 5, required=True)


class NoteQuery(PageQuery):
    open = Flag(text=True, load_default=False)


PROBLEMS = {NoteNotOpen: 409, ClientUnknown: 404}
api = Blueprint("notes", __name__, url_prefix="/v1", description="Notes", problems=PROBLEMS)


def notes() -> Memory:
    store: Memory = database().notes
    return store


@api.post("/clients/<client_id>/notes")
@allows("goal.propose")
@api.arguments(NoteBody)
@api.response(201, NoteView)
@creates(notes)
def write_note(body: Any, client_id: str, id: str) -> Note:
    if database().closed:
        raise NoteNotOpen("The book is closed; open it first.")
    return Note(id, caller().practice_id, client_id, body["text"], body.get("stars"))


@api.get("/clients/<client_id>/notes")
@allows("goal.list")
@api.arguments(NoteQuery, location="query")
@api.response(200, page_of(NoteView))
def list_notes(query: Any, client_id: str) -> Any:
    return page(query, lambda limit, after: notes().list(caller().practice_id, client_id, limit, after))


@api.get("/notes/<note_id>")
@allows("goal.read", notes)
@api.response(200, NoteView)
def read_note(note: Note) -> Note:
    if database().broken:
        raise database().broken
    return note


@api.post("/notes/<note_id>/agreement")
@allows("goal.agree", notes)
@api.response(200, NoteView)
def agree_note(note: Note) -> Note:
    if note.status is not Status.OPEN:
        raise NoteNotOpen(f"Note {note.id} is {note.status}; only an open note can be agreed.")
    note.status = Status.AGREED
    saved: Note = notes().save(note)
    return saved


@api.put("/notes/<note_id>/stars")
@allows("feedback.answer", notes)
@api.arguments(AnswerBody)
@api.response(200, NoteView)
def rate_note(note: Note, body: Any) -> Note:
    note.stars = body["stars"]
    saved: Note = notes().save(note)
    return saved


class Toy:
    """The application, its token issuer, and a client of each of its people."""

    def __init__(self) -> None:
        self.issuer = Issuer()
        self.notes = Memory()
        self.database = SimpleNamespace(notes=self.notes, closed=False, broken=None)
        service = SimpleNamespace(name="notes", title="Notes", apis=(api,), standings=self.standings)
        self.app: Flask = create_app(service, SETTINGS, self.database, self.issuer.verifier())

    def standings(self, database: Any, by: Any, action: str, target: Any) -> set[tuple[str, str]]:
        client_id = getattr(target, "client_id", target)
        if target is not None:
            database.notes.asked.append("episodes")
        if by.kind == "client":
            return {("client", "self")} if by.id == client_id else {("client", "practice")}
        return (
            {("clinician", "own")}
            if by.id == "carl" and client_id in ("ada", "ben")
            else {("clinician", "practice")}
        )

    def client(self, sub: str = "ada", kind: str = "client", practice: str = "elm") -> FlaskClient:
        client = self.app.test_client()
        token = self.issuer.token(sub=sub, kind=kind, practice=practice)
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    def note(self, client_id: str = "ada", practice: str = "elm", id: str = "n1") -> Note:
        return self.notes._put(Note(id, practice, client_id, "walk"), None)


SETTINGS = Settings(
    service="notes",
    mongo_url="mongodb://nowhere",
    amqp_url="amqp://nowhere",
    issuer=ISSUER,
    jwks_url=f"{ISSUER}/jwks",
    audience=AUDIENCE,
    secret_key="dGVzdCB0ZXN0IHRlc3QgdGVzdCB0ZXN0IHRlc3QgdGVzdA==",
)
