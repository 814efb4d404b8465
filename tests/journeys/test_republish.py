"""A service that never had its read models is filled to the last byte, and nobody is told twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from scripts import platform, processes
from scripts.contracts import services
from shared.clock import now
from shared.messaging.link import linked
from shared.messaging.topology import EXCHANGE
from tests.journeys.people import Platform, until

COPIES = {
    one.name: names
    for one in services()
    if (names := [collection.name for collection in one.collections if collection.kind == "records"])
}
"""Services that keep copies of others' data, each with its collections of them."""
TAP = "test.republished"

Known = dict[str, dict[str, Any]]


def known(databases: Any, service: str) -> Known:
    """Its copies, each value with the sequence of the event that said it."""
    return {name: {one["_id"]: one for one in databases[service][name].find({})} for name in COPIES[service]}


def values(copies: Known) -> Known:
    """What they say, whichever event said it."""
    return {
        name: {id: {field: held["v"] for field, held in one["f"].items()} for id, one in records.items()}
        for name, records in copies.items()
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


@contextmanager
def workers_of(running: Platform, prefix: str) -> Iterator[None]:
    """Each service's worker upon databases that have nothing but what `prepare` makes."""
    _start_anew(running, prefix)
    try:
        yield
    finally:
        _start_anew(running, running.databases)


def _start_anew(running: Platform, prefix: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_DATABASE_PREFIX", prefix)
        processes.stop(running.place, [f"{service}-worker" for service in COPIES])
        platform.prepare(running.place)
        platform.start_parts(running.place)
        platform.await_ready(running.place)


@contextmanager
def tapped(running: Platform) -> Iterator[Any]:
    """A channel whose queue TAP has every snapshot as well."""
    with linked(running.place.read()["servers"]["amqp_url"], "tap") as connection:
        channel = connection.channel()
        channel.queue_declare(TAP, exclusive=True)
        channel.queue_bind(TAP, EXCHANGE, "*.snapshot")
        yield channel


def tell_again(channel: Any) -> None:
    """The very same messages, to whoever listens now."""
    told = []
    while message := channel.basic_get(TAP, no_ack=True):
        told.append(message)
    channel.queue_unbind(TAP, EXCHANGE, "*.snapshot")
    for message in told:
        channel.basic_publish(message, EXCHANGE, message.delivery_info["routing_key"])


def test_a_fresh_service_is_filled_to_the_same_and_nobody_is_told_twice(running: Platform) -> None:
    running.agree("clara", "maya")
    running.consent("maya")
    live(running)
    grant = running.grant(["goal.agreed"], ["goal.read"])
    servers, fresh_prefix = running.place.read()["servers"], f"{running.databases}fresh_"
    with MongoClient[dict[str, Any]](servers["mongo_url"]) as client, tapped(running) as channel:
        old = {service: client[running.databases + service] for service in COPIES}
        fresh = {service: client[fresh_prefix + service] for service in COPIES}
        until(lambda: all(knows(database, grant.body["id"]) for database in old.values()))
        before = {service: values(known(old, service)) for service in COPIES}
        told = [counted(database) for database in old.values()]

        with workers_of(running, fresh_prefix):
            republish(running, "--to", "goals")
            until(lambda: values(known(fresh, "goals")) == before["goals"])
            first = known(fresh, "goals")
            others = [known(fresh, service) for service in COPIES if service != "goals"]
            republish(running)
            until(lambda: {service: values(known(fresh, service)) for service in COPIES} == before)
            until(lambda: all_told_again(first, known(fresh, "goals")))
        tell_again(channel)

        # Who followed from the beginning has heard the same snapshots as who has heard nothing else.
        until(lambda: all(known(old, service) == known(fresh, service) for service in COPIES))
        assert not any(records for copies in others for records in copies.values())
        assert told == [counted(database) for database in old.values()]
        assert {counted(database) for database in fresh.values()} == {(0, 0, 0)}
    running.revoke(grant.body["id"])
    running.consent("maya", "DELETE")


def all_told_again(before: Known, after: Known) -> bool:
    return all(after[name][id] != one for name, records in before.items() for id, one in records.items())


def counted(database: Any) -> tuple[int, ...]:
    """What people and apps were told, and what could not be handled."""
    return tuple(database[name].count_documents({}) for name in ("notifications", "deliveries", "parked"))
