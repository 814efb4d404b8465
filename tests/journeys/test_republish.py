"""A service that lost or never had its read models is filled again, and nobody is told twice."""

from datetime import timedelta
from typing import Any

from pymongo import MongoClient

from shared.clock import now
from shared.security import access
from tests.journeys.people import Platform, until

READ_MODELS = (
    *(one.name for one in access.COLLECTIONS),
    *("practices", "people", "contacts", "apps", "sessions"),
)


def values(database: Any) -> dict[str, list[Any]]:
    """What each read model says, whichever event said it."""
    return {
        name: sorted(
            [one["_id"], one["practice_id"], {field: held["v"] for field, held in sorted(one["f"].items())}]
            for one in database[name].find({})
        )
        for name in READ_MODELS
    }


def knows(database: Any, grant_id: str) -> bool:
    """Whether the newest of what happened has come to this service."""
    given = {"_id": grant_id, "f.active.v": True}
    return bool(database["grants"].find_one(given) and database["consents"].find_one({"f.active.v": True}))


def live(running: Platform) -> None:
    """Something of each kind that others keep."""
    daniel, noah = running.id("daniel"), running.id("noah")
    practice = running.ask("olivia", "GET", "practices", "/practice").expect(200)
    switched = {"policy": {"break_glass": True}}
    running.ask("olivia", "PATCH", "practices", "/practice", body=switched, match=practice.etag).expect(200)
    span = {"since": now().isoformat(), "until": (now() + timedelta(days=1)).isoformat()}
    covers = f"/members/{running.id('clara')}/covers"
    cover = running.create("olivia", "practices", covers, {"covered_by": daniel, **span})
    running.ask("olivia", "DELETE", "practices", f"/covers/{cover.body['id']}", match=cover.etag).expect(200)
    # Over soon, so that Daniel is nobody's substitute in other journeys.
    span["until"] = (now() + timedelta(minutes=1)).isoformat()
    running.create("olivia", "practices", covers, {"covered_by": daniel, **span})
    why = {"email": "noah@example.org", "reason": "He called the practice and hung up."}
    look = running.create("daniel", "practices", "/looks", why)
    running.ask("daniel", "POST", "practices", f"/looks/{look.body['id']}/end", match=look.etag).expect(200)
    care = running.create("olivia", "practices", f"/clients/{noah}/episodes", {"clinician_id": daniel})
    times = {"starts": f"{now().date() + timedelta(days=2)}T10:00", "minutes": 50}
    running.create("olivia", "practices", f"/episodes/{care.body['id']}/sessions", times)
    end = f"/episodes/{care.body['id']}/end"
    running.ask("olivia", "POST", "practices", end, body={}, match=care.etag).expect(200)


def republish(running: Platform, *options: str) -> None:
    assert "will tell their present state" in running.command("practices", "republish", *options)


def test_a_service_is_filled_again_to_the_same_and_nobody_is_told_twice(running: Platform) -> None:
    running.agree("clara", "maya")
    running.consent("maya")
    live(running)
    grant = running.grant(["goal.agreed"], ["goal.read"])
    servers = running.place.read()["servers"]
    with MongoClient[dict[str, Any]](servers["mongo_url"]) as client:
        databases = {
            name: client[running.databases + name]
            for name in ("goals", "feedback", "notifications", "partners")
        }
        until(lambda: all(knows(database, grant.body["id"]) for database in databases.values()))
        before = {name: values(database) for name, database in databases.items()}
        told = [database["notifications"].count_documents({}) for database in databases.values()]
        sent = databases["partners"]["deliveries"].count_documents({})

        for name in READ_MODELS:
            databases["goals"][name].delete_many({})
        republish(running, "--to", "goals")
        until(lambda: values(databases["goals"]) == before["goals"])

        for database in databases.values():
            for name in READ_MODELS:
                database[name].delete_many({})
        republish(running)
        until(lambda: {name: values(database) for name, database in databases.items()} == before)

        assert told == [database["notifications"].count_documents({}) for database in databases.values()]
        assert sent == databases["partners"]["deliveries"].count_documents({})
        assert all(database["parked"].count_documents({}) == 0 for database in databases.values())
    running.revoke(grant.body["id"])
    running.consent("maya", "DELETE")
