"""In what relation callers stand to what they ask for."""

import pytest
from pymongo import MongoClient

from services.practices.access import standings
from services.practices.domain.members import Role
from services.practices.domain.wishes import Wish
from services.practices.sign_in.ending import end
from services.practices.store.episodes import Episodes
from services.practices.store.people import Clients
from services.practices.store.sign_in import SignedIn
from shared.clock import now
from shared.ids import PLATFORM, new_id
from shared.security.caller import Caller
from shared.security.tokens import TokenRefused
from shared.web.allows import Absent
from tests.commands import Commands


def caller(someone, practice_id=None):
    kind = type(someone).__name__.lower()
    return Caller(someone.id, kind, practice_id or someone.practice_id, "t", "s1")


@pytest.fixture
def of(world):
    def of(someone, target=None, action="client.read", practice_id=None):
        return standings(world.database, caller(someone, practice_id), action, target)

    return of


def test_a_member_has_each_of_their_roles_in_the_practice(world, of):
    ada = world.member(Role.ADMIN, Role.CLINICIAN)

    assert of(ada) == {("admin", "practice"), ("clinician", "practice"), ("person", "self")}


def test_a_suspended_member_has_none(world, of):
    ada = world.member(Role.ADMIN)

    world.suspend(ada)

    assert of(ada) == set()


def test_a_member_has_none_in_another_practice(world, of):
    there = world.another_practice()

    assert of(world.member(Role.OWNER), practice_id=there.practice.id) == set()


def test_a_clinician_cares_for_the_client_of_a_current_episode(world, of):
    clara, maya = world.member(Role.CLINICIAN), world.client()
    episode = world.episode(maya, clara)

    for target in (maya, maya.id, episode):
        assert ("clinician", "own") in of(clara, target)


def test_to_a_colleagues_client_a_clinician_stands_in_no_relation_of_care(world, of):
    clara, daniel, maya = world.member(Role.CLINICIAN), world.member(Role.CLINICIAN), world.client()
    episode = world.episode(maya, clara)

    for target in (maya, maya.id):
        assert of(daniel, target) == {("clinician", "practice")}
    assert of(daniel, episode) == {("clinician", "practice"), ("person", "self")}


def test_an_owner_who_is_no_clinician_of_a_client_is_still_the_owner(world, of):
    ada = world.member(Role.OWNER, Role.CLINICIAN)

    assert of(ada, world.client()) == {("owner", "practice"), ("clinician", "practice")}


@pytest.mark.parametrize(
    ("steps", "cares"),
    [
        (("pause",), True),
        (("end",), True),
        (("end", "close"), False),
    ],
)
def test_a_clinician_cares_as_long_as_the_episode_is_open(world, of, steps, cares):
    clara, maya, episodes = world.member(Role.CLINICIAN), world.client(), Episodes(world.database)
    episode = world.episode(maya, clara)

    for step in steps:
        getattr(episode, step)(clara.id, now(), *(["UTC"] if step == "pause" else []))
    episodes.save(episode)

    assert (("clinician", "own") in of(clara, maya.id)) == cares


def test_who_has_not_come_in_yet_stands_in_no_relation(world, of):
    assert of(world.enrolled()) == set()


def test_to_a_wish_about_oneself_nobody_stands_in_any_relation(world, of):
    both, owner, maya = world.member(Role.OWNER, Role.CLINICIAN), world.member(Role.OWNER), world.client()
    episode = world.episode(maya, both)

    wish = Wish.say(id="w", episode=episode, text=None, told=[], at=now())

    assert of(both, wish) == set()
    assert ("owner", "practice") in of(owner, wish)
    assert ("client", "self") in of(maya, wish)


def test_a_clinician_cares_for_whom_they_enrolled_until_somebody_starts(world, of):
    clara, daniel = world.member(Role.CLINICIAN), world.member(Role.CLINICIAN)
    maya = world.client(enrolled_by=clara.id)

    before = of(clara, maya.id)
    world.episode(maya, daniel)

    assert ("clinician", "own") in before
    assert ("clinician", "own") not in of(clara, maya.id)


def test_a_client_stands_for_themselves_and_no_other(world, of):
    maya, noah = world.client(), world.client()

    assert ("client", "self") in of(maya, maya.id)
    assert ("client", "self") not in of(maya, noah.id)
    assert of(maya) == {("client", "practice"), ("person", "self")}


def test_what_is_of_one_person_is_of_nobody_else(world, of):
    ada, maya = world.member(Role.OWNER), world.client()
    of_maya = SignedIn(
        id="s",
        practice_id=maya.practice_id,
        person_id=maya.id,
        kind="client",
        began_at=now(),
        last_used_at=now(),
        expires_at=now(),
    )

    theirs = ("person", "self")
    for target in (maya, maya.id, of_maya):
        assert theirs in of(maya, target)
        assert theirs not in of(ada, target)
        assert theirs not in of(world.client(), target)
    assert theirs in of(ada, ada)
    assert theirs not in of(world.member(Role.OWNER), ada)
    assert theirs not in of(ada, Absent())
    assert theirs in of(ada)


@pytest.mark.parametrize("kind", ["member", "client"])
def test_the_token_of_a_sign_in_that_was_ended_is_refused_whatever_it_asks_for(world, of, kind):
    someone = world.member(Role.OWNER) if kind == "member" else world.client()
    for sign_in_id in ("s2", "s1"):
        of(someone)
        end(world.database, kind, someone.practice_id, someone.id, [sign_in_id], now())

    for target in (None, someone, new_id(), Absent()):
        with pytest.raises(TokenRefused):
            of(someone, target)


def test_a_client_who_has_not_accepted_has_no_standing(world, of):
    maya = world.invited_client()

    assert of(maya, maya) == set()


def test_nobody_stands_in_any_relation_to_another_practices_client(world, of):
    foreign = world.another_practice().client()

    for someone in (world.member(Role.OWNER), world.client()):
        assert of(someone, foreign.id) == set()


def test_an_app_may_what_its_grant_and_the_clients_consent_allow(world, of):
    app, maya, noah, practice = world.app(), world.client(), world.client(), world.practice.id
    grant = world.grant(app, "client.read")
    partly = world.client()
    maya.consent_to(app, now())
    partly.consent_to(app, now(), ["goal"])
    for one in (maya, partly):
        Clients(world.database).save(one)

    granted = ("app", "granted")
    assert granted in of(app, maya, practice_id=practice)
    assert granted not in of(app, partly, practice_id=practice)
    assert granted not in of(app, noah, practice_id=practice)
    assert granted not in of(app, maya, action="episode.read", practice_id=practice)
    assert granted not in of(app, maya, practice_id=PLATFORM)

    world.revoke(grant)

    assert granted not in of(app, maya, practice_id=practice)


def test_a_foreign_client_costs_the_same_commands_as_an_absent_one(world, mongo_url):
    clara, maya = world.member(Role.CLINICIAN), world.client()
    episode = world.episode(maya, world.member(Role.CLINICIAN))
    commands = Commands()
    with MongoClient(mongo_url, tz_aware=True, event_listeners=[commands]) as client:

        def cost(someone, target):
            commands.names.clear()
            standings(client[world.database.name], caller(someone), "client.read", target)
            return list(commands.names)

        for someone in (clara, world.client(), world.app()):
            assert cost(someone, maya.id) == cost(someone, new_id())
            assert cost(someone, maya) == cost(someone, episode) == cost(someone, Absent())
