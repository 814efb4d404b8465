"""The keys of practices lie under the master key that a start asks for."""

from typing import Any

import pytest
from click.testing import CliRunner

from shared.keys_commands import keys_commands
from shared.settings import SettingsRefused
from shared.store.indexes import prepare
from shared.store.lock import vault
from shared.store.lock.master import Master
from tests.requests import MASTER_KEY
from tests.shared.store.lock.letters import COLLECTIONS, OTHER_KEY, Letters, flipped, letter, under


@pytest.fixture
def prepared(database: Any) -> Any:
    prepare(database, COLLECTIONS)
    database.vault.prepare()
    return database


def test_a_start_takes_the_master_key_that_it_was_prepared_with(prepared: Any) -> None:
    under(prepared, MASTER_KEY).vault.require()
    under(prepared, MASTER_KEY).vault.prepare()

    assert prepared["key_vault"].count_documents({}) == 1


@pytest.mark.parametrize("step", ["require", "prepare"])
def test_another_master_key_is_refused_in_a_sentence(prepared: Any, step: str) -> None:
    with pytest.raises(SettingsRefused, match=r"^TANDEM_MASTER_KEY is not the one") as refused:
        getattr(under(prepared, OTHER_KEY).vault, step)()

    assert "\n" not in str(refused.value)
    assert OTHER_KEY not in str(refused.value)


def test_another_master_key_under_the_name_of_the_right_one_is_refused(
    prepared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Master(MASTER_KEY).provider
    monkeypatch.setattr("shared.store.lock.master._name", lambda key: right)

    with pytest.raises(SettingsRefused, match="TANDEM_MASTER_KEY is not the one"):
        under(prepared, OTHER_KEY).vault.require()


def test_a_start_is_refused_where_nothing_was_prepared(database: Any) -> None:
    prepare(database, COLLECTIONS)

    with pytest.raises(SettingsRefused):
        database.vault.require()


@pytest.fixture
def written(prepared: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(vault, "_AT_ONCE", 3)
    for number in range(10):
        Letters(prepared).add(letter(f"{number}", practice_id=f"practice-{number}"))
    return prepared


ALL = [f"{number}" for number in range(10)]


def texts(database: Any) -> list[str]:
    letters = Letters(database)
    return [one.text for number in ALL for one in letters.list(f"practice-{number}", {}, 2)]


def test_a_rewrap_puts_all_keys_under_the_new_master_key_while_they_are_read(written: Any) -> None:
    both = under(written, OTHER_KEY, former=MASTER_KEY)
    read = []

    for some in both.vault.rewrap():
        read.append(some)
        assert texts(under(written, OTHER_KEY, former=MASTER_KEY)) == ALL

    assert read == [3, 3, 3, 2]
    new = under(written, OTHER_KEY)
    new.vault.require()
    assert texts(new) == ALL
    with pytest.raises(SettingsRefused):
        under(written, MASTER_KEY).vault.require()


def test_an_interrupted_rewrap_goes_on_and_no_start_does_without_the_former_key_before_it_ended(
    written: Any,
) -> None:
    both = under(written, OTHER_KEY, former=MASTER_KEY)
    interrupted = both.vault.rewrap()
    next(interrupted)
    interrupted.close()

    with pytest.raises(SettingsRefused):
        under(written, OTHER_KEY).vault.require()
    both.vault.require()

    command = keys_commands(lambda: both.vault)
    first = CliRunner().invoke(command, ["rewrap"])
    again = CliRunner().invoke(command, ["rewrap"])

    assert first.output.splitlines()[-1].startswith("8 keys were put under TANDEM_MASTER_KEY")
    assert again.output.splitlines()[-1].startswith("0 keys")
    under(written, OTHER_KEY).vault.require()


def test_a_key_that_is_not_as_it_was_stored_stops_a_rewrap_with_a_sentence(written: Any) -> None:
    key = written["key_vault"].find_one({"keyAltNames": "practice-5"})
    changed = flipped(key["keyMaterial"], 9)
    written["key_vault"].update_one({"_id": key["_id"]}, {"$set": {"keyMaterial": changed}})
    both = under(written, OTHER_KEY, former=MASTER_KEY)

    stopped = CliRunner().invoke(keys_commands(lambda: both.vault), ["rewrap"])

    assert stopped.exit_code == 1
    assert stopped.output.splitlines()[-1].startswith("Error: A key in key_vault is not as it was stored")


def test_the_master_key_is_changed_while_processes_run_in_two_steps(prepared: Any) -> None:
    old, both = Letters(prepared), Letters(under(prepared, MASTER_KEY, former=OTHER_KEY))
    made = [old.add(letter("by an old one", practice_id="elm"))[0]]

    # First everybody learns of the new one, and makes keys under the old one still.
    made.append(both.add(letter("by one that knows both", practice_id="oak"))[0])
    assert [old.get(one.practice_id, one.id).text for one in made] == [one.text for one in made]

    # Then they are exchanged; who did not change yet opens what lies under the new one.
    new = Letters(under(prepared, OTHER_KEY, former=MASTER_KEY))
    made.append(new.add(letter("by a new one", practice_id="ash"))[0])
    for store in (both, new):
        assert [store.get(one.practice_id, one.id).text for one in made] == [one.text for one in made]
