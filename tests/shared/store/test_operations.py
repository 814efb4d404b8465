"""Operations that repeats and disorder cannot harm."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.store.operations import Operation, create, project, retract, write
from shared.store.records import Records, present

FIELDS = ("name", "colour")


def state(database: Any) -> list[Any]:
    return [list(database[name].find({}).sort("_id", 1)) for name in ("r", "c")]


def test_every_order_with_every_repeat_gives_the_same_state(database: Any) -> None:
    items: list[tuple[Operation, str, int]] = [
        (project("r", "1", {"name": "a", "colour": "red"}), "p", 1),
        (project("r", "1", {"name": "b"}), "p", 2),
        (retract("r", "1", FIELDS), "p", 3),
        (project("r", "1", {"colour": "blue"}), "p", 4),
        (project("r", "1", {"name": "$colour"}), "p", 5),
    ]
    ends = set()

    for order in itertools.permutations(items):
        database["r"].delete_many({})
        write(database, [*order, *order[:2]])
        ends.add(str(sorted(database["r"].find_one({"_id": "1"})["f"].items())))

    assert len(ends) == 1
    assert Records(database["r"], "name").get("p", "1") == {"id": "1", "name": "$colour", "colour": "blue"}


def test_create_writes_once(database: Any) -> None:
    write(database, [(create("c", "1", {"text": "first"}), "p", 1)])

    write(database, [(create("c", "1", {"text": "second"}), "p", 2)])

    assert database["c"].find_one({"_id": "1"})["text"] == "first"


def test_a_retracted_record_is_absent_and_its_tombstone_stays(database: Any) -> None:
    write(database, [(project("r", "1", {"name": "a"}), "p", 1), (retract("r", "1", FIELDS), "p", 2)])

    assert Records(database["r"], "name").get("p", "1") is None
    assert present(database["r"], [("p", "1"), ("p", "2"), ("q", "1")]) == {("p", "1")}


def test_another_practices_record_is_not_touched_and_not_found(database: Any) -> None:
    write(database, [(project("r", "1", {"name": "a"}), "p", 1)])

    failed = write(database, [(project("r", "2", {"name": "b"}), "other", 9)])

    assert failed == {}
    assert Records(database["r"], "name").get("other", "1") is None
    assert Records(database["r"], "name").find("p", name="b") == []
    assert list(Records(database["r"], "name").among("p", ["1", "2"])) == ["1"]


def test_many_upserts_of_one_id_at_once_all_count(database: Any) -> None:
    def one(number: int) -> dict[int, str]:
        return write(database, [(project("r", "1", {"name": number}), "p", number)] * 3)

    with ThreadPoolExecutor(16) as pool:
        failed = [*pool.map(one, range(1, 200))]

    assert not any(failed)
    found = Records(database["r"], "name").get("p", "1")
    assert found is not None
    assert found["name"] == 199


def test_one_write_that_fails_is_named_and_the_others_are_done(database: Any) -> None:
    database["r"].create_index([("f.name.v", 1)], unique=True)

    failed = write(
        database,
        [
            (project("r", "1", {"name": "a"}), "p", 1),
            (project("r", "2", {"name": "a"}), "p", 1),
            (project("r", "3", {"name": "b"}), "p", 1),
        ],
    )

    assert list(failed) == [1]
    assert present(database["r"], [("p", "1"), ("p", "2"), ("p", "3")]) == {("p", "1"), ("p", "3")}


@pytest.mark.parametrize("collection", ["r", "c"])
def test_nothing_written_means_nothing_there(database: Any, collection: str) -> None:
    assert write(database, []) == {}
    assert present(database[collection], [("p", "1")]) == set()


@pytest.mark.parametrize("operation", [create("c", "1", {"a": 1}), project("r", "1", {"a": 1})])
def test_an_id_that_another_practice_has_fails_and_neither_repeats_nor_passes(
    database: Any, operation: Operation
) -> None:
    assert write(database, [(operation, "p", 1)]) == {}

    assert list(write(database, [(operation, "p", 1), (operation, "q", 1)])) == [1]
