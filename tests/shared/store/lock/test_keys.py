"""Data keys are made once and remembered for a short while."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo import MongoClient

from scripts.waiting import until
from shared.store.indexes import prepare
from shared.store.lock.database import REMEMBERED, OwnDatabase
from shared.store.lock.keys import Name
from shared.store.lock.master import Master
from shared.store.lock.vault import CannotOpen
from tests.commands import Commands
from tests.requests import MASTER_KEY
from tests.shared.store.lock.letters import COLLECTIONS, under

ADA, BOB = Name("elm", "ada", "private"), Name("elm", "bob", "private")


@pytest.fixture
def prepared(database: Any) -> Any:
    prepare(database, COLLECTIONS)
    return database


def test_of_many_who_need_a_key_at_once_all_get_the_same(prepared: Any) -> None:
    together = threading.Barrier(8)

    def encrypt(number: int) -> Any:
        keys = under(prepared, MASTER_KEY).data_keys
        together.wait()
        return ADA, b"here", keys.encrypt(ADA, b"here", {"v": number})

    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(encrypt, range(8)))

    assert [one["_id"] for one in prepared["data_keys"].find()] == [ADA.id]
    assert prepared["key_vault"].count_documents({"keyAltNames": "elm"}) == 1
    assert prepared.data_keys.decrypt(sealed) == [{"v": number} for number in range(8)]


@pytest.mark.parametrize("destroyed", [("data_keys", {"_id": ADA.id}), ("key_vault", {"keyAltNames": "elm"})])
def test_a_key_that_was_destroyed_is_forgotten_by_whoever_remembers_it(
    prepared: Any, destroyed: tuple[str, Any]
) -> None:
    remembering = under(prepared, MASTER_KEY, remembered=0.3).data_keys
    sealed = (ADA, b"here", remembering.encrypt(ADA, b"here", {"v": 1}))
    collection, which = destroyed
    prepared[collection].delete_one(which)

    def is_gone() -> bool:
        try:
            remembering.decrypt([sealed])
        except CannotOpen:
            return True
        return False

    assert not is_gone()
    assert not until({"the key": is_gone}, 5.0)


def test_destroying_a_practices_key_takes_effect_within_a_minute() -> None:
    """It opens data keys until it is forgotten, and the last of these is forgotten as long after."""
    assert 2 * REMEMBERED <= 60


def test_of_many_keys_those_not_remembered_are_looked_for_once(prepared: Any, mongo_url: str) -> None:
    names = [Name("elm", f"client-{number}", "record") for number in range(50)]
    sealed = [(name, b"here", prepared.data_keys.encrypt(name, b"here", {"v": name.id})) for name in names]
    asked = Commands()
    with MongoClient[Any](mongo_url, event_listeners=[asked]) as client:
        fresh = OwnDatabase(client, prepared.name, Master(MASTER_KEY)).data_keys
        fresh.decrypt(sealed[:1])
        asked.names.clear()

        opened = fresh.decrypt(sealed)

        assert opened == [{"v": name.id} for name in names]
        assert asked.names == [("find", "data_keys")]


def test_a_key_moved_to_another_persons_name_opens_nothing(prepared: Any) -> None:
    keys = prepared.data_keys
    sealed = keys.encrypt(ADA, b"here", {"v": 1})
    keys.encrypt(BOB, b"here", {"v": 1})
    stolen = prepared["data_keys"].find_one({"_id": ADA.id})
    prepared["data_keys"].update_one({"_id": BOB.id}, {"$set": {"key": stolen["key"]}})

    with pytest.raises(CannotOpen):
        under(prepared, MASTER_KEY).data_keys.decrypt([(BOB, b"here", sealed)])
