"""What people write reaches MongoDB encrypted, and opens nowhere but in its place."""

import logging
from collections.abc import Callable
from typing import Any

import bson
import pytest
from bson import Binary

from shared.store.indexes import prepare
from shared.store.lock.fields import REFUSED, NotAsStored
from tests.requests import MASTER_KEY
from tests.shared.store.lock.letters import COLLECTIONS, Letters, flipped, letter, reply, under

Document = dict[str, Any]
WORDS = [f"planted-{number:02}-wörd" for number in range(50)]


@pytest.fixture
def letters(database: Any) -> Letters:
    prepare(database, COLLECTIONS)
    return Letters(database)


def test_words_are_read_back_as_they_were_written(letters: Letters) -> None:
    made = letter("Dear Ada", draft="not this", reply=reply("Dear Bob"))

    letters.add(made)

    assert letters.get("elm", made.id) == made
    assert letters.list("elm", {}, 10) == [made]


def test_a_save_encrypts_what_changed_and_leaves_the_rest(letters: Letters) -> None:
    made, _ = letters.add(letter("Dear Ada"))
    before = letters.collection.find_one({"_id": made.id})

    made.reply = reply("Dear Bob")
    letters.save(made)

    after = letters.collection.find_one({"_id": made.id})
    assert before is not None
    assert after is not None
    assert after["locked_private"] == before["locked_private"]
    assert after["locked_record"] != before["locked_record"]
    assert letters.get("elm", made.id) == made
    assert not {"text", "reply", "draft"} & after.keys()


def test_a_save_that_changes_no_words_encrypts_none(letters: Letters) -> None:
    made, _ = letters.add(letter("Dear Ada"))
    stored = letters.collection.find_one({"_id": made.id}, {"locked_record": 1})
    found = letters.get("elm", made.id)

    found.read = True
    letters.save(found)

    assert stored is not None
    assert letters.collection.find_one({"_id": made.id}, {"locked_record": 1}) == stored


def test_what_a_newer_release_wrote_under_lock_survives_a_save_by_this_one(letters: Letters) -> None:
    made, _ = letters.add(letter("Dear Ada"))
    vars(made)["_before"]["locked_record"] = {"colour": "red"}

    for text in ("Dear Bob", "Dear Carl"):
        made.text = text
        made = letters.save(made)
        made = letters.get("elm", made.id)

    assert made.text == "Dear Carl"
    assert vars(made)["_before"]["colour"] == "red"


def test_no_planted_word_is_in_what_mongodb_has(letters: Letters, database: Any) -> None:
    for word in WORDS:
        made, _ = letters.add(letter(word, draft=word))
        made.reply = reply(word)
        letters.save(made)
    database["control"].insert_one({"text": WORDS[7]})

    def holding(word: str) -> set[str]:
        every = {name: list(database[name].find()) for name in database.list_collection_names()}
        return {
            name for name, found in every.items() if any(word.encode() in bson.encode(one) for one in found)
        }

    assert holding(WORDS[7]) == {"control"}
    database["control"].drop()
    assert {name for word in WORDS for name in holding(word)} == set()


def test_the_same_words_are_never_encrypted_to_the_same(letters: Letters) -> None:
    one, other = letters.add(letter("Yes."))[0], letters.add(letter("Yes."))[0]

    found = {
        document["locked_record"]
        for document in letters.collection.find({"_id": {"$in": [one.id, other.id]}})
    }

    assert len(found) == 2


def test_each_client_has_a_key_for_each_class(letters: Letters, database: Any) -> None:
    for client_id in ("ada", "bob", "ada"):
        letters.add(letter("x", client_id, draft="y"))

    names = {key["_id"] for key in database["data_keys"].find()}

    assert names == {"elm/ada/record", "elm/ada/private", "elm/bob/record", "elm/bob/private"}


