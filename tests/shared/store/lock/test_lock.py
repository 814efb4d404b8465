"""Keys are made once, remembered for a short while, and lie under the master key that a start asks for."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from click.testing import CliRunner

from scripts.waiting import until
from shared.keys_commands import keys_commands
from shared.settings import SettingsRefused
from shared.store.indexes import prepare
from shared.store.lock import lock as the_lock
from shared.store.lock.lock import REMEMBERED, CannotOpen, Lock
from shared.store.lock.master import Master
from tests.requests import MASTER_KEY
from tests.shared.store.lock.letters import COLLECTIONS, OTHER_KEY, Letters, letter, under


@pytest.fixture
def prepared(database: Any) -> Any:
    prepare(database, COLLECTIONS)
    database.lock.prepare()
    return database


def test_of_many_who_need_a_key_at_once_all_get_the_same(prepared: Any) -> None:
    together = threading.Barrier(8)

    def encrypt(number: int) -> Any:
        lock = under(prepared, MASTER_KEY).lock
        together.wait()
        return lock.encrypt("elm/ada/record", {"v": number})

    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(encrypt, range(8)))

    assert prepared["keys"].count_documents({"keyAltNames": "elm/ada/record"}) == 1
    assert prepared.lock.decrypt(sealed) == [{"v": number} for number in range(8)]


def test_a_key_that_was_destroyed_is_forgotten_by_whoever_remembers_it(prepared: Any) -> None:
    remembering = Lock(prepared["keys"], Master(MASTER_KEY), remembered=0.3)
    sealed = remembering.encrypt("elm/ada/private", {"v": 1})
    prepared["keys"].delete_one({"keyAltNames": "elm/ada/private"})

    def is_gone() -> bool:
        try:
            remembering.decrypt([sealed])
        except CannotOpen:
            return True
        return False

    assert REMEMBERED <= 60
    assert not is_gone()
    assert not until({"the key": is_gone}, 5.0)


def test_a_start_takes_the_master_key_that_it_was_prepared_with(prepared: Any) -> None:
    under(prepared, MASTER_KEY).lock.require()
    under(prepared, MASTER_KEY).lock.prepare()

    assert prepared["keys"].count_documents({}) == 1


@pytest.mark.parametrize("step", ["require", "prepare"])
def test_another_master_key_is_refused_in_a_sentence(prepared: Any, step: str) -> None:
    with pytest.raises(SettingsRefused, match=r"^TANDEM_MASTER_KEY is not the one") as refused:
        getattr(under(prepared, OTHER_KEY).lock, step)()

    assert "\n" not in str(refused.value)
    assert OTHER_KEY not in str(refused.value)


def test_another_master_key_under_the_name_of_the_right_one_is_refused(
    prepared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Master(MASTER_KEY).provider
    monkeypatch.setattr("shared.store.lock.master._name", lambda key: right)

    with pytest.raises(SettingsRefused, match="TANDEM_MASTER_KEY is not the one"):
        under(prepared, OTHER_KEY).lock.require()


def test_a_start_is_refused_where_nothing_was_prepared(database: Any) -> None:
    prepare(database, COLLECTIONS)

    with pytest.raises(SettingsRefused):
        database.lock.require()


@pytest.fixture
def written(prepared: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(the_lock, "_AT_ONCE", 3)
    for number in range(10):
        Letters(prepared).add(letter(f"{number}", client_id=f"client-{number}"))
    return prepared


def test_a_rewrap_puts_all_keys_under_the_new_master_key_while_they_are_read(written: Any) -> None:
    both = under(written, OTHER_KEY, former=MASTER_KEY)
    read = []

    for some in both.lock.rewrap():
        read.append(some)
        assert len(Letters(under(written, OTHER_KEY, former=MASTER_KEY)).list("elm", {}, 50)) == 10

    assert read == [3] * 7
    new = under(written, OTHER_KEY)
    new.lock.require()
    assert {one.text for one in Letters(new).list("elm", {}, 50)} == {f"{number}" for number in range(10)}
    with pytest.raises(SettingsRefused):
        under(written, MASTER_KEY).lock.require()


def test_an_interrupted_rewrap_goes_on_and_no_start_does_without_the_former_key_before_it_ended(
    written: Any,
) -> None:
    both = under(written, OTHER_KEY, former=MASTER_KEY)
    interrupted = both.lock.rewrap()
    next(interrupted)
    interrupted.close()

    with pytest.raises(SettingsRefused):
        under(written, OTHER_KEY).lock.require()
    both.lock.require()

    command = keys_commands(lambda: both.lock)
    first = CliRunner().invoke(command, ["rewrap"])
    again = CliRunner().invoke(command, ["rewrap"])

    assert first.output.splitlines()[-1].startswith("18 keys were put under TANDEM_MASTER_KEY")
    assert again.output.splitlines()[-1].startswith("0 keys")
    under(written, OTHER_KEY).lock.require()
