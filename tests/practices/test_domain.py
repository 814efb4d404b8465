"""The rules of practices."""

from datetime import UTC, datetime

import pytest

from services.practices.domain.addresses import look_up
from services.practices.domain.apps import App, Grant, GrantStands
from services.practices.events.apps import AppRegistered, GrantGiven, GrantRevoked

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 9, tzinfo=UTC)


def app():
    return App.register(id="app1", practice_id="platform", name="Demo EHR", secret="s3cret")


def grant(giving="k1", at=AT, scopes=("goal.read",)):
    return Grant.give(
        id="g1",
        practice_id="p1",
        app_id="app1",
        event_types=["goal.agreed"],
        scopes=list(scopes),
        given_at=at,
        givings={giving: None},
    )


def last(aggregate):
    return aggregate.events[-1]


def test_addresses_that_only_look_alike_are_two():
    assert look_up("straße@example.org", b"key") != look_up("strasse@example.org", b"key")


def test_an_app_keeps_a_hash_of_its_secret_only():
    registered = app()

    assert registered.knows("s3cret")
    assert not registered.knows("S3cret")
    assert "s3cret" not in repr(registered)
    assert last(registered) == AppRegistered("app1", "Demo EHR")


def test_a_grant_revoked_can_be_given_again_with_other_scopes():
    given = grant()

    given.revoke(LATER)
    given.give_again(grant("k2", LATER, scopes=["goal.list"]))

    assert given.stands
    assert given.events == [
        GrantGiven("g1", "app1", ["goal.agreed"], ["goal.read"], AT, {}),
        GrantRevoked("g1", "app1"),
        GrantGiven("g1", "app1", ["goal.agreed"], ["goal.list"], LATER, {}),
    ]


def test_a_grant_that_stands_is_not_given_again():
    with pytest.raises(GrantStands):
        grant().give_again(grant("k2"))


def test_a_revocation_is_told_once():
    given = grant()

    given.revoke(AT)
    given.revoke(LATER)

    assert given.revoked_at == AT
    assert len(given.events) == 2


@pytest.mark.parametrize("spelled", ["Maya@Example.org", " maya@example.org ", "MAYA@EXAMPLE.ORG"])
def test_spellings_of_one_address_are_found_alike(spelled):
    assert look_up(spelled, b"key") == look_up("maya@example.org", b"key")


def test_an_address_is_not_found_without_the_key():
    assert look_up("maya@example.org", b"key") != look_up("maya@example.org", b"yek")