BROKEN: dict[str, Callable[[Document], Document]] = {
    "changed in its version": lambda found: {"locked_record": flipped(found["locked_record"], 0)},
    "changed in its nonce": lambda found: {"locked_record": flipped(found["locked_record"], 1)},
    "changed in its words": lambda found: {"locked_record": flipped(found["locked_record"], 20)},
    "changed in its tag": lambda found: {"locked_record": flipped(found["locked_record"], -1)},
    "cut": lambda found: {"locked_record": found["locked_record"][:-20]},
    "cut to its nonce": lambda found: {"locked_record": found["locked_record"][:13]},
    "cut to its version": lambda found: {"locked_record": found["locked_record"][:1]},
    "cut to nothing": lambda found: {"locked_record": b""},
    "taken out": lambda found: {"locked_record": None},
    "of another kind": lambda found: {"locked_record": found["locked_record"].hex()},
    "plain": lambda found: {"locked_record": {"text": "evil", "reply": None}},
    "plain bytes": lambda found: {"locked_record": bson.encode({"text": "evil", "reply": None})},
    "another field's": lambda found: {"locked_record": found["locked_private"]},
    "another person's": lambda found: {"client_id": "bob", "locked_private": None},
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_not_as_it_was_stored_is_refused(
    letters: Letters, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = letters.add(letter("Dear Bob", "bob"))[0]
    made = letters.add(letter("Dear Ada", draft="Dear Ada?", reply=reply("Dear Carl")))[0]
    found = letters.collection.find_one({"_id": made.id})
    assert found is not None

    letters.collection.update_one({"_id": made.id}, {"$set": BROKEN[how](found)})

    assert_refused(lambda: letters.get("elm", made.id), made.id, caplog)
    assert_refused(lambda: letters.list("elm", {}, 10), made.id, caplog)
    assert letters.get("elm", good.id) == good


@pytest.mark.parametrize(
    "place",
    [{"practice_id": "oak"}, {"_id": "another"}, {"collection": "cards"}],
    ids=["practice", "document", "collection"],
)
def test_a_document_moved_elsewhere_is_refused(
    letters: Letters, database: Any, place: Document, caplog: pytest.LogCaptureFixture
) -> None:
    made = letters.add(letter("Dear Ada"))[0]
    found = letters.collection.find_one_and_delete({"_id": made.id})
    assert found is not None
    moved = {**found, **place}
    into = Letters(database, moved.pop("collection", "letters"))

    into.collection.insert_one(moved)

    assert_refused(lambda: into.get(moved["practice_id"], moved["_id"]), moved["_id"], caplog)


BROKEN_KEYS: dict[str, tuple[str, Callable[[Document], Document]]] = {
    "changed": ("data_keys", lambda found: {"key": Binary(flipped(found["key"], 30), found["key"].subtype)}),
    "plain": ("data_keys", lambda found: {"key": b"k" * 32}),
    "taken out": ("data_keys", lambda found: {"key": None}),
    "under a key that was changed": (
        "key_vault",
        lambda found: {"keyMaterial": flipped(found["keyMaterial"], 30)},
    ),
}


@pytest.mark.parametrize("how", BROKEN_KEYS)
def test_what_is_under_a_key_that_is_not_as_it_was_stored_is_refused_to_who_reads_and_who_writes(
    letters: Letters, database: Any, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = letters.add(letter("Dear Ada"))[0]
    collection, broken = BROKEN_KEYS[how]
    for stored in database[collection].find():
        database[collection].update_one({"_id": stored["_id"]}, {"$set": broken(stored)})
    afresh = Letters(under(database, MASTER_KEY))
    made.text = "Dear Bob"

    assert_refused(lambda: afresh.get("elm", made.id), made.id, caplog)
    assert_refused(lambda: afresh.save(made), made.id, caplog)


def assert_refused(read: Callable[[], object], id: str, caplog: pytest.LogCaptureFixture) -> None:
    """Told and logged by ids, and counted."""
    caplog.clear()
    counted = REFUSED._value.get()
    with pytest.raises(NotAsStored, match=f"The field locked_record of {id} in") as refused:
        read()
    assert REFUSED._value.get() == counted + 1
    [record] = caplog.records
    assert (record.levelno, vars(record)["id"], vars(record)["field"]) == (logging.ERROR, id, "locked_record")
    everything = f"{refused.value!r} {vars(record)!r}"
    assert not any(word in everything for word in ("Dear", "evil"))
    assert refused.value.__cause__ is None
