"""Signing keys: published before they sign, and until what they signed has expired."""

import dataclasses
import threading
from datetime import timedelta

import pytest

from services.practices.tokens import (
    LIFETIME,
    PUBLISHED_FIRST,
    ROTATED_AFTER,
    Subject,
    issue,
    keeping_fresh,
    key_set,
    make_first,
    outlived,
    rotate,
    signing_key,
    tend,
)
from shared.clock import now
from shared.security.tokens import Keys, TokenRefused, Verifier
from shared.settings import SettingsRefused

SUBJECT = Subject("ada", "member", "elm", "s1")
MINUTE = timedelta(minutes=1)


def kids(world):
    return [key["kid"] for key in key_set(world.database)["keys"]]


def signed_by(world, at):
    keys = sorted(world.database["signing_keys"].find(), key=lambda key: key["published_at"])
    return signing_key(keys, at)["_id"]


def verifier(world, at, key_set):
    return Verifier(Keys(lambda: key_set), world.settings.issuer, world.settings.audience, clock=at.timestamp)


def test_the_first_key_signs_at_once(world):
    token = issue(world.database, world.settings, SUBJECT, now())

    caller = verifier(world, now(), key_set(world.database)).verify(token)

    assert (caller.id, caller.kind, caller.practice_id, caller.sign_in_id) == ("ada", "member", "elm", "s1")


def test_preparing_again_makes_no_other_key(world):
    before = kids(world)

    make_first(world.database, world.settings)

    assert kids(world) == before


def test_no_private_part_is_published_or_stored_in_the_clear(world):
    (published,) = key_set(world.database)["keys"]
    (stored,) = world.database["signing_keys"].find()

    assert published.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert b'"d"' not in stored["private"]


def test_a_new_key_is_published_at_once_and_signs_when_every_verifier_has_it(world):
    (first,) = kids(world)
    at = now()

    second = rotate(world.database, world.settings, at)

    assert kids(world) == [first, second]
    assert signed_by(world, at + PUBLISHED_FIRST - MINUTE) == first
    assert signed_by(world, at + PUBLISHED_FIRST) == second


def test_what_a_verifier_fetched_five_minutes_ago_verifies_every_token_of_a_rotation(world):
    start = now()
    rotated = start + 20 * MINUTE
    fetched = {minute: kids(world) for minute in range(20)}
    rotate(world.database, world.settings, rotated)

    for minute in range(20, 60):
        at = start + minute * MINUTE
        tend(world.database, world.settings, at)
        fetched[minute] = kids(world)
        assert signed_by(world, at) in fetched[minute - 5]


def test_an_old_key_stays_until_its_last_token_has_expired(world):
    at = now() + timedelta(days=1)
    rotate(world.database, world.settings, at)
    last_signature = at + PUBLISHED_FIRST - timedelta(milliseconds=1)
    token = issue(world.database, world.settings, SUBJECT, last_signature)

    tend(world.database, world.settings, last_signature + LIFETIME)
    published = key_set(world.database)

    assert verifier(world, last_signature + LIFETIME - MINUTE, published).verify(token)


def test_an_old_key_goes_when_it_is_of_no_use(world):
    (first,) = kids(world)
    second = rotate(world.database, world.settings, now())
    at = now() + timedelta(hours=1)

    token = issue(world.database, world.settings, SUBJECT, now())
    tend(world.database, world.settings, at)

    assert kids(world) == [second]
    with pytest.raises(TokenRefused):
        verifier(world, now(), key_set(world.database)).verify(token)
    assert first != second


def test_a_key_that_signed_for_long_is_followed_by_another_once(world):
    at = now() + ROTATED_AFTER

    tend(world.database, world.settings, at - MINUTE)
    before = len(kids(world))
    tend(world.database, world.settings, at + MINUTE)
    tend(world.database, world.settings, at + 2 * MINUTE)

    assert (before, len(kids(world))) == (1, 2)


def test_the_only_key_is_never_outlived():
    assert outlived([{"_id": "k", "published_at": now() - timedelta(days=400)}], now()) == []


def test_the_timer_does_what_is_due_and_stops(world):
    world.database["signing_keys"].update_one({}, {"$set": {"published_at": now() - ROTATED_AFTER}})
    stopping = threading.Event()
    timer = threading.Thread(target=keeping_fresh, args=(world.database, world.settings, "me", stopping))

    timer.start()
    with world.database["signing_keys"].watch() as written:
        while len(kids(world)) < 2:
            written.try_next()
    stopping.set()
    timer.join(5)

    assert not timer.is_alive()


def test_another_secret_key_is_told_in_a_sentence(world):
    other = dataclasses.replace(world.settings, secret_key="b" * 44)

    with pytest.raises(SettingsRefused, match="TANDEM_SECRET_KEY is not the one"):
        make_first(world.database, other)
