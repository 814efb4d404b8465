"""The proof itself: what counts, what is the same query, which plans are refused, what must have been met."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import DeleteOne, MongoClient, UpdateOne
from pymongo.database import Database

from shared.store.aggregates import Aggregates
from shared.store.indexes import prepare
from tests.queries import verdict
from tests.queries.plans import explain, troubles
from tests.queries.statements import statements
from tests.queries.watch import HERE, IN_PROCESSES, MADE_UP, Watch
from tests.shared.store.things import COLLECTIONS, Thing, ThingNotFound


@pytest.fixture
def watch(mongo_url: str) -> Watch:
    made = Watch()
    made.url = mongo_url
    return made


@pytest.fixture
def watched(database: Database[dict[str, Any]], mongo_url: str, watch: Watch) -> Iterator[Any]:
    """The test's database as the product has it, over a connection that is watched."""
    prepare(database, COLLECTIONS)
    with MongoClient[dict[str, Any]](mongo_url, tz_aware=True, event_listeners=[watch]) as client:
        yield client[database.name]


def shape(**command: Any) -> str:
    return next(statements(command)).shape


def test_values_do_not_matter_and_what_decides_on_an_index_does() -> None:
    def found(**where: Any) -> str:
        return shape(find="things", filter=where)

    assert found(a="x", b=[1, 2]) == found(a="y", b=[3])
    assert found(**{"givings.0192-af": 1}) == found(**{"givings.77": 2})
    others = [
        found(a="x"),
        found(a=None),
        found(a={"$gt": "x"}),
        found(a={"$in": ["x"]}),
        found(a={"$in": []}),
        found(a={"$exists": True}),
        found(a={"$exists": False}),
        shape(find="things", filter={"a": "x"}, sort={"at": 1}),
        shape(find="things", filter={"a": "x"}, sort={"at": -1}),
        shape(find="things", filter={"a": "x"}, limit=1),
        shape(count="things", query={"a": "x"}),
    ]
    assert len(set(others)) == len(others)


def test_each_statement_of_a_bulk_write_is_one() -> None:
    bulk = {
        "update": "things",
        "updates": [{"q": {"_id": 1}, "u": {}}, {"q": {"a": 1}, "u": {}}],
        "ordered": False,
    }

    assert [one.shape for one in statements(bulk)] == ["update {_id: number}", "update {a: number}"]


def test_following_changes_and_inserting_ask_for_no_index() -> None:
    assert not list(statements({"aggregate": 1, "pipeline": [{"$changeStream": {}}]}))
    assert not list(statements({"insert": "things", "documents": [{}]}))


GOOD: list[dict[str, Any]] = [
    {"find": "things", "filter": {"_id": "x"}},
    {"find": "things", "filter": {"_id": "x", "practice_id": "p"}, "limit": 1},
    {"find": "things", "filter": {"practice_id": "p"}, "sort": {"at": -1, "_id": -1}},
    {"find": "things", "filter": {}, "sort": {"_id": 1}, "limit": 10},
    {"find": "things", "filter": {"due": {"$exists": True}}, "sort": {"due": 1}},
    {"aggregate": "things", "pipeline": [{"$match": {"practice_id": "p"}}, {"$count": "n"}], "cursor": {}},
    {"update": "things", "updates": [{"q": {"_id": "x"}, "u": {"$set": {"a": 1}}, "upsert": True}]},
]
BAD: list[dict[str, Any]] = [
    {"find": "things", "filter": {"colour": "red"}},
    {"find": "things", "filter": {"practice_id": "p"}, "sort": {"colour": 1}},
    {"find": "things", "filter": {}, "sort": {"_id": 1}},
    {"find": "things", "filter": {"colour": "red"}, "sort": {"_id": 1}, "limit": 10},
    {"find": "nothing", "filter": {"a": 1}},
    {"count": "things", "query": {"colour": "red"}},
    {"distinct": "things", "key": "a", "query": {"colour": "red"}},
    {"aggregate": "things", "pipeline": [{"$match": {"colour": "red"}}], "cursor": {}},
    {
        "aggregate": "things",
        "pipeline": [{"$match": {"practice_id": "p"}}, {"$sort": {"a": 1}}],
        "cursor": {},
    },
    {"findAndModify": "things", "query": {"colour": "red"}, "update": {"$set": {"a": 1}}},
    {"update": "things", "updates": [{"q": {"colour": "red"}, "u": {"$set": {"a": 1}}, "multi": True}]},
    {"delete": "things", "deletes": [{"q": {"colour": "red"}, "limit": 0}]},
]


