"""The rules of practices."""

from datetime import UTC, datetime

import pytest

from services.practices.domain.addresses import look_up
from services.practices.domain.apps import App, Grant, GrantStands
from services.practices.domain.members import Member, NotYourself, OnlyOwners, Role
from services.practices.domain.practices import Practice
from services.practices.events.apps import AppRegistered, GrantGiven, GrantRevoked
from services.practices.events.members import MemberJoined, MemberSuspended
from services.practices.events.practices import PracticeOpened

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 9, tzinfo=UTC)


def practice(**about):
    given = {
        "name": "Harbour",
        "timezone": "Europe/Lisbon",
        "locale": "pt",
        "languages": ["pt", "en"],
        "crisis_texts": {"pt": "Ligue 112.", "en": "Call 112."},
    }
    return Practice.open(id="p1", **(given | about))


def member(id="m1", roles=(Role.CLINICIAN,)):
    return Member.join(
        id=id,
        practice_id="p1",
        display_name="Clara",
        email="clara@example.org",
        address="a",
        roles=set(roles),
        language="en",
        timezone="Europe/Lisbon",
    )


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


def test_opening_tells_what_others_must_know_of_a_practice():
    assert last(practice()) == PracticeOpened(
        "Harbour", "Europe/Lisbon", ["pt", "en"], {"pt": "Ligue 112.", "en": "Call 112."}
    )


def test_joining_tells_roles_and_never_the_address():
    joined = last(member(roles=[Role.SUPERVISOR, Role.CLINICIAN]))

    assert joined == MemberJoined("m1", ["clinician", "supervisor"], "Clara", "en", "Europe/Lisbon")
    assert "example.org" not in repr(joined)


def test_an_admin_invites_a_clinician_into_the_own_practice():
    about = {"id": "m2", "display_name": "D", "email": "d@x.org", "address": "c"}

    invited = member(roles=[Role.ADMIN]).invite(
        **about, roles={Role.CLINICIAN}, language="en", timezone="UTC"
    )

    assert invited.practice_id == "p1"


def test_only_an_owner_invites_an_owner():
    with pytest.raises(OnlyOwners):
        member(roles=[Role.ADMIN]).invite(id="m2", roles={Role.OWNER})


def test_a_suspension_is_told_once():
    clara = member()

    clara.suspend(by=member("m2", [Role.ADMIN]))
    clara.suspend(by=member("m2", [Role.ADMIN]))

    assert not clara.active
    assert clara.events[1:] == [MemberSuspended("m1")]


def test_nobody_suspends_themselves():
    owner = member(roles=[Role.OWNER])

    with pytest.raises(NotYourself):
        owner.suspend(by=owner)


def test_an_admin_does_not_suspend_an_owner():
    with pytest.raises(OnlyOwners):
        member(roles=[Role.OWNER]).suspend(by=member("m2", [Role.ADMIN]))


def test_an_address_is_seen_by_the_office_and_oneself():
    clara, daniel = member(), member("m2")

    assert clara.as_seen_by(member("m3", [Role.ADMIN])).email == "clara@example.org"
    assert clara.as_seen_by(clara).email == "clara@example.org"
    assert clara.as_seen_by(daniel).email == ""


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
        GrantGiven("g1", "app1", ["goal.agreed"], ["goal.read"], AT),
        GrantRevoked("g1", "app1"),
        GrantGiven("g1", "app1", ["goal.agreed"], ["goal.list"], LATER),
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
