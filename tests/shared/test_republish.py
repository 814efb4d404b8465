"""All tell their present state again, past what cannot be read, and after a restore past what was told."""

import logging
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result

from shared.republish_command import AFTER_RESTORE, republish_command
from shared.store.aggregates import OUTBOX_LIMIT, Aggregates, StaleVersion
from shared.store.indexes import aggregates, prepare, records
from shared.store.lock.fields import RECORD
from shared.store.operations import project, write
from shared.store.records import Records

COLLECTIONS = (aggregates("notes", [("practice_id", 1), ("_id", 1)]), records("known"))


class NoteNotFound(Exception):
    """There is no such note."""


@dataclass(frozen=True)
class NoteSnapshot:
    type: ClassVar = "note.snapshot"
    note_id: str
    colour: str


@dataclass
class Note:
    id: str
    text: str = "Dear Ada"
    colour: str = "red"
    practice_id: str = "p"
    version: int = 0
    events: list[Any] = field(default_factory=list)

    def snapshot(self) -> NoteSnapshot:
        return NoteSnapshot(self.id, self.colour)


class Notes(Aggregates[Note]):
    def __init__(self, database: Any) -> None:
        super().__init__(database["notes"], Note, NoteNotFound, {"text": RECORD})

    def told(self, id: str) -> list[Any]:
        found = self.collection.find_one({"_id": id})
        assert found is not None
        return found.get("outbox", [])


@pytest.fixture
def notes(database: Any) -> Notes:
    prepare(database, COLLECTIONS)
    return Notes(database)


def republish(notes: Notes, *options: str) -> Result:
    database = notes.collection.database
    return CliRunner().invoke(republish_command(lambda: database, [Notes], ["notes"]), options)


def test_what_cannot_be_read_holds_up_no_other(notes: Notes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "shared.republish_command")
    for id in "abcd":
        notes.add(Note(id))
    notes.collection.update_one({"_id": "a"}, {"$set": {"locked_record": b"changed"}})
    notes.collection.update_one({"_id": "b"}, {"$unset": {"version": ""}})
    waiting = [{"id": str(number)} for number in range(OUTBOX_LIMIT)]
    notes.collection.update_one({"_id": "c"}, {"$set": {"outbox": waiting, "due": "now"}})

    ended = republish(notes)

    assert ended.exit_code == 1
    assert [event["type"] for event in notes.told("d")] == ["note.snapshot"]
    assert "1 aggregates will tell their present state." in ended.output.splitlines()
    assert "1 have too many events waiting already" in ended.output
    assert "2 cannot be read and were left out" in ended.output
    told = [record for record in caplog.records if record.message == "Aggregate not told"]
    assert [vars(record)["id"] for record in told] == ["a", "b"]


def test_after_a_restore_a_read_model_that_has_seen_more_learns_what_is_now(
    notes: Notes, database: Any
) -> None:
    notes.add(Note("a"))
    told_since_the_backup = (project("known", "a", {"colour": "blue"}), "p", 7)
    write(database, [told_since_the_backup])

    def colour() -> Any:
        items = [(project("known", "a", event["data"]), "p", event["sequence"]) for event in notes.told("a")]
        write(database, items)
        known = Records(database["known"], "colour").get("p", "a")
        return known and known["colour"]

    republish(notes)
    assert colour() == "blue"
    ended = republish(notes, "--after-restore")

    assert (ended.exit_code, colour()) == (0, "red")
    assert [event["sequence"] for event in notes.told("a")] == [1, AFTER_RESTORE + 2]
    note = notes.get("p", "a")
    note.colour = "green"
    note.events.append(note.snapshot())
    notes.save(note)
    assert colour() == "green"


def test_after_a_restore_what_tells_no_snapshot_goes_on_beyond_what_it_told_too(notes: Notes) -> None:
    notes.add(Note("a"))
    loaded = notes.get("p", "a")
    database = notes.collection.database

    command = republish_command(lambda: database, [], ["notes"])
    ended = CliRunner().invoke(command, ["--after-restore"])
    loaded.colour = "green"
    with pytest.raises(StaleVersion):
        notes.save(loaded)
    now = notes.get("p", "a")
    now.events.append(now.snapshot())
    notes.save(now)

    assert "1 aggregates go on beyond what they had told before." in ended.output
    assert [event["sequence"] for event in notes.told("a")] == [AFTER_RESTORE + 1]


def test_after_a_restore_every_service_is_told(notes: Notes) -> None:
    notes.add(Note("a"))

    ended = republish(notes, "--after-restore", "--to", "goals")

    assert ended.exit_code == 2
    assert "leave out --to" in ended.output
    assert notes.told("a") == []