@pytest.mark.parametrize("command", GOOD, ids=lambda one: shape(**one))
def test_a_plan_that_uses_an_index_is_good(database: Any, command: dict[str, Any]) -> None:
    prepare(database, COLLECTIONS)

    assert troubles(explain(database, *statements(command))) == []


@pytest.mark.parametrize("command", BAD, ids=lambda one: shape(**one))
def test_a_plan_that_reads_or_sorts_all_is_refused(database: Any, command: dict[str, Any]) -> None:
    prepare(database, COLLECTIONS)

    assert troubles(explain(database, *statements(command))) != []


def test_what_the_product_asks_counts_and_what_a_test_asks_does_not(watch: Watch, watched: Any) -> None:
    watch.begins("test_x")
    things = Aggregates[Thing](watched["things"], Thing, ThingNotFound)

    things.find("p", "x")
    watched["things"].find_one({"colour": "red"})
    watch.judge(watched.name)

    (judged,) = watch.judged.values()
    assert (judged.service, judged.collection, judged.test) == (MADE_UP, "things", "test_x")
    assert (judged.shape, judged.troubles) == ("find {practice_id: text, _id: text} limit", "")
    assert watch.ways == {(MADE_UP, HERE)}


def test_a_process_of_the_product_is_known_by_the_name_of_its_connection(
    watch: Watch, watched: Any, mongo_url: str
) -> None:
    watch.follow(watched.name)
    for name, field in (("goals", "colour"), (None, "at")):
        with MongoClient[dict[str, Any]](mongo_url, appname=name) as client:
            writes = [UpdateOne({field: "red"}, {"$set": {"a": 1}}), DeleteOne({"_id": "x"})]
            client[watched.name]["things"].bulk_write(writes)

    watch.judge(watched.name)

    told = {one.shape: one.troubles for one in watch.judged.values()}
    assert told == {"update {colour: text}": "COLLSCAN in the plan", "delete {_id: text}": ""}
    assert watch.ways == {(MADE_UP, IN_PROCESSES)}


def test_a_database_that_was_not_prepared_does_not_count(watch: Watch, database: Any, mongo_url: str) -> None:
    with MongoClient[dict[str, Any]](mongo_url, event_listeners=[watch]) as client:
        Aggregates[Thing](client[database.name]["things"], Thing, ThingNotFound).find("p", "x")

    watch.judge(database.name)

    assert (watch.judged, watch.report()["judged"]) == ({}, [])


def test_what_was_asked_of_a_database_that_nobody_had_judged_is_told(watch: Watch, watched: Any) -> None:
    Aggregates[Thing](watched["things"], Thing, ThingNotFound).find("p", "x")

    (told,) = verdict.wrong([watch.report()], whole=False)

    assert f"nobody had {watched.name} judged" in told


def judged(service: str, shape: str, troubles: str) -> dict[str, Any]:
    return {"judged": [[service, "things", shape, "FETCH < COLLSCAN", troubles, "test_x"]], "ways": []}


def test_the_verdict_says_who_asked_what_and_where() -> None:
    (told,) = verdict.wrong(
        [judged("goals", "find {}", ""), judged("goals", "find {a: text}", "COLLSCAN in the plan")],
        whole=False,
    )

    for said in (
        "goals, things: find {a: text}",
        "COLLSCAN in the plan: FETCH < COLLSCAN",
        "asked in test_x",
    ):
        assert said in told


def test_what_is_allowed_is_no_trouble_where_it_is_needed() -> None:
    whole_index = [judged(service, shape, "walks the whole index") for service, shape in verdict.ALLOWED]

    needed = verdict.wrong(whole_index, whole=True)
    unneeded = verdict.wrong([], whole=True)

    assert not [one for one in needed for _, shape in verdict.ALLOWED if shape in one]
    assert len([one for one in unneeded if "take it out" in one]) == len(verdict.ALLOWED)


def test_a_run_of_all_tests_must_have_met_every_service_both_ways() -> None:
    nothing = [one for one in verdict.wrong([], whole=True) if "was met" in one]

    assert len(nothing) == 2 * 5
    assert verdict.wrong([], whole=False) == []
